"""What a person is shown of a tool before they approve it: as it is now, as it was approved, and what lies between."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gateway.approving.origin import Origins
from gateway.catalog.approval_record import Event
from gateway.catalog.approvals import Approvals
from gateway.catalog.catalog import Catalog, Entry
from gateway.catalog.definition import Definition
from gateway.catalog.diff import DefinitionDiff, diff
from gateway.catalog.drift import Drift, change, check
from gateway.catalog.tool import Approval, Tool
from gateway.errors import Unavailable, UnknownTool
from gateway.inspector.report import ToolReport
from gateway.policy.classes import Classes

APPROVED = "approved"
UNLISTED = "catalog.unknown_tool"
"""It was approved, and its server lists it no longer (or twice)."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One tool in the list. ``origin``: how far that is proven, and by what or why not. ``standing`` is ``approved``
    or a :class:`~gateway.catalog.drift.Drift`."""

    server: str
    tool: str
    data_class: int | None
    definition_hash: str
    version: str | None
    etdi: str
    origin: str
    standing: str
    approval: Approval | None
    asked_by: tuple[str, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether it waits for somebody's decision. A revoked one was decided; an invalid one cannot be approved."""
        return self.standing not in (
            APPROVED,
            Drift.APPROVAL_REVOKED,
            Drift.TOKEN_INVALID,
            Drift.SIGNATURE_INVALID,
        )


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One tool in full. ``live`` is None where its server lists no such tool. ``difference`` is None where nothing was
    approved, or what was approved was not kept and is another."""

    server: str
    tool: str
    data_class: int | None
    standing: str
    live: Tool | None
    definition: Definition | None
    approval: Approval | None
    history: tuple[Event, ...]
    difference: DefinitionDiff | None
    report: ToolReport | None
    """What the inspector says; None where there is no live definition."""


class Reviews:
    """Looks. Decides nothing and changes nothing."""

    def __init__(
        self,
        catalog: Catalog,
        approvals: Approvals,
        classes: Classes,
        origins: Origins,
        *,
        now: Callable[[], float],
    ) -> None:
        self._catalog = catalog
        self._approvals = approvals
        self._classes = classes
        self._origins = origins
        self._now = now

    def servers(self) -> list[str]:
        """All that are behind the gateway."""
        return self._catalog.servers()

    async def listed(self, only: str | None = None) -> tuple[list[Row], dict[str, Unavailable]]:
        """Every tool of every server, and what went wrong by server: one that does not answer hides no other (R069).

        :raises UnknownTool: there is no server ``only``. :raises StoreUnavailable:
        """
        if only is not None and only not in self._catalog.servers():
            raise UnknownTool(
                f"There is no server {only[:64]!r} behind this gateway.", code="catalog.unknown_server"
            )
        rows: list[Row] = []
        failed: dict[str, Unavailable] = {}
        for server in self._catalog.servers() if only is None else [only]:
            try:
                entries = await self._catalog.all(server)
            except Unavailable as problem:
                failed[server] = problem
                continue
            rows += [await self._row(server, entry) for entry in entries]
        return rows, failed

    async def of(self, server: str, tool: str) -> Review:
        """One tool, its definition and approval as they are this moment.

        :raises UnknownTool: no such server, or a tool that is neither listed nor was ever decided about.
        :raises UpstreamUnavailable: :raises StoreUnavailable:
        """
        known = await self._approvals.known(server, tool)
        approval = await self._approvals.of(server, tool)
        entry: Entry | None = None
        try:
            entry = await self._catalog.current(server, tool, sensitive=True)
        except UnknownTool:
            if known.record is None and known.flaw is None:
                raise
        approved = None
        if approval is not None and approval.definition_hash:
            approved = await self._approvals.approved_definition(server, tool, approval)
            if approved is None and entry is not None and _is_the_same(entry.tool, approval):
                approved = entry.definition
        return Review(
            server=server,
            tool=tool,
            data_class=self._classes.of(server, tool),
            standing=UNLISTED if entry is None else self._standing(entry.tool, approval),
            live=None if entry is None else entry.tool,
            definition=None if entry is None else entry.definition,
            approval=approval,
            history=() if known.record is None else known.record.history,
            difference=None if approved is None or entry is None else diff(approved, entry.definition),
            report=None if entry is None else await self._origins.report(server, entry),
        )

    async def _row(self, server: str, entry: Entry) -> Row:
        known = await self._approvals.known(server, entry.tool.name)
        approval = await self._approvals.of(server, entry.tool.name)
        history = () if known.record is None else known.record.history
        asked = []
        for event in reversed(history):
            if event.kind != "requested":
                break
            asked.append(event.by)
        return Row(
            server=server,
            tool=entry.tool.name,
            data_class=self._classes.of(server, entry.tool.name),
            definition_hash=entry.tool.definition_hash,
            version=entry.tool.version,
            etdi=entry.tool.etdi.status.value,
            origin=entry.tool.etdi.said,
            standing=self._standing(entry.tool, approval),
            approval=approval,
            asked_by=tuple(asked),
        )

    def _standing(self, tool: Tool, approval: Approval | None) -> str:
        reason = check(tool, approval, now=self._now()).reason
        return APPROVED if reason is None else reason.value


def _is_the_same(tool: Tool, approval: Approval) -> bool:
    """Whether what was approved lies before us although nobody kept it, as for the tools of a release."""
    return approval.void is msgspec.UNSET and change(tool, approval) is None
