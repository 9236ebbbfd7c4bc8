"""The policies that ship pass their gates: format, types, coverage, Regal, conventions, schemas. With the real OPA."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gateway.policy.rego_cpp import Bundle
from tests.support import parts
from tests.support.opa_program import Opa
from tests.support.policy_cases import BUNDLES, CASES, CHECKS, POLICIES, Policy, load_cases, write_policy_of

PACK = POLICIES / "gateway"
SCHEMAS = POLICIES / "schemas"
LOADED = f"gateway:{PACK}"
OVERLAYS = ("sandbox", "observe", "production", "lockdown")


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


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


def test_the_bases_are_questions() -> None:
    """The questions that cases start from fit the schemas."""
    bases = yaml.safe_load((CASES / "bases.yaml").read_text(encoding="utf-8"))
    schema_of = {
        "listing": "listing_question",
        "administration": "admin_question",
        "passing": "passage_question",
    }
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
    assert sum(case.policy.overlay == overlay for case in load_cases()) >= 2


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
