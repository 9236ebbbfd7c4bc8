"""The policies that ship pass their gates, and decide every case as its sentence says. With the real OPA."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from gateway.policy.engine import Entrypoint
from gateway.policy.loading import evaluate, load_policy
from gateway.policy.rego_cpp import Bundle, Interpreter
from tests.support import parts
from tests.support.policy_cases import BUNDLES, CASES, POLICIES, Case, Policy, load_cases, write_policy_of

PACK = POLICIES / "gateway"
SCHEMAS = POLICIES / "schemas"
CHECKS = POLICIES / "checks"
LOADED = f"gateway:{PACK}"
ALL_CASES = load_cases()
OVERLAYS = ("sandbox", "observe", "production", "lockdown")
ASK = """{name: answers |
    some name, questions in input
    answers := [answer |
        some question in questions
        answer := {
            "decision": data.gateway.decision.answer,
            "listing": data.gateway.listing.answer,
            "admin": data.gateway.admin.answer,
        }[name] with input as question
    ]
}"""


def _data(tree: Path, room: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((tree / room / "data.yaml").read_text(encoding="utf-8"))
    return data


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


class Opa:
    """The real program. Every call is one short process."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary

    def run(self, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Its exit code and what it said."""
        command = [str(self._binary), *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=100)

    def output(self, *arguments: str | Path, stdin: str = "") -> Any:
        """Its output as JSON. AssertionError with its words if it failed."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def ask(self, tree: Path, questions: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The answers to questions by entrypoint, from one process; an undefined answer is missing."""
        done = self.output(
            "eval",
            "--format",
            "json",
            "--stdin-input",
            "--data",
            f"gateway:{tree}",
            ASK,
            stdin=json.dumps(questions),
        )
        answers: dict[str, list[Any]] = done["result"][0]["expressions"][0]["value"]
        return answers


@pytest.fixture(scope="module")
def opa(opa_binary: Path) -> Opa:
    """The real OPA."""
    return Opa(opa_binary)


def test_formatted(opa: Opa) -> None:
    """Every policy is formatted as `opa fmt` does it."""
    done = opa.run("fmt", "--fail", "--list", PACK, CHECKS)
    assert (done.returncode, done.stdout) == (0, "")


def test_types(opa: Opa) -> None:
    """The policies pass the strict check with the schemas, and use only what both engines have."""
    done = _check(opa, LOADED)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "rule",
    [
        "x if input.tool.nmae == 1",
        "x if input.call.cient",
        'x if http.send({"method": "get", "url": "http://x"})',
        "x if opa.runtime()",
        "x if time.now_ns() > 0",
        "x if rand.intn(`a`, 2) > 0",
        "x if net.cidr_contains(`10.0.0.0/8`, `10.1.1.1`)",
    ],
)
def test_a_mistyped_or_forbidden_rule_is_found(opa: Opa, tmp_path: Path, rule: str) -> None:
    """A misspelt field of the question fails the check, and so does a built-in that reaches out."""
    bad = tmp_path / "typo.rego"
    bad.write_text(f"package gateway.typo\n\n{rule}\n", encoding="utf-8")
    assert _check(opa, LOADED, bad).returncode != 0


