"""Is this still the tool that was approved? Pure; the order of the checks is the order of R093.

The gateway keeps invariant 9 whatever the policy says: a tool that drifted from its approval is not called. The
policy sees the same facts and gives the reason; this module is the last look before the call leaves.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.catalog.tool import Approval, EtdiStatus, Tool


class Drift(StrEnum):
    """Why a live definition is not the approved one. The values are the policy's reason codes."""

    TOKEN_INVALID = "catalog.token_invalid"  # noqa: S105 - a reason code
    SIGNATURE_INVALID = "catalog.signature_invalid"
    APPROVAL_REVOKED = "catalog.approval_revoked"
    APPROVAL_EXPIRED = "catalog.approval_expired"
    VERSION_CHANGED = "catalog.version_changed"
    PROVIDER_CHANGED = "catalog.provider_changed"
    PERMISSIONS_CHANGED = "catalog.permissions_changed"
    DEFINITION_CHANGED = "catalog.definition_changed"


def drift(tool: Tool, approval: Approval | None, *, now: float) -> Drift | None:
    """The first difference that matters, or None. No approval at all is the policy's question, not drift."""
    if tool.etdi.status is EtdiStatus.TOKEN_INVALID:
        return Drift.TOKEN_INVALID
    if tool.etdi.status is EtdiStatus.SIGNATURE_INVALID:
        return Drift.SIGNATURE_INVALID
    if approval is None:
        return None
    if approval.revoked:
        return Drift.APPROVAL_REVOKED
    if approval.expires is not None and now >= approval.expires:
        return Drift.APPROVAL_EXPIRED
    if tool.version != approval.version:
        return Drift.VERSION_CHANGED
    if tool.provider != approval.provider:
        return Drift.PROVIDER_CHANGED
    if tool.permissions != approval.requested and set(tool.permissions) != set(approval.requested):
        return Drift.PERMISSIONS_CHANGED
    if tool.definition_hash != approval.definition_hash:
        return Drift.DEFINITION_CHANGED
    return None
