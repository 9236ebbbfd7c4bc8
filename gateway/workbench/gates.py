"""What OPA and Regal say of a policy folder, each as a short process; and the embedded engine where there is no OPA.

Programs are given a list of arguments, never a line for a shell. Both run on the files of the person who runs them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.policy.engine import PolicyRefused
from gateway.policy.loading import load_policy
from gateway.workbench.finding import Finding
from gateway.workbench.pack import read_pack

TIMEOUT_S = 120.0
"""Longest run of one program: the whole test suite of a large policy takes some seconds."""
MAX_SAID = 20
"""Lines of a program that are passed on."""


class Programs(msgspec.Struct, frozen=True, kw_only=True):
    """Where the programs are; None: not on this machine."""

    opa: str | None = None
    regal: str | None = None


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A policy folder and what stands beside it (``policies/``). What is not there is not used."""

    folder: Path

    @property
    def schemas(self) -> Path:
        """JSON Schemas of the questions, the answers and the data files."""
        return self.folder.parent / "schemas"

    @property
    def checks(self) -> Path:
        """The policy about policies."""
        return self.folder.parent / "checks"

    @property
    def capabilities(self) -> Path:
        """The built-ins that both engines have."""
        return self.folder.parent / "capabilities.json"

    @property
    def loaded(self) -> str:
        """The folder as OPA has to load it."""
        return f"gateway:{self.folder}"


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """What the tests of the folder said. ``coverage`` is per cent of lines; None without OPA."""

    engine: str
    passed: int
    failed: tuple[str, ...]
    coverage: float | None = None
    uncovered: tuple[str, ...] = ()


def checked(layout: Layout, programs: Programs) -> list[Finding]:
    """Every gate that can run here. The embedded engine's own inspection always does."""
    found = []
    try:
        load_policy(layout.folder)
    except PolicyRefused as refused:
        found.append(
            _error("embedded", str(layout.folder), refused.message, "the embedded engine refuses it")
        )
    if programs.opa is not None:
        opa = programs.opa
        found += _said("fmt", [opa, "fmt", "--fail", "--list", str(layout.folder)], "run `opa fmt --write`")
        strict = [opa, "check", "--strict", "--ignore", "*_test.rego"]
        if layout.schemas.is_dir():
            strict += ["--schema", str(layout.schemas)]
        if layout.capabilities.is_file():
            strict += ["--capabilities", str(layout.capabilities)]
        found += _said("opa check", [*strict, layout.loaded], "")
        if layout.checks.is_dir() and not found:
            found += _conventions(layout, opa)
    if programs.regal is not None:
        said = _said("regal", [programs.regal, "lint", "--format", "compact", str(layout.folder)], "")
        # A matter of style: what ships has none of it, and nobody is refused for theirs.
        found += [msgspec.structs.replace(one, severity="warning") for one in said]
    return found


def unit_tests(layout: Layout, opa: str) -> Tested:
    """``opa test`` with coverage.

    :raises PolicyRefused: the tests do not even compile.
    """
    done = _run([opa, "test", "--format", "json", layout.loaded])
    try:
        results = json.loads(done.stdout or "[]")
    except ValueError:
        raise PolicyRefused(_tail(done.stdout + done.stderr)) from None
    if done.returncode != 0 and not results:
        raise PolicyRefused(_tail(done.stderr or done.stdout))
    failed = tuple(
        f"{one['package'].removeprefix('data.')}.{one['name']}"
        for one in results
        if one.get("fail") or one.get("error")
    )
    coverage, uncovered = _coverage(_run([opa, "test", "--coverage", "--format", "json", layout.loaded]))
    return Tested(
        engine="opa",
        passed=len(results) - len(failed),
        failed=failed,
        coverage=coverage,
        uncovered=uncovered,
    )


def _coverage(done: subprocess.CompletedProcess[str]) -> tuple[float | None, tuple[str, ...]]:
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return None, ()
    uncovered = []
    for name, file in sorted(report.get("files", {}).items()):
        for span in file.get("not_covered") or ():
            uncovered.append(f"{name}:{span['start']['row']}")
    return report.get("coverage"), tuple(uncovered)


def _conventions(layout: Layout, opa: str) -> list[Finding]:
    """``policies/checks`` over this folder."""
    rego = [path for path in sorted(layout.folder.rglob("*.rego")) if not path.name.endswith("_test.rego")]
    annotations = _json(opa, "inspect", "--annotations", "--format", "json", str(layout.folder))[
        "annotations"
    ]
    document = {
        "annotations": [one for one in annotations if not one["location"]["file"].endswith("_test.rego")],
        "modules": [
            _json(opa, "parse", "--format", "json", "--json-include", "locations", str(path)) for path in rego
        ],
        "catalogue": _catalogue(layout),
        "site": read_pack(layout.folder).data.get("site", {}).get("reasons", {}),
        "patterns": read_pack(layout.folder).data.get("arguments", {}).get("rules", {}),
    }
    query = [
        "eval",
        "--format",
        "json",
        "--stdin-input",
        "--data",
        str(layout.checks),
        "data.checks.violations",
    ]
    answer = json.loads(_run([opa, *query], stdin=json.dumps(document)).stdout)
    violations = answer["result"][0]["expressions"][0]["value"]
    return [_error("checks", "", one, "see policies/checks/checks.rego") for one in violations]


def _catalogue(layout: Layout) -> Any:
    return {code: msgspec.to_builtins(reason) for code, reason in read_pack(layout.folder).reasons.items()}


def _json(opa: str, *arguments: str) -> Any:
    return json.loads(_run([opa, *arguments]).stdout)


def _said(check: str, command: Sequence[str], remedy: str) -> list[Finding]:
    """A program's words, one finding a line, where it failed."""
    done = _run(command)
    if done.returncode == 0:
        return []
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return [_error(check, "", line, remedy) for line in lines[:MAX_SAID]] or [
        _error(check, "", f"exit code {done.returncode}", remedy)
    ]


def _error(check: str, where: str, message: str, remedy: str) -> Finding:
    return Finding(check=check, severity="error", where=where, message=message, remedy=remedy)


def _run(command: Sequence[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - a list, and the programs are the operator's
            command, input=stdin, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no end after {TIMEOUT_S:.0f} s")


def _tail(text: str) -> str:
    return "; ".join(line for line in text.splitlines()[:MAX_SAID] if line.strip())
