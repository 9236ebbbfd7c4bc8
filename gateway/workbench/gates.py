"""What OPA and Regal say of a policy folder, and the embedded engine where there is no OPA."""

from __future__ import annotations

import json
import subprocess

import msgspec

from gateway.policy.engine import PolicyRefused
from gateway.policy.loading import load_policy
from gateway.policy.revision import ROOT
from gateway.workbench.conventions import violations
from gateway.workbench.finding import Finding
from gateway.workbench.programs import Layout, Programs, run_program
from gateway.workbench.reports import MAX_SAID, checked_by_opa, formatted_by_opa, linted_by_regal


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """What the tests of the folder said. ``coverage`` is per cent of lines; None without OPA."""

    engine: str
    passed: int
    failed: tuple[str, ...]
    coverage: float | None = None
    uncovered: tuple[str, ...] = ()


def checked(layout: Layout, programs: Programs) -> list[Finding]:
    """Every gate that can run here. What OPA refuses is not loaded: the embedded engine says it worse, or ends."""
    found = [] if programs.opa is None else _asked_of_opa(layout, programs.opa)
    if not any(one.check != "fmt" for one in found):
        try:
            load_policy(layout.folder)
        except PolicyRefused as refused:
            found.append(
                _error("embedded", str(layout.folder), refused.message, "the embedded engine refuses it")
            )
    if programs.regal is not None:
        found += _linted(layout, programs.regal)
    return found


def _asked_of_opa(layout: Layout, opa: str) -> list[Finding]:
    shape = run_program([opa, "fmt", "--fail", "--list", str(layout.folder)])
    strict = [opa, "check", "--strict", "--format", "json", "--ignore", "*_test.rego"]
    if layout.schemas.is_dir():
        strict += ["--schema", str(layout.schemas)]
    if layout.capabilities.is_file():
        strict += ["--capabilities", str(layout.capabilities)]
    types = run_program([*strict, layout.loaded])
    by_type = [] if types.returncode == 0 else checked_by_opa(types.stdout + types.stderr, layout.folder)
    by_shape = formatted_by_opa(shape.stdout, shape.stderr, layout.folder) if shape.returncode else []
    # A file that does not parse is said by both; the check has the line.
    found = [one for one in by_shape if one.where or not by_type] + by_type
    if layout.checks.is_dir() and not found:
        broken = violations(layout.folder, layout.checks, opa)
        found = [_error("checks", "", one, "see policies/checks/checks.rego") for one in broken]
    return found


def _linted(layout: Layout, regal: str) -> list[Finding]:
    command = [regal, "lint", "--format", "json"]
    if layout.style is not None:
        command += ["--config-file", str(layout.style)]
    if layout.folder.name != ROOT:
        # The folder is loaded below `gateway` whatever it is called here.
        command += ["--disable", "directory-package-mismatch"]
    done = run_program([*command, str(layout.folder)])
    return [] if done.returncode == 0 else linted_by_regal(done.stdout or done.stderr, layout.folder)


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


def _error(check: str, where: str, message: str, remedy: str) -> Finding:
    return Finding(check=check, severity="error", where=where, message=message, remedy=remedy)


def _tail(text: str) -> str:
    return "; ".join(line for line in text.splitlines()[:MAX_SAID] if line.strip())
