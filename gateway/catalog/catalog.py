"""The catalog: every tool of every upstream as it is now, with its approval. Reads upstreams, decides nothing.

A listing is kept for ``max_age_s`` and read again after that, one reader at a time; a call for one of the classes 1
to 3 insists on a listing no older than ``max_age_sensitive_s`` and on the approval as the store has it this moment.
So a rug pull between listing and call is seen on the call (R097), and a revocation works on the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.catalog.approvals import Approvals, approval_key
from gateway.catalog.definition import Definition, read_definition
from gateway.catalog.schema import InputSchema
from gateway.catalog.tool import Approval, Etdi, EtdiStatus, Tool
from gateway.errors import UnknownTool, UpstreamUnavailable
from gateway.state.store import Space, Store
from gateway.upstream.target import Upstream

MAX_TOOLS = 2_000
"""Tools of one server; more is not a server a person could approve."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One tool, ready to be judged."""

    tool: Tool
    approval: Approval | None
    definition: Definition
    schema: InputSchema


class _Listing(msgspec.Struct, frozen=True, kw_only=True):
    read_at: float
    entries: dict[str, Entry]


class Catalog:
    """Definitions and approvals behind one question: what is this tool, now?"""

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        approvals: Approvals,
        store: Store,
        *,
        now: Callable[[], float],
        max_age_s: float = 30.0,
        max_age_sensitive_s: float = 2.0,
    ) -> None:
        self._upstreams = upstreams
        self._approvals = approvals
        self._store = store
        self._now = now
        self._max_age_s = max_age_s
        self._max_age_sensitive_s = max_age_sensitive_s
        self._listings: dict[str, _Listing] = {}
        self._readers: dict[str, asyncio.Lock] = {name: asyncio.Lock() for name in upstreams}
        self._known: dict[tuple[str, bytes], tuple[Definition, InputSchema]] = {}
        self._seen: dict[str, int] = {}

    async def current(self, server: str, tool: str, *, sensitive: bool) -> Entry:
        """The tool as it is now.

        :raises UnknownTool: that server lists no such tool.
        :raises UpstreamUnavailable: no listing that is fresh enough can be had.
        :raises StoreUnavailable: the approval of a sensitive tool cannot be read.
        """
        listing = await self._fresh(server, self._max_age_sensitive_s if sensitive else self._max_age_s)
        entry = listing.entries.get(tool)
        if entry is None:
            raise UnknownTool(f"There is no tool {tool[:128]!r} here; call tools/list for the names.")
        if not sensitive:
            return entry
        return msgspec.structs.replace(entry, approval=await self._approvals.of(server, tool))

    async def all(self, server: str) -> list[Entry]:
        """Every tool of one server in the server's order."""
        return list((await self._fresh(server, self._max_age_s)).entries.values())

    def servers(self) -> list[str]:
        """The configured upstreams, in order."""
        return list(self._upstreams)

    def forget(self, server: str) -> None:
        """Read that server's listing again on the next question (it said ``list_changed``, or an approval moved)."""
        self._listings.pop(server, None)

    async def _fresh(self, server: str, max_age_s: float) -> _Listing:
        known = self._listings.get(server)
        if known is not None and self._now() - known.read_at < max_age_s:
            return known
        if server not in self._upstreams:
            raise UnknownTool(f"There is no server {server[:128]!r} behind this gateway.")
        async with self._readers[server]:
            known = self._listings.get(server)
            if known is not None and self._now() - known.read_at < max_age_s:
                return known
            listing = await self._read(server)
            self._listings[server] = listing
            return listing

    async def _read(self, server: str) -> _Listing:
        read_at = self._now()
        wires = await self._upstreams[server].definitions()
        if len(wires) > MAX_TOOLS:
            raise UpstreamUnavailable(f"The server {server!r} lists more than {MAX_TOOLS} tools.")
        entries: dict[str, Entry] = {}
        twice: set[str] = set()
        for wire in wires:
            try:
                definition, schema = self._understood(server, wire)
            except ValueError:
                continue
            if definition.name in entries:
                twice.add(definition.name)
            entries[definition.name] = await self._entry(server, definition, schema)
        # Two tools of one name at one server: nobody can say which one a call would reach (R070).
        for name in twice:
            del entries[name]
        return _Listing(read_at=read_at, entries=entries)

    def _understood(self, server: str, wire: dict[str, Any]) -> tuple[Definition, InputSchema]:
        """Hashing and compiling 28 definitions costs 10 ms; the same bytes need it once."""
        key = (server, msgspec.json.encode(wire))
        known = self._known.get(key)
        if known is None:
            definition = read_definition(wire)
            known = (definition, InputSchema(definition.input_schema))
            if len(self._known) >= 4 * MAX_TOOLS:
                self._known.clear()
            self._known[key] = known
        return known

    async def _entry(self, server: str, definition: Definition, schema: InputSchema) -> Entry:
        approval = await self._approvals.of(server, definition.name)
        pin = self._approvals.pinned(server, definition.name)
        etdi = Etdi()
        if pin is not None and pin.definition_hash == definition.definition_hash:
            etdi = Etdi(status=EtdiStatus.VERIFIED, evidence="release")
        tool = Tool(
            name=definition.name,
            version=definition.version,
            definition_hash=definition.definition_hash,
            provider=definition.provider,
            permissions=definition.permissions,
            annotations=definition.annotations,
            etdi=etdi,
            first_seen=await self._first_seen(server, definition),
        )
        return Entry(tool=tool, approval=approval, definition=definition, schema=schema)

    async def _first_seen(self, server: str, definition: Definition) -> int:
        """When this very definition was first listed here; persistent, so a restart does not trust anew."""
        key = f"{approval_key(server, definition.name)}:{definition.definition_hash}"
        seen = self._seen.get(key)
        if seen is None:
            seen = int(self._now())
            if not await self._store.add(Space.FIRST_SEEN, key, str(seen).encode(), ttl_s=None):
                stored = await self._store.get(Space.FIRST_SEEN, key)
                seen = int(stored) if stored is not None and stored.isdigit() else seen
            self._seen[key] = seen
        return seen
