"""Approve, revoke, ask for an approval. Whoever may is asked elsewhere: by the admin policy, or nobody at a terminal.

The tool is looked at once more directly before it is approved (R085): the listing is read anew and verified anew, and
must be the very definition that the person had before their eyes. The audit knows before the store does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from gateway.approving.book import Act, ApprovalBook
from gateway.catalog.approval_record import Actor, UnknownPermission, approval_of
from gateway.catalog.approvals import Approvals
from gateway.catalog.catalog import Entry
from gateway.catalog.diff import DefinitionDiff, diff
from gateway.catalog.tool import Approval, EtdiStatus
from gateway.errors import MalformedRequest, StoreUnavailable

MIN_HASH_DIGITS = 12
"""48 bits: enough to name one definition among those a person looks at."""
MAX_EXPIRY_S = 10 * 366 * 24 * 3600
Told = Callable[[DefinitionDiff | None], tuple[str, ...]]
"""A difference as the lines that history keeps."""


class ApprovalRefused(MalformedRequest):
    """The tool cannot be approved as it was asked. Nothing was written but the audit record."""

    code = "approval.refused"
    http_status = 409


class Looking(Protocol):
    """The part of :class:`gateway.catalog.catalog.Catalog` that is needed here."""

    def expire(self, name: str) -> None:
        """What was read of that server no longer counts."""

    async def current(self, server: str, tool: str, *, sensitive: bool) -> Entry:
        """The tool as it is now."""
        ...


class Deciding:
    """Carries decisions about tools out."""

    def __init__(
        self,
        catalog: Looking,
        approvals: Approvals,
        book: ApprovalBook,
        *,
        told: Told,
        now: Callable[[], float],
    ) -> None:
        self._catalog = catalog
        self._approvals = approvals
        self._book = book
        self._told = told
        self._now = now

    async def approve(
        self,
        actor: Actor,
        server: str,
        tool: str,
        *,
        seen: str,
        permissions: tuple[str, ...] | None = None,
        expires: int | None = None,
        why: str | None = None,
    ) -> Approval:
        """Approve the definition whose hash is, or begins with, ``seen``; ``permissions`` None is all it asks for, the
        empty tuple none. ``expires`` is unix seconds.

        :raises ApprovalRefused: ``approval.token_invalid``, ``approval.provider_missing``,
            ``approval.definition_changed``, ``approval.permission_unknown``, ``approval.expiry``.
        :raises UnknownTool: :raises UpstreamUnavailable: :raises AuditUnavailable: nothing was approved.
        :raises StoreUnavailable: it is not known whether it was.
        """
        self._catalog.expire(server)
        entry = await self._catalog.current(server, tool, sensitive=True)
        live = entry.tool.definition_hash
        try:
            self._check(entry, seen=seen, expires=expires)
            approval = approval_of(
                entry.definition, permissions=permissions, by=actor.name, at=int(self._now()), expires=expires
            )
        except UnknownPermission as problem:
            refused = ApprovalRefused(
                f"The tool does not ask for {', '.join(problem.names)[:200]}; approve some of what it asks for.",
                code="approval.permission_unknown",
            )
            await self._refused("approve_tool", actor, server, tool, live, refused)
            raise refused from None
        except ApprovalRefused as refused:
            await self._refused("approve_tool", actor, server, tool, live, refused)
            raise
        changes = self._told(await self._difference(server, entry))
        await self._book.decided(
            "approve_tool",
            actor,
            server=server,
            tool=tool,
            ended="executed",
            definition_hash=live,
            approval=approval,
        )
        try:
            made = await self._approvals.approve(
                server,
                entry.definition,
                by=actor,
                expires=expires,
                permissions=permissions,
                why=why,
                changes=changes,
            )
        except StoreUnavailable as problem:
            await self._unknown("approve_tool", actor, server, tool, live, problem)
            raise
        self._catalog.expire(server)  # it has the old approval by heart
        return made

    async def revoke(
        self, actor: Actor, server: str, tool: str, *, why: str | None = None
    ) -> Approval | None:
        """Revoke whatever is approved; None where there was nothing. The next call is refused. The server is not asked:
        a revocation must not wait for the one it is against.

        :raises AuditUnavailable: :raises StoreUnavailable:
        """
        current = await self._approvals.of(server, tool)
        if current is None:
            return None
        digest = current.definition_hash or None
        await self._book.decided(
            "revoke_tool",
            actor,
            server=server,
            tool=tool,
            ended="executed",
            definition_hash=digest,
            approval=current,
        )
        try:
            revoked = await self._approvals.revoke(server, tool, by=actor, why=why)
        except StoreUnavailable as problem:
            await self._unknown("revoke_tool", actor, server, tool, digest, problem)
            raise
        self._catalog.expire(server)
        return revoked

    async def request(self, actor: Actor, server: str, tool: str, *, why: str | None = None) -> None:
        """Note for the operators that somebody wants the tool approved as it is.

        :raises UnknownTool: :raises UpstreamUnavailable: :raises AuditUnavailable: :raises StoreUnavailable:
        """
        entry = await self._catalog.current(server, tool, sensitive=False)
        await self._book.decided(
            "request_tool",
            actor,
            server=server,
            tool=tool,
            ended="executed",
            definition_hash=entry.tool.definition_hash,
        )
        await self._approvals.request(server, entry.definition, by=actor, why=why)

    def _check(self, entry: Entry, *, seen: str, expires: int | None) -> None:
        """:raises ApprovalRefused: what speaks against approving this, whoever does."""
        tool = entry.tool
        if tool.etdi.status is EtdiStatus.TOKEN_INVALID:
            raise ApprovalRefused(
                "Cannot approve a tool with invalid OAuth token", code="approval.token_invalid"
            )
        if tool.etdi.status is EtdiStatus.SIGNATURE_INVALID:
            raise ApprovalRefused(
                "Cannot approve a tool with invalid signature", code="approval.signature_invalid"
            )
        if tool.etdi.status is EtdiStatus.VERIFIED and tool.etdi.evidence == "token" and not tool.provider:
            raise ApprovalRefused("Missing OAuth provider information", code="approval.provider_missing")
        live, wanted = tool.definition_hash, seen.lower()
        if len(wanted) < MIN_HASH_DIGITS or not live.startswith(wanted):
            raise ApprovalRefused(
                f"The live definition is {live[:MIN_HASH_DIGITS]}…, not {wanted[:MIN_HASH_DIGITS]}…: look again.",
                code="approval.definition_changed",
            )
        now = self._now()
        if expires is not None and not now < expires <= now + MAX_EXPIRY_S:
            raise ApprovalRefused("An approval ends in the future, within ten years.", code="approval.expiry")

    async def _difference(self, server: str, entry: Entry) -> DefinitionDiff | None:
        before = await self._approvals.of(server, entry.tool.name)
        if before is None or before.void is not msgspec.UNSET:
            return None
        approved = await self._approvals.approved_definition(server, entry.tool.name, before)
        return None if approved is None else diff(approved, entry.definition)

    async def _refused(
        self, act: Act, actor: Actor, server: str, tool: str, digest: str, refused: ApprovalRefused
    ) -> None:
        await self._book.decided(
            act,
            actor,
            server=server,
            tool=tool,
            ended="refused",
            definition_hash=digest,
            error=refused.code,
        )

    async def _unknown(
        self, act: Act, actor: Actor, server: str, tool: str, digest: str | None, problem: StoreUnavailable
    ) -> None:
        await self._book.decided(
            act,
            actor,
            server=server,
            tool=tool,
            ended="unknown",
            definition_hash=digest,
            error=problem.code,
        )
