"""A refused tool in the words and the wire shape of the ETDI design, beside our own reasons. Pure.

The one vocabulary is :class:`gateway.catalog.drift.Drift` (conflict C23). Here it is spelt as the source documents
spell it: the reasons of LLD-A 3.5 in the texts of LLD-B 10.2, and ``etdiError`` of LLD-B 13.1 (conflict C51: these
values are kept exactly; where it names none, the code of LLD-A 10.1). The design sends it as a JSON-RPC error -32600; a
refusal is no malformed request, and a model should read it, so it stands in the result's ``_meta`` as that error would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gateway.catalog.drift import Drift
from gateway.policy.decision import Outcome, Reason
from gateway.policy.question import Asked

INVALID_REQUEST = -32600
UNVERIFIED = "catalog.unverified"
FIRST_USE_CHANGED = "catalog.first_use_changed"
_INVALID = "Invalid OAuth token"
_REAPPROVAL = "Tool requires re-approval"
_FAILED = "Tool verification failed"

_SPELT: Mapping[str, tuple[str, str]] = {
    Drift.TOKEN_INVALID: ("INVALID_TOKEN", "token_invalid"),
    Drift.SIGNATURE_INVALID: ("INVALID_SIGNATURE", "signature_invalid"),
    UNVERIFIED: ("INVALID_TOKEN", "token_missing"),
    Drift.NOT_APPROVED: ("NOT_APPROVED", "approval_required"),
    FIRST_USE_CHANGED: ("DEFINITION_CHANGED", "definition_changed"),
    Drift.APPROVAL_VOID: ("APPROVAL_VOID", "approval_required"),
    Drift.APPROVAL_REVOKED: ("APPROVAL_REVOKED", "approval_revoked"),
    Drift.APPROVAL_EXPIRED: ("APPROVAL_EXPIRED", "approval_expired"),
    Drift.VERSION_CHANGED: ("VERSION_CHANGED", "version_changed"),
    Drift.PROVIDER_CHANGED: ("PROVIDER_CHANGED", "provider_changed"),
    Drift.PERMISSIONS_CHANGED: ("PERMISSIONS_CHANGED", "permissions_changed"),
    Drift.PERMISSION_NOT_APPROVED: ("PERMISSION_NOT_APPROVED", "permissions_changed"),
    Drift.DEFINITION_CHANGED: ("DEFINITION_CHANGED", "definition_changed"),
}


class EtdiRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """``text`` is the sentence; ``message`` and ``data`` are those of the JSON-RPC error of the design."""

    text: str
    message: str
    data: dict[str, Any]

    @property
    def error(self) -> dict[str, Any]:
        """The error of LLD-B 13.1."""
        return {"code": INVALID_REQUEST, "message": self.message, "data": self.data}


def etdi_refusal(asked: Asked, reasons: Iterable[Reason]) -> EtdiRefusal | None:
    """The first of these reasons that is about the tool's origin or approval; None where none is."""
    for reason in reasons:
        spelt = _SPELT.get(reason.code)
        if spelt is not None and reason.outcome is Outcome.DENY:
            return _refusal(asked, reason, *spelt)
    return None


def _refusal(asked: Asked, reason: Reason, name: str, etdi_error: str) -> EtdiRefusal:
    verification = reason.code in (Drift.TOKEN_INVALID, Drift.SIGNATURE_INVALID, UNVERIFIED)
    data: dict[str, Any] = {"etdiError": etdi_error, "toolId": asked.tool.name}
    if verification or reason.code == Drift.PROVIDER_CHANGED:
        data["providerId"] = asked.tool.provider
    if reason.code == Drift.VERSION_CHANGED and asked.approval is not None:
        data |= {"currentVersion": asked.approval.version, "newVersion": asked.tool.version}
    data["details"] = reason.message
    message = _REAPPROVAL
    if verification:
        message = _FAILED if reason.code == Drift.SIGNATURE_INVALID else _INVALID
    return EtdiRefusal(text=f"{_FAILED if verification else _REAPPROVAL}: {name}", message=message, data=data)
