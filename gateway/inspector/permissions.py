"""Whether what a tool asks for is sensible (LLD-A 5.1, R130). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from gateway.inspector.etdi_codes import ETDI_CODES
from gateway.inspector.finding import Finding, excerpt, found

MAX_NAMED: Final = 32
"""Permissions that one finding lists."""


class PermissionAnalysis(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``excessive_permissions``: at least one is broad."""

    count: int = 0
    excessive_permissions: bool = False
    findings: tuple[Finding, ...] = ()


def is_broad(permission: str) -> bool:
    """``*`` anywhere, ``admin``, or ``...:all``."""
    return "*" in permission or permission == "admin" or permission.endswith(":all")


def analyze_permissions(names: Sequence[str]) -> PermissionAnalysis:
    """``names`` as the definition spells them."""
    if not names:
        return PermissionAnalysis(findings=(found(ETDI_CODES, "NO_PERMISSIONS"),))
    broad = [name for name in names if is_broad(name)]
    if not broad:
        return PermissionAnalysis(count=len(names))
    finding = found(
        ETDI_CODES, "BROAD_PERMISSIONS", permissions=[excerpt(name) for name in broad[:MAX_NAMED]]
    )
    return PermissionAnalysis(count=len(names), excessive_permissions=True, findings=(finding,))
