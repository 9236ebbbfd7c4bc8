"""What the inspector finds in one definition as a fact for the policy: the worst severity, and the codes. Pure.

About one definition by itself: what it says of other tools of its server is ordinary, and who else there is changes
with each listing. Names that look like PayPal's are found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.catalog.tool import Content
from gateway.inspector.content import inspect_content
from gateway.inspector.finding import Finding, worst, worst_first
from gateway.inspector.names import KnownNames


def findings_in(wire: Mapping[str, Any], known: KnownNames) -> tuple[Finding, ...]:
    """All of them, the worst first."""
    name = wire.get("name")
    return worst_first([*inspect_content(wire), *(known.check(name) if isinstance(name, str) else ())])


def content_reader(known: KnownNames) -> Callable[[Mapping[str, Any]], Content]:
    """What the catalog asks about each definition that is new. ``known``: names that others should not look like."""

    def read(wire: Mapping[str, Any]) -> Content:
        findings = findings_in(wire, known)
        severity = worst(findings)
        if severity is None:
            return Content()
        return Content(severity=severity.value, codes=tuple(sorted({one.code for one in findings})))

    return read
