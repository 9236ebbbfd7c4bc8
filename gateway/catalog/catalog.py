"""The catalog: every tool of every upstream as it is now, with its approval. Reads upstreams, decides nothing.

A listing is kept for ``max_age_s`` and read again after that, one reader at a time; a call for one of the classes 1
to 3 insists on a listing no older than ``max_age_sensitive_s`` and on the approval as the store has it this moment.
So a rug pull between listing and call is seen on the call (R097), and a revocation works on the next one. For the
classes 4 and 5, which are called often and move nothing, an approval is ``max_age_sensitive_s`` old at most: so long
a revoked one of them may still be called, and no call of theirs waits for the store in between. A
token of the identity provider in this very gateway is looked up for every call (R153).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.catalog.approvals import Approvals
from gateway.catalog.contents import ContentReader, Contents
from gateway.catalog.definition import Definition, read_definition
from gateway.catalog.first import First
from gateway.catalog.schema import InputSchema
from gateway.catalog.tool import Approval, Content, Etdi, EtdiStatus, Tool
from gateway.catalog.verification import DefinitionVerifier, NobodyTrusted, Verdict
from gateway.errors import Unavailable, UnknownTool, UpstreamUnavailable
from gateway.state.store import Store
from gateway.upstream.target import Upstream

MAX_TOOLS = 2_000
"""Tools of one server; more is not a server a person could approve."""
_log = logging.getLogger(__name__)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One tool, ready to be judged."""

    tool: Tool
    approval: Approval | None
    definition: Definition
    schema: InputSchema


@dataclass(slots=True, kw_only=True)
class _Listed:
    """One tool of a listing, and when its approval was looked at last."""

    tool: Tool
    definition: Definition
    schema: InputSchema
    verdict: Verdict
    entry: Entry | None = None
    approved_at: float = 0.0
    vouched_at: float = 0.0


@dataclass(slots=True, kw_only=True)
class _Listing:
    number: int
    read_at: float
    tools: dict[str, _Listed]


