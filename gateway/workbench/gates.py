"""What OPA and Regal say of a policy folder, and the embedded engine where there is no OPA."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

import msgspec

from gateway.policy.engine import PolicyRefused
from gateway.policy.loading import load_policy
from gateway.workbench.conventions import violations
from gateway.workbench.finding import Finding
from gateway.workbench.programs import Layout, Programs, run_program

MAX_SAID = 20
"""Lines of a program that are passed on."""


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
            broken = violations(layout.folder, layout.checks, opa)
            found += [_error("checks", "", one, "see policies/checks/checks.rego") for one in broken]
    if programs.regal is not None:
        said = _said("regal", [programs.regal, "lint", "--format", "compact", str(layout.folder)], "")
        # A matter of style: what ships has none of it, and nobody is refused for theirs.
        found += [msgspec.structs.replace(one, severity="warning") for one in said]
    return found


def unit_tests(layout: Layout, opa: str) -> Tested:
    """``opa test`` with coverage.

    :raises PolicyRefused: the tests do not even compile.
    """
    done = run_program([opa, "test", "--format", "json", layout.loaded])
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
    coverage, uncovered = _coverage(
        run_program([opa, "test", "--coverage", "--format", "json", layout.loaded])
    )
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


def _said(check: str, command: Sequence[str], remedy: str) -> list[Finding]:
    """A program's words, one finding a line, where it failed."""
    done = run_program(command)
    if done.returncode == 0:
        return []
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return [_error(check, "", line, remedy) for line in lines[:MAX_SAID]] or [
        _error(check, "", f"exit code {done.returncode}", remedy)
    ]


def _error(check: str, where: str, message: str, remedy: str) -> Finding:
    return Finding(check=check, severity="error", where=where, message=message, remedy=remedy)


def _tail(text: str) -> str:
    return "; ".join(line for line in text.splitlines()[:MAX_SAID] if line.strip())
