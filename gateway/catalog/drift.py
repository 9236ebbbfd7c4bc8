"""Is this still the tool that was approved? Pure; the order of the checks is the order of R093.

The gateway keeps invariant 9 whatever the policy says: a tool that drifted from its approval is not called. The
policy sees the same facts and gives the reason; this module is the last look before the call leaves. :class:`Drift` is
the one vocabulary for it (conflict C23); the source documents' three are spelt out of it in ``outcome/reapproval.py``.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gateway.catalog.tool import Approval, EtdiStatus, Tool


class Drift(StrEnum):
    """Why a live definition is not the approved one. The values are the policy's reason codes."""

    TOKEN_INVALID = "catalog.token_invalid"  # noqa: S105 - a reason code
    SIGNATURE_INVALID = "catalog.signature_invalid"
    NOT_APPROVED = "catalog.not_approved"
    APPROVAL_VOID = "catalog.approval_void"
    APPROVAL_REVOKED = "catalog.approval_revoked"
    APPROVAL_EXPIRED = "catalog.approval_expired"
    VERSION_CHANGED = "catalog.version_changed"
    PROVIDER_CHANGED = "catalog.provider_changed"
    PERMISSIONS_CHANGED = "catalog.permissions_changed"
    PERMISSION_NOT_APPROVED = "catalog.permission_not_approved"
    DEFINITION_CHANGED = "catalog.definition_changed"

    @property
    def requires_reapproval(self) -> bool:
        """Whether a new approval would help. Not where the origin itself is proven wrong (R094)."""
        return self not in (Drift.TOKEN_INVALID, Drift.SIGNATURE_INVALID)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of R093: whether the tool may be called as it is, and what would help where it may not."""

    can_proceed: bool
    requires_reapproval: bool
    reason: Drift | None


_INVALID = {
    EtdiStatus.TOKEN_INVALID: Drift.TOKEN_INVALID,
    EtdiStatus.SIGNATURE_INVALID: Drift.SIGNATURE_INVALID,
}


def drift(tool: Tool, approval: Approval | None, *, now: float) -> Drift | None:
    """The first difference that matters, or None. No approval at all is the policy's question, not drift."""
    invalid = _INVALID.get(tool.etdi.status)
    if invalid is not None or approval is None:
        return invalid
    return _standing(approval, now=now) or change(tool, approval)


def check(tool: Tool, approval: Approval | None, *, now: float) -> Check:
    """The same, where *nobody approved it* is an answer too: token, approval, version, provider, permissions, hash.

    Not seen here: a part of the permissions that was approved (``PERMISSION_NOT_APPROVED``); which of them a call needs
    is the policy's knowledge.
    """
    reason = drift(tool, approval, now=now)
    if reason is None and approval is None:
        reason = Drift.NOT_APPROVED
    return Check(
        can_proceed=reason is None,
        requires_reapproval=reason is not None and reason.requires_reapproval,
        reason=reason,
    )


def _standing(approval: Approval, *, now: float) -> Drift | None:
    if approval.void is not msgspec.UNSET:
        return Drift.APPROVAL_VOID
    if approval.revoked:
        return Drift.APPROVAL_REVOKED
    if approval.expires is not None and now >= approval.expires:
        return Drift.APPROVAL_EXPIRED
    return None


def change(tool: Tool, approval: Approval) -> Drift | None:
    """How the tool differs from what was approved, whether or not that still counts; None: it is the very same."""
    if tool.version != approval.version:
        return Drift.VERSION_CHANGED
    if tool.provider != approval.provider:
        return Drift.PROVIDER_CHANGED
    if tool.permissions != approval.requested and set(tool.permissions) != set(approval.requested):
        return Drift.PERMISSIONS_CHANGED
    if tool.definition_hash != approval.definition_hash:
        return Drift.DEFINITION_CHANGED
    return None
