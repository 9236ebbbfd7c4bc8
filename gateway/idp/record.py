"""What the identity provider did, in the audit: names, ids and codes; never a token, a secret or a hash of one."""

from __future__ import annotations

import uuid

from gateway.audit.ledger import Audit
from gateway.audit.record import Phase, Status
from gateway.idp.issued import Issued
from gateway.idp.provider import Provider

ISSUED = "idp.token_issued"
REVOKED = "idp.token_revoked"
REGISTERED = "idp.provider_registered"
KEY_PROPOSED = "idp.provider_key_proposed"
KEY_ROTATED = "idp.key_rotated"
SCHEDULE = "schedule"
UNKNOWN = "unknown"


class Records:
    """``issuer``: our URL, as the audit's issuer of every client."""

    def __init__(self, audit: Audit, *, issuer: str) -> None:
        self._audit = audit
        self._issuer = issuer

    async def issued(self, issued: Issued) -> None:
        """Before the token is signed; ``transaction_id`` is its ``jti``. :raises AuditUnavailable: then it is not."""
        tool = None if issued.tool_id is None else f"{issued.tool_id}@{issued.tool_version}"
        await self._done(
            ISSUED,
            subject=issued.provider,
            client_id=issued.client_id,
            token=issued.jti,
            tool=tool,
            definition_hash=issued.definition_hash,
        )

    async def revoked(self, issued: Issued) -> None:
        """A client gave its token up."""
        await self._done(
            REVOKED,
            subject=issued.provider,
            client_id=issued.client_id,
            token=issued.jti,
            tool=issued.tool_id,
        )

    async def registered(self, provider: Provider) -> None:
        """Somebody registered over HTTP. :raises AuditUnavailable:"""
        await self._done(REGISTERED, subject=provider.id, client_id=provider.client_id)

    async def proposed(self, provider: Provider) -> None:
        """A provider handed in another key. :raises AuditUnavailable:"""
        await self._done(KEY_PROPOSED, subject=provider.id, client_id=provider.client_id)

    async def rotated(self) -> None:
        """A signing key is followed by another, as settings say. :raises AuditUnavailable:"""
        await self._done(KEY_ROTATED, subject=SCHEDULE, client_id=None)

    async def refused(self, code: str, client_id: str | None) -> None:
        """A request that was not granted. ``client_id`` is what it called itself: nobody vouches for it."""
        async with self._audit.record(call_id=str(uuid.uuid4()), phase=Phase.ADMIN) as entry:
            entry.caller(issuer=self._issuer, subject=UNKNOWN, client_id=client_id)
            entry.decided("deny", reasons=[code])
            entry.finished(Status.REFUSED, error=code)

    async def _done(
        self,
        code: str,
        *,
        subject: str,
        client_id: str | None,
        token: str | None = None,
        tool: str | None = None,
        definition_hash: str | None = None,
    ) -> None:
        async with self._audit.record(call_id=str(uuid.uuid4()), phase=Phase.ADMIN) as entry:
            entry.caller(issuer=self._issuer, subject=subject, client_id=client_id)
            entry.tool(name=tool, definition_hash=definition_hash)
            if token is not None:
                entry.transaction(token)
            entry.decided("allow", reasons=[code])
            entry.finished(Status.EXECUTED)
            await entry.before_upstream(durable=True)
