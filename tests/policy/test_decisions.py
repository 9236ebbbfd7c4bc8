"""Every case is decided as its sentence says, alike on both engines, and no slip of an operator opens anything."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from gateway.policy.engine import Entrypoint
from gateway.policy.loading import evaluate, load_policy
from gateway.policy.rego_cpp import Interpreter
from tests.support.opa_program import Opa
from tests.support.policy_cases import POLICIES, Case, Policy, load_cases, write_policy_of

PACK = POLICIES / "gateway"
SCHEMAS = POLICIES / "schemas"
ALL_CASES = load_cases()


def _data(tree: Path, room: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((tree / room / "data.yaml").read_text(encoding="utf-8"))
    return data


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def opa(opa_binary: Path) -> Opa:
    """The real OPA."""
    return Opa(opa_binary)


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
        for entrypoint in ("decision", "listing", "admin", "passage"):
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
    assert set(_data(PACK, "reasons")["catalogue"]) - wanted == set()


def test_every_tool_has_a_case() -> None:
    """Each of the 28 tools is asked for by some case."""
    asked = {case.question.get("tool", {}).get("name") for case in ALL_CASES}
    assert set(_data(PACK, "classes")["tools"]) - asked == set()


UNNEEDED = {
    "/classes/aliases": "the three calls use no alias",
    "/migration/exemptions": "nothing is exempt then",
    "/migration/ramps": "every caller has the class's phase then",
    "/migration/preparation": "a missing switch is the strict side",
    "/migration/coexistence": "a missing switch is the strict side",
    "/migration/critical_permissions": "everything is critical then, which matters when something is softened",
    "/listing/show_unverified": "nothing more is shown then",
    "/admin/roles": "about people, below",
    "/admin/min_assurance": "about people, below",
    "/passage/methods": "about other requests, below",
    "/passage/servers": "about other requests, below",
    "/receipts/executed": "every call has a receipt then",
    "/receipts/refused": "every refusal has one then",
    "/decisions/arguments": "read by the gateway alone; without it arguments are hashed",
    "/decisions/masked": "read by the gateway alone, which refuses the file without it",
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


@pytest.mark.parametrize("place", ["/passage/methods", "/passage/servers"])
def test_deleting_data_about_other_requests_denies(opa: Opa, tmp_path: Path, place: str) -> None:
    """Nothing passes when it is not said what may."""
    tree = write_policy_of(Policy(without=(place,)), tmp_path)
    question = next(case.question for case in ALL_CASES if case.name.startswith("passage: An agent reads"))
    assert opa.ask(tree, {"passage": [question]})["passage"][0]["outcome"] == "deny"


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