@dataclass(slots=True)
class _Server:
    """What is known of one server. Reads are numbered: whoever waited for one can tell whether it began, or failed,
    after the question was asked."""

    upstream: Upstream
    listing: _Listing | None = None
    begun: int = 0
    void: int = 0
    """Reads up to this number began before the server said that its tools changed."""
    ended: int = 0
    failure: Unavailable | None = None
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    known: dict[bytes, tuple[Definition, InputSchema]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    firsts: dict[str, str] = field(default_factory=dict)
    contents: Contents = field(default_factory=Contents)


class Catalog:
    """Definitions and approvals behind one question: what is this tool, now?

    ``verifier`` proves where definitions come from, ``admits`` says which origins are good enough to be listed at all,
    ``content`` what there is in a definition for a person to look at; each definition is read once.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        approvals: Approvals,
        store: Store,
        *,
        now: Callable[[], float],
        max_age_s: float = 30.0,
        max_age_sensitive_s: float = 2.0,
        verifier: DefinitionVerifier | None = None,
        admits: Callable[[Etdi], bool] | None = None,
        content: ContentReader | None = None,
    ) -> None:
        self._servers = {name: _Server(upstream) for name, upstream in upstreams.items()}
        self._approvals = approvals
        self._first = First(store, now=now)
        self._now = now
        self._max_age_s = max_age_s
        self._max_age_sensitive_s = max_age_sensitive_s
        self._verifier = verifier or NobodyTrusted()
        self._admits = admits
        self._content = content

    async def current(self, server: str, tool: str, *, sensitive: bool) -> Entry:
        """The tool as it is now.

        :raises UnknownTool: that server lists no such tool.
        :raises UpstreamUnavailable: no listing that is fresh enough can be had.
        :raises StoreUnavailable: the approval cannot be read.
        """
        listing = await self._fresh(server, self._max_age_sensitive_s if sensitive else self._max_age_s)
        listed = listing.tools.get(tool)
        if listed is not None and not await self._stands(listed, max_age_s=0):
            # Its token ended, or the key behind it was withdrawn. If the server has renewed it, the listing says so.
            listed = (await self._fresh(server, 0)).tools.get(tool)
        if listed is None:
            raise UnknownTool(f"There is no tool {tool[:128]!r} here; call tools/list for the names.")
        return await self._approved(server, listed, max_age_s=0 if sensitive else self._max_age_sensitive_s)

    async def all(self, server: str) -> list[Entry]:
        """Every tool of one server in the server's order. Errors as of :meth:`current`."""
        listing = await self._fresh(server, self._max_age_s)
        age_s = self._max_age_sensitive_s
        if not all([await self._stands(one, max_age_s=age_s) for one in listing.tools.values()]):
            listing = await self._fresh(server, 0)
        return [
            await self._approved(server, listed, max_age_s=self._max_age_sensitive_s)
            for listed in listing.tools.values()
        ]

    def expire(self, name: str) -> None:
        """The server says that its tools changed (``notifications/tools/list_changed``): nothing read before counts."""
        server = self._servers.get(name)
        if server is not None:
            server.listing = None
            server.void = server.begun

    def servers(self) -> list[str]:
        """The configured upstreams, in order."""
        return list(self._servers)

    def _young(self, since: float, max_age_s: float) -> bool:
        # A clock that was set back makes nothing young for hours: from the future is old.
        return 0 <= self._now() - since < max_age_s

    async def _stands(self, listed: _Listed, *, max_age_s: float) -> bool:
        if not self._verifier.stands(listed.verdict):
            return False
        standing = listed.verdict.standing
        if standing is None or self._young(listed.vouched_at, max_age_s):
            return True
        looked_at, holds = self._now(), await standing.holds()
        listed.vouched_at = looked_at
        return holds

    async def _approved(self, server: str, listed: _Listed, *, max_age_s: float) -> Entry:
        entry = listed.entry
        if entry is not None and self._young(listed.approved_at, max_age_s):
            return entry
        looked_at = self._now()
        approval = await self._approvals.of(server, listed.tool.name)
        entry = Entry(tool=listed.tool, approval=approval, definition=listed.definition, schema=listed.schema)
        listed.entry, listed.approved_at = entry, looked_at
        return entry

    async def _fresh(self, name: str, max_age_s: float) -> _Listing:
        server = self._servers.get(name)
        if server is None:
            raise UnknownTool(f"There is no server {name[:128]!r} behind this gateway.")
        listing = server.listing
        if listing is not None and self._young(listing.read_at, max_age_s):
            return listing
        begun, ended = server.begun, server.ended
        async with server.reading:
            listing = server.listing
            if listing is not None and (listing.number > begun or self._young(listing.read_at, max_age_s)):
                return listing
            if server.failure is not None and server.ended > ended:
                # It failed while this call waited: a server that hangs must not hang for each of them in turn.
                raise type(server.failure)(server.failure.message, code=server.failure.code)
            server.begun += 1
            server.failure = None
            try:
                listing = await self._read(name, server)
                server.listing = listing if listing.number > server.void else None
            except Unavailable as problem:
                server.failure = problem
                raise
            finally:
                server.ended += 1
            return listing

    async def _read(self, name: str, server: _Server) -> _Listing:
        number, read_at = server.begun, self._now()
        wires = await server.upstream.definitions()
        if len(wires) > MAX_TOOLS:
            raise UpstreamUnavailable(f"The server {name!r} lists more than {MAX_TOOLS} tools.")
        # Two tools of one name at one server: nobody can say which one a call would reach (R070).
        names = Counter(str(wire.get("name")) for wire in wires)
        known: dict[bytes, tuple[Definition, InputSchema]] = {}
        seen: dict[str, int] = {}
        unique: list[tuple[Definition, InputSchema]] = []
        left_out: set[str] = set()
        contents = server.contents.reading(self._content)
        for wire in wires:
            try:
                key, (definition, schema) = _understood(wire, server.known)
            except ValueError as problem:
                left_out.add(f"{str(wire.get('name'))[:128]!r} is left out: {problem}")
                continue
            known[key] = definition, schema
            if names[definition.name] == 1:
                unique.append((definition, schema))
                await contents.read(key, definition.name, wire)
        verdicts = await self._verifier.verify(name, [definition for definition, _ in unique])
        tools: dict[str, _Listed] = {}
        for (definition, schema), verdict in zip(unique, verdicts, strict=True):
            etdi = self._etdi(name, definition, verdict)
            if self._admits is not None and not self._admits(etdi):
                left_out.add(f"{definition.name!r} is left out: its origin is {etdi.status.value}")
                continue
            first_seen = await self._first.seen(name, definition, server.seen, seen)
            tool = _tool(definition, etdi, first_seen, contents.of(definition.name))
            if await self._first.used(name, definition, server.firsts) != definition.definition_hash:
                tool = msgspec.structs.replace(tool, changed_since_first_use=True)
            tools[tool.name] = _Listed(tool=tool, definition=definition, schema=schema, verdict=verdict)
        for one in sorted(left_out - server.left_out):
            _log.warning("server %s: the tool %s", name, one)  # once, not with every listing
        server.known, server.seen, server.left_out = known, seen, left_out
        server.contents = contents
        server.firsts = {one: first for one, first in server.firsts.items() if one in tools}
        return _Listing(number=number, read_at=read_at, tools=tools)

    def _etdi(self, server: str, definition: Definition, verdict: Verdict) -> Etdi:
        """What a release pins is the release's; nobody else has to vouch for it."""
        pin = self._approvals.pinned(server, definition.name)
        if pin is not None and pin.definition_hash == definition.definition_hash:
            return Etdi(status=EtdiStatus.VERIFIED, evidence="release")
        return verdict.etdi


def _tool(definition: Definition, etdi: Etdi, first_seen: int, content: Content) -> Tool:
    return Tool(
        name=definition.name,
        version=definition.version,
        definition_hash=definition.definition_hash,
        provider=definition.provider,
        permissions=definition.permissions,
        annotations=definition.annotations,
        etdi=etdi,
        first_seen=first_seen,
        content=content,
    )


def _understood(
    wire: dict[str, Any], known: Mapping[bytes, tuple[Definition, InputSchema]]
) -> tuple[bytes, tuple[Definition, InputSchema]]:
    """Hashing and compiling 28 definitions costs 10 ms; the same bytes need it once. :raises ValueError:"""
    try:
        key = msgspec.json.encode(wire)
    except RecursionError:
        raise ValueError("a definition that is nested too deep") from None
    found = known.get(key)
    if found is None:
        definition = read_definition(wire)
        found = definition, InputSchema(definition.input_schema)
    return key, found
