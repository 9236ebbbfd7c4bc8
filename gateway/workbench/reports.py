"""What OPA and Regal print, read into findings. Pure.

Each program is asked for JSON where it has it; what is not in the expected form is passed on line by line, so that
nothing that was said is lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from gateway.policy.revision import ROOT
from gateway.workbench.finding import Finding

MAX_SAID = 20
"""Findings of one program that are passed on."""
_COMPLAINT = "failed to format Rego source file: "
_LIST_ONLY = "unexpected diff"
"""How `opa fmt --fail` ends when all it has to say is the list of files."""


def checked_by_opa(text: str, folder: Path) -> list[Finding]:
    """``opa check --format json``: one finding for each of its errors, with what it would have taken instead."""
    report = _json(text)
    errors = report.get("errors") if report else None
    if not isinstance(errors, list):
        return lines("opa check", text)
    return [
        _finding("opa check", "error", one.get("location"), folder, _message(one), "")
        for one in errors[:MAX_SAID]
    ]


def formatted_by_opa(stdout: str, stderr: str, folder: Path) -> list[Finding]:
    """``opa fmt --fail --list``: the files it would write in another way, or the one that it cannot read."""
    files = [line for line in stdout.splitlines() if line.strip()]
    found = [
        Finding(
            check="fmt",
            severity="error",
            where=_below(file, folder),
            message="opa fmt would write this file in another way",
            remedy=f"run `opa fmt --write {file}`",
        )
        for file in files[:MAX_SAID]
    ]
    said = stderr.strip().removeprefix(_COMPLAINT)
    if said and said != _LIST_ONLY:
        found.append(Finding(check="fmt", severity="error", where="", message=" ".join(said.split())))
    return found


def linted_by_regal(text: str, folder: Path) -> list[Finding]:
    """``regal lint --format json``. A matter of style: what ships has none of it, and nobody is refused for theirs.

    Where a file does not parse it reads none, and its own reason misleads; ``opa check`` has said it better.
    """
    report = _json(text)
    if report is None:
        return [msgspec.structs.replace(one, severity="warning") for one in lines("regal", text)]
    if report.get("errors"):
        return [
            Finding(
                check="regal",
                severity="warning",
                where="",
                message="regal could not read the files",
                remedy="correct what opa says first",
            )
        ]
    return [
        _finding(
            "regal",
            "warning",
            one.get("location"),
            folder,
            f"{' '.join(str(one.get('description', '')).split())} ({one.get('title', '')})",
            next((str(other.get("ref", "")) for other in one.get("related_resources") or ()), ""),
        )
        for one in (report.get("violations") or [])[:MAX_SAID]
    ]


def lines(check: str, text: str) -> list[Finding]:
    """Words that nobody foresaw, one finding a line."""
    said = [line.strip() for line in text.splitlines() if line.strip()]
    return [Finding(check=check, severity="error", where="", message=line) for line in said[:MAX_SAID]]


def _message(error: dict[str, Any]) -> str:
    said = " ".join(str(error.get("message", "")).split())
    details = error.get("details")
    if not isinstance(details, dict):
        return said
    if details.get("oneOf"):
        return f"{said}; there is: {', '.join(str(one) for one in details['oneOf'])}"
    sides = [side.get("type") for name in ("a", "b") if isinstance(side := details.get(name), dict)]
    return f"{said}: {' and '.join(str(side) for side in sides)} are never equal" if len(sides) == 2 else said


def _finding(
    check: str, severity: Literal["error", "warning"], location: Any, folder: Path, message: str, remedy: str
) -> Finding:
    where = ""
    if isinstance(location, dict):
        where = f"{_below(str(location.get('file', '')), folder)}:{location.get('row', 0)}"
    return Finding(check=check, severity=severity, where=where, message=message, remedy=remedy)


def _below(file: str, folder: Path) -> str:
    """As the other findings name a file: below the root that engines know, whatever the folder is called."""
    path = Path(file)
    return f"{ROOT}/{path.relative_to(folder)}" if path.is_relative_to(folder) else file


def _json(text: str) -> dict[str, Any] | None:
    try:
        report = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return report if isinstance(report, dict) else None
