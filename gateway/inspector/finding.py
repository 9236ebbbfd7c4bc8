"""One thing that a person should look at: what it is, how bad, and what to do. Values and small pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from gateway.outcome.view import visible

MAX_EXCERPT: Final = 160
"""Characters of somebody else's text in one finding."""
_SECRET: Final = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*"
    r"|(?i:\bbearer\s+)\S{8,}"
    r"|\b(?:sk|pk|rk|ghp|gho|xox[abp])[-_][\w-]{12,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----.{0,8192}"
    r"|(?<![\w+/-])[\w+/-]{40,}={0,2}",
    re.DOTALL,
)
"""What may be a credential, or is an opaque run that could be one. Masked, not judged."""


class Severity(StrEnum):
    """As the ETDI design writes them (LLD-A 5.1)."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


_ORDER: Final = {Severity.HIGH: 2, Severity.MEDIUM: 1, Severity.LOW: 0}


class Entry(NamedTuple):
    """One line of a catalogue of codes."""

    severity: Severity
    message: str
    remedy: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``details`` hold the server's words only as :func:`excerpt` gives them."""

    code: str
    severity: Severity
    message: str
    remedy: str
    details: dict[str, Any] = {}


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The highest severity; None where there is no finding."""
    return max((one.severity for one in findings), key=_ORDER.__getitem__, default=None)


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By severity, in the order they were found within one."""
    return tuple(sorted(findings, key=lambda one: -_ORDER[one.severity]))


def found(
    catalogue: Mapping[str, Entry],
    code: str,
    *,
    severity: Severity | None = None,
    because: str | None = None,
    **details: Any,
) -> Finding:
    """The finding of a code of ``catalogue``. ``because`` is a sentence of our own about this case."""
    entry = catalogue[code]
    return Finding(
        code=code,
        severity=severity or entry.severity,
        message=entry.message if because is None else f"{entry.message}: {because}",
        remedy=entry.remedy,
        details=details,
    )


def excerpt(text: str, *, limit: int = MAX_EXCERPT) -> str:
    """Somebody else's words, fit for a terminal, a log and a report: masked, made visible, cut.

    Attack: escape sequences that rewrite the report, a token in a description that the report would spread.
    """
    masked = _SECRET.sub("***", text[: limit * 64])
    shown = visible(masked[: limit * 4])
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
