"""Acts of administration of people at the console, and of programs at its HTTP doors, as records of the audit."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec

from gateway.audit.ledger import Audit
from gateway.audit.record import Phase, Status
from gateway.console.person import Person


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody does, or wanted to do. ``code`` names it (``admin.kill_add``); ``note`` is why, in their words."""

    code: str
    person: Person
    server: str | None = None
    tool: str | None = None
    definition_hash: str | None = None
    transaction_id: str | None = None
    note: str | None = None


class AdminBook:
    """Over one audit."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def administered(self, act: Act, *, allowed: bool, reasons: Sequence[str] = ()) -> None:
        """On disk when this returns. ``reasons`` are the policy's codes.

        :raises AuditUnavailable: then an act that is recorded first must not take effect.
        """
        async with self._audit.record(call_id=str(uuid.uuid4()), phase=Phase.ADMIN) as entry:
            entry.caller(issuer=act.person.issuer, subject=act.person.subject, client_id=None)
            entry.tool(server=act.server, name=act.tool, definition_hash=act.definition_hash)
            if act.transaction_id is not None:
                entry.transaction(act.transaction_id)
            if act.note:
                entry.noted(act.note)
            entry.decided("allow" if allowed else "deny", reasons=[act.code, *reasons])
            entry.finished(Status.EXECUTED if allowed else Status.REFUSED)
            await entry.before_upstream(durable=True)
