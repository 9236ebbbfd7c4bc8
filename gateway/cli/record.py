"""What is done from the terminal goes into the audit too, before it takes effect."""

from __future__ import annotations

import uuid

from gateway.audit.ledger import Audit
from gateway.audit.record import Phase, Status
from gateway.parts import open_audit
from gateway.settings import Settings

TERMINAL_ISSUER = "urn:countersign:terminal"
"""Issuer of whoever runs a command on this host: the name is what that person typed."""


async def record_admin(
    settings: Settings,
    *,
    by: str,
    code: str,
    server: str | None = None,
    tool: str | None = None,
    definition_hash: str | None = None,
    transaction_id: str | None = None,
    note: str | None = None,
) -> None:
    """One act of administration, on disk when this returns. ``note`` is why, in the words of whoever did it.

    :raises AuditUnavailable: then the act must not take effect.
    """
    async with open_audit(settings) as audit:
        await write_admin(
            audit,
            by=by,
            code=code,
            server=server,
            tool=tool,
            definition_hash=definition_hash,
            transaction_id=transaction_id,
            note=note,
        )


async def write_admin(
    audit: Audit,
    *,
    by: str,
    code: str,
    server: str | None = None,
    tool: str | None = None,
    definition_hash: str | None = None,
    transaction_id: str | None = None,
    note: str | None = None,
) -> None:
    """The same into an audit that is open."""
    async with audit.record(call_id=str(uuid.uuid4()), phase=Phase.ADMIN) as entry:
        entry.caller(issuer=TERMINAL_ISSUER, subject=by, client_id=None)
        entry.tool(server=server, name=tool, definition_hash=definition_hash)
        if transaction_id is not None:
            entry.transaction(transaction_id)
        if note is not None:
            entry.noted(note)
        entry.decided("allow", reasons=[code])
        entry.finished(Status.EXECUTED)
        await entry.before_upstream(durable=True)