@pytest.mark.parametrize("folder", [LOADED, str(CHECKS)], ids=["gateway", "checks"])
def test_unit_tests_cover_every_line(opa: Opa, folder: str) -> None:
    """The Rego tests pass and reach every line."""
    done = opa.run("test", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    done = opa.run("test", "--coverage", "--threshold", "100", folder)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_uncovered_lines_are_noticed(opa: Opa, tmp_path: Path) -> None:
    """The coverage gate works: without one test file it fails."""
    tree = tmp_path / "gateway"
    shutil.copytree(PACK, tree)
    (tree / "migration" / "migration_test.rego").unlink()
    assert opa.run("test", "--coverage", "--threshold", "100", f"gateway:{tree}").returncode != 0


def test_regal() -> None:
    """Regal has nothing to say."""
    regal = parts.require(parts.REGAL)
    done = subprocess.run(
        [regal, "lint", PACK, CHECKS], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout


def test_builtins_that_both_engines_have() -> None:
    """What capabilities.json allows, the embedded engine has."""
    allowed = {builtin["name"] for builtin in _json(POLICIES / "capabilities.json")["builtins"]}
    bundle = Bundle({"x": "package x\n\ny := 1\n"}, {}, ["x/y"])
    operators = {"assign", "eq"}
    assert {name for name in allowed - operators if not bundle.is_builtin(name)} == set()


def test_conventions(opa: Opa) -> None:
    """The policy about policies finds nothing: codes, texts, entrypoints, who says allow, engine traps."""
    assert _violations(opa, PACK) == []


BROKEN = {
    "a code without a text": ('codes contains "arguments.strange" if input.call.id', "arguments.strange"),
    "a code of another room": ('codes contains "money.strange" if input.call.id', "money.strange"),
    "an entrypoint too many": (
        "# METADATA\n# title: t\n# description: d\n# entrypoint: true\nx := 1",
        "data.gateway.arguments.x: must not be an entrypoint",
    ),
    "an undefined argument of a negation": ("x if not startswith(input.call.id, `a`)", "put what is negated"),
    "an override": ("x if input.call.id with input as {}", "`with` is for tests"),
    "a function of another arity": ("of(a, b) if a == b", 'the function "of" has 1 and 2 arguments'),
}


@pytest.mark.parametrize(("rule", "wanted"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_convention_is_found(opa: Opa, tmp_path: Path, rule: str, wanted: str) -> None:
    """Each convention notices a rule that breaks it."""
    tree = tmp_path / "gateway"
    shutil.copytree(PACK, tree)
    path = tree / "arguments" / "arguments.rego"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{rule}\n", encoding="utf-8")
    assert [line for line in _violations(opa, tree) if wanted in line]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A policy folder for each policy that some case is about."""
    policies = {case.policy.key: case.policy for case in ALL_CASES}
    base = tmp_path_factory.mktemp("policies")
    return {
        key: write_policy_of(policy, base / str(number))
        for number, (key, policy) in enumerate(policies.items())
    }


@pytest.fixture(scope="module")
def from_opa(opa: Opa, folders: dict[str, Path]) -> dict[str, Any]:
    """OPA's answer to every case, by name."""
    answers: dict[str, Any] = {}
    for key, folder in folders.items():
        cases = [case for case in ALL_CASES if case.policy.key == key]
        for entrypoint in ("decision", "listing", "admin"):
            asked = [case for case in cases if case.entrypoint == entrypoint]
            said = (
                opa.ask(folder, {entrypoint: [case.question for case in asked]})[entrypoint] if asked else []
            )
            assert len(said) == len(asked), f"an answer is undefined: {[case.name for case in asked]}"
            answers.update({case.name: answer for case, answer in zip(asked, said, strict=True)})
    return answers


@pytest.fixture(scope="module")
def embedded(folders: dict[str, Path]) -> dict[str, Any]:
    """The embedded engine's answer to every case, by name."""
    answers: dict[str, Any] = {}
    for key, folder in folders.items():
        policy = load_policy(folder)
        interpreter = Interpreter()
        for case in ALL_CASES:
            if case.policy.key == key:
                entrypoint = Entrypoint[case.entrypoint.upper()]
                raw = evaluate(interpreter, policy, entrypoint, msgspec.json.encode(case.question))
                answers[case.name] = None if raw is None else msgspec.json.decode(raw)
    return answers


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.name)
def test_case(case: Case, from_opa: dict[str, Any]) -> None:
    """The case is decided as its sentence says, in the form that the schema of the answer has."""
    answer = from_opa[case.name]
    assert case.problems(answer) == []
    name = "answer" if case.entrypoint == "decision" else f"{case.entrypoint}_answer"
    jsonschema.validate(answer, _json(SCHEMAS / f"{name}.json"))


def test_the_embedded_engine_agrees(from_opa: dict[str, Any], embedded: dict[str, Any]) -> None:
    """Both engines give the same answer to every case, to the letter."""
    assert {name: answer for name, answer in embedded.items() if answer != from_opa[name]} == {}


def test_every_reason_has_a_case() -> None:
    """Each code of the catalogue is wanted by some case."""
    wanted = {code for case in ALL_CASES for code in case.want.codes}
    # Two of the listings' reasons are not spelt out there; the same rooms give them to calls.
    assert set(_data(PACK, "reasons")["catalogue"]) - wanted == set()


def test_every_tool_has_a_case() -> None:
    """Each of the 28 tools is asked for by some case."""
    asked = {case.question.get("tool", {}).get("name") for case in ALL_CASES}
    assert set(_data(PACK, "classes")["tools"]) - asked == set()


def test_the_bases_are_questions() -> None:
    """The questions that cases start from fit the schemas."""
    bases = yaml.safe_load((CASES / "bases.yaml").read_text(encoding="utf-8"))
    schema_of = {"listing": "listing_question", "administration": "admin_question"}
    for name, base in bases.items():
        if "document" in base:
            jsonschema.validate(base["document"], _json(SCHEMAS / f"{schema_of.get(name, 'question')}.json"))


def _data_files() -> Iterator[Path]:
    for folder in (PACK, *(BUNDLES / name / "gateway" for name in OVERLAYS)):
        yield from sorted(folder.rglob("data.yaml"))


@pytest.mark.parametrize("path", list(_data_files()), ids=lambda path: str(path.relative_to(POLICIES.parent)))
def test_operators_data(path: Path) -> None:
    """Each data file fits its schema, of the same name, which takes nothing unknown."""
    schema = _json(SCHEMAS / f"{path.parent.name}.json")
    assert schema["additionalProperties"] is False
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_schemas(path: Path) -> None:
    """Each schema is one."""
    jsonschema.Draft7Validator.check_schema(_json(path))


UNNEEDED = {
    "/classes/aliases": "the three calls use no alias",
    "/migration/exemptions": "nothing is exempt then",
    "/migration/critical_permissions": "everything is critical then, which matters when something is softened",
    "/listing/show_unverified": "nothing more is shown then",
    "/admin/roles": "about people, below",
    "/admin/min_assurance": "about people, below",
}
"""Operators' data without which calls are still allowed, and why that is right."""


def _places() -> Iterator[str]:
    for path in sorted(PACK.rglob("data.yaml")):
        room = path.parent.name
        for key in _data(PACK, room):
            yield f"/{room}/{key}"
    for key in ("ttl_seconds", "max_age_seconds"):
        yield f"/consent/handshake/{key}"
    for key in ("by", "quorum", "min_assurance", "ttl_seconds", "separation_of_duties"):
        yield f"/consent/confirm/2/{key}"
    for key in ("soft", "hard"):
        yield f"/limits/currencies/USD/{key}"
    yield from ("/identity/roles/2", "/identity/scopes/2", "/environment/minimum_phase/sandbox/2")
    yield from ("/environment/closed/classes", "/environment/closed/tools")


@pytest.mark.parametrize("place", [place for place in _places() if place not in UNNEEDED])
def test_deleting_operators_data_denies(opa: Opa, tmp_path: Path, place: str) -> None:
    """Whatever an operator deletes by mistake, at least one of three calls that were allowed is denied, none asked."""
    tree = write_policy_of(Policy(without=(place,)), tmp_path)
    allowed = {case.name: case for case in ALL_CASES if case.policy == Policy()}
    calls = [
        next(case.question for name, case in allowed.items() if sentence in name)
        for sentence in (
            "An internal tool takes the standard flow",
            "After the handshake a confidential tool is allowed",
            "With one confirmation by somebody else a refund is allowed",
        )
    ]
    assert "deny" in [answer["outcome"] for answer in opa.ask(tree, {"decision": calls})["decision"]]


@pytest.mark.parametrize("place", ["/admin/roles", "/admin/min_assurance", "/consent/assurance"])
def test_deleting_data_about_people_denies(opa: Opa, tmp_path: Path, place: str) -> None:
    """Nobody may do anything when it is not said who may."""
    tree = write_policy_of(Policy(without=(place,)), tmp_path)
    question = next(
        case.question for case in ALL_CASES if case.entrypoint == "admin" and case.want.outcome == "allow"
    )
    assert opa.ask(tree, {"admin": [question]})["admin"][0]["outcome"] == "deny"


def test_a_listing_agrees_with_the_decisions(opa: Opa) -> None:
    """A tool is visible exactly when a call of it, with arguments in order, is not denied."""
    base = next(
        case.question for case in ALL_CASES if case.name.startswith("consent: After the handshake a refund")
    )
    names = [*_data(PACK, "classes")["tools"], *_data(PACK, "classes")["aliases"], "update_product"]
    circumstances: list[dict[str, Any]] = [
        {},
        {"approval": None},
        {"approval": {**base["approval"], "revoked": True}},
        {"tool": {"version": "2"}},
        {"tool": {"etdi": {"status": "unverified", "evidence": None, "error": None}}},
        {"caller": {**base["caller"], "roles": []}},
        {"caller": {**base["caller"], "subject": ""}},
        {"env": {**base["env"], "state": "degraded"}},
        {"env": {**base["env"], "paypal": "production"}},
        {"tool": {"permissions": "all"}},
    ]
    calls, listings = [], []
    for change in circumstances:
        tools = [{**base["tool"], **change.get("tool", {}), "name": name} for name in names]
        frame = {key: change.get(key, base[key]) for key in ("caller", "env", "call")}
        approval = change.get("approval", base["approval"])
        calls += [{**base, **frame, "tool": tool, "approval": approval} for tool in tools]
        listings.append({**frame, "tools": [{"tool": tool, "approval": approval} for tool in tools]})
    answers = opa.ask(PACK, {"decision": calls, "listing": listings})
    visible = [listing["tools"][name]["visible"] for listing in answers["listing"] for name in names]
    assert visible == [answer["outcome"] != "deny" for answer in answers["decision"]]
    assert 0 < sum(visible) < len(visible)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_a_whole_policy(opa: Opa, tmp_path: Path, overlay: str) -> None:
    """An overlay replaces files that exist, passes the check, builds, and has cases of its own."""
    files = [path.relative_to(BUNDLES / overlay) for path in (BUNDLES / overlay).rglob("*") if path.is_file()]
    assert [path for path in files if not (POLICIES / path).is_file()] == []
    tree = write_policy_of(Policy(overlay=overlay), tmp_path)
    done = _check(opa, f"gateway:{tree}")
    assert done.returncode == 0, done.stderr
    built = opa.run("build", "--bundle", tmp_path, "--output", tmp_path / "bundle.tar.gz")
    assert built.returncode == 0, built.stderr
    assert overlay in _json(tree / ".manifest")["revision"]
    assert sum(case.policy.overlay == overlay for case in ALL_CASES) >= 2


def _check(opa: Opa, *paths: str | Path) -> subprocess.CompletedProcess[str]:
    capabilities = POLICIES / "capabilities.json"
    options: list[str | Path] = [
        "--strict",
        "--schema",
        SCHEMAS,
        "--capabilities",
        capabilities,
        "--ignore",
        "*_test.rego",
    ]
    return opa.run("check", *options, *paths)


def _violations(opa: Opa, tree: Path) -> list[str]:
    rego = [path for path in sorted(tree.rglob("*.rego")) if not path.name.endswith("_test.rego")]
    annotations = opa.output("inspect", "--annotations", "--format", "json", tree)["annotations"]
    document = {
        "annotations": [one for one in annotations if not one["location"]["file"].endswith("_test.rego")],
        "modules": [
            opa.output("parse", "--format", "json", "--json-include", "locations", path) for path in rego
        ],
        "catalogue": _data(tree, "reasons")["catalogue"],
    }
    query: list[str | Path] = [
        "eval",
        "--format",
        "json",
        "--stdin-input",
        "--data",
        CHECKS,
        "data.checks.violations",
    ]
    found: list[str] = opa.output(*query, stdin=json.dumps(document))["result"][0]["expressions"][0]["value"]
    return found
