"""Decisions about tools as audit records, on the disk before they take effect (R087)."""

from __future__ import annotations

import uuid
from typing import Literal

from gateway.audit.ledger import Audit
from gateway.audit.record import Phase, Status
from gateway.catalog.approval_record import Actor
from gateway.catalog.tool import Approval

Act = Literal["approve_tool", "revoke_tool", "request_tool"]
Ended = Literal["executed", "refused", "unknown"]
_STATUS = {
    "executed": ("allow", Status.EXECUTED),
    "refused": ("deny", Status.REFUSED),
    "unknown": ("error", Status.UNKNOWN),
}


class ApprovalBook:
    """Opens a page for each decision."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def decided(
        self,
        act: Act,
        actor: Actor,
        *,
        server: str,
        tool: str,
        ended: Ended,
        definition_hash: str | None = None,
        approval: Approval | None = None,
        reasons: tuple[str, ...] = (),
        error: str | None = None,
    ) -> None:
        """One decision; on the disk when this returns.

        ``executed`` is written BEFORE the store; ``unknown`` follows it where the store could not say.
        :raises AuditUnavailable: then the decision must not take effect.
        """
        async with self._audit.record(call_id=str(uuid.uuid4()), phase=Phase.ADMIN) as entry:
            entry.caller(issuer=actor.issuer, subject=actor.name, client_id=None)
            entry.tool(server=server, name=tool, definition_hash=definition_hash)
            if approval is not None:
                entry.approval(
                    version=approval.version,
                    provider=approval.provider,
                    requested=approval.requested,
                    approved=approval.approved,
                    expires=approval.expires,
                    via=actor.via,
                )
            outcome, status = _STATUS[ended]
            entry.decided(outcome, reasons=(f"admin.{act}", *reasons))
            entry.finished(status, error=error)
            await entry.before_upstream(durable=True)
