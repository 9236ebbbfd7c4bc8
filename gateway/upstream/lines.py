"""The open conversations with one server: one that all share, and in the older era one for each key.

A server that speaks both eras is spoken to in its host's: what it does in the one (ask in the middle of a call, push to
a session) it may not do in the other. A server of the new era keeps no state between requests, so all share one
conversation there. Before that, a session is what log level,
subscriptions and questions belong to: whoever has a key gets one of their own, opened with what they declared; whoever
has none shares one that was opened with nothing, in which nothing is asked. Where callers are shown to the server as
themselves (token exchange), nobody shares: a server that knows people by their session would take each for the one who
opened it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

import msgspec

from gateway.door.call import Era
from gateway.door.host import NOBODY, Host
from gateway.upstream.line import Line, Unanswered, Unsent
from gateway.upstream.mcp_request import NOTHING, opened_with

_ENCODER = msgspec.json.Encoder(order="deterministic")

Ident = tuple[str, bytes] | None
"""Key and declared capabilities, encoded. The same key with other capabilities is another session: what it was opened
with cannot be changed, and a host that declares less must not be asked more. None: the shared one."""


class Open(Protocol):
    """How a conversation is opened."""

    async def __call__(self, host: Host, *, declared: Mapping[str, Any], era: Era | None) -> Line:
        """:raises Unsent: :raises Unanswered: :raises UpstreamUnavailable:"""
        ...


class Lines:
    """``limit`` bounds the conversations that belong to a key; one that nobody used for ``idle_s`` seconds is ended.

    ``mirrors``: whether a server of both eras is spoken to in each host's own. Where a conversation is a process, all
    share the one of the new era, and what it lacks is bridged.

    ``per_caller``: the server sees each caller's own credential; in the older era each has a session of their own then.
    """

    def __init__(
        self, opening: Open, *, limit: int, idle_s: float, mirrors: bool, per_caller: bool = False
    ) -> None:
        self._open = opening
        self._per_caller = per_caller
        self._limit = limit
        self._idle_s = idle_s
        self._shared: Line | None = None
        self._era: Era | None = None
        self._mirrors = mirrors
        self._older = mirrors
        """Whether a server of the new era may speak the older one as well; False once it was tried."""
        self._keyed: dict[Ident, Line] = {}
        self._opening: dict[Ident, asyncio.Task[Line]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    def ready(self, host: Host) -> Line | None:
        """The conversation of this host, if it is open already and is the shared one: the way of nearly every call."""
        line = self._shared
        if line is None or not line.alive or (self._key(host) is not None and self._of_its_own(line, host)):
            return None
        return line

    async def of(self, host: Host) -> Line:
        """The conversation of this host, opened if need be. Nobody's request leaves before it is agreed how to talk.

        :raises Unsent: :raises Unanswered: :raises UpstreamUnavailable:
        """
        shared = self.ready(NOBODY) or await self._single(None, NOBODY)
        key = self._key(host)
        if key is None or not self._of_its_own(shared, host):
            return shared
        ident = (key, _ENCODER.encode(_declared(host)))
        line = self._keyed.get(ident)
        if line is not None and line.alive:
            return line
        try:
            return await self._single(ident, host)
        except Unanswered:
            if shared.talk.era is Era.LEGACY:
                raise
            self._older = False  # it speaks the new era only, and the bridge does the rest
            return shared

    def _key(self, host: Host) -> str | None:
        """The host's, or one for whoever presents that token."""
        if host.key is not None or not self._per_caller or host.subject_token is None:
            return host.key
        # Not the hash by which an exchanged token is looked up.
        return "caller:" + hashlib.sha256(b"conversation:" + host.subject_token.sha256()).hexdigest()[:32]

    def _of_its_own(self, shared: Line, host: Host) -> bool:
        """Whether a host with a key has a conversation of its own: at an older server, or as an older host."""
        return shared.talk.era is Era.LEGACY or (host.asks_in_band and self._older)

    def existing(self, key: str) -> list[Line]:
        """What is open for a key."""
        return [line for ident, line in self._keyed.items() if ident is not None and ident[0] == key]

    def drop(self, line: Line) -> None:
        """The server ended it, or no longer talks that way: the next request opens another."""
        if line is self._shared:
            self._shared = None
            self._era = None
            self._older = self._mirrors
        for ident in [ident for ident, one in self._keyed.items() if one is line]:
            del self._keyed[ident]

    async def forget(self, key: str) -> None:
        """End what is open for a key, and what is being opened for it: whoever asked for that is gone, and would leave
        a conversation that nobody uses, in the place of somebody's who does."""
        opening = [task for ident, task in self._opening.items() if ident is not None and ident[0] == key]
        if opening:
            await asyncio.wait(opening)
        for line in self.existing(key):
            self.drop(line)
            await line.aclose()

    async def aclose(self) -> None:
        """End everything."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for opening in list(self._opening.values()):
            opening.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        lines = [*self._keyed.values(), *([self._shared] if self._shared is not None else [])]
        self._keyed, self._shared = {}, None
        await asyncio.gather(*(line.aclose() for line in lines), *self._ending)

    async def _single(self, ident: Ident, host: Host) -> Line:
        """One opening for all who want it, and one failure: a server that hangs must not hang for each in turn."""
        if self._closed:
            raise Unsent("is closed")
        task = self._opening.get(ident)
        if task is None:
            task = self._opening[ident] = asyncio.create_task(self._opened(ident, host))
            task.add_done_callback(lambda done: self._settled(ident, done))
        return await asyncio.shield(task)

    def _settled(self, ident: Ident, task: asyncio.Task[Line]) -> None:
        self._opening.pop(ident, None)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone: then nobody else looks at it

    async def _opened(self, ident: Ident, host: Host) -> Line:
        if ident is None:
            line = await self._open(host, declared=NOTHING, era=self._era)
            self._shared, self._era = line, line.talk.era
            return line
        self._make_room()
        line = await self._open(host, declared=_declared(host), era=Era.LEGACY)
        self._keyed[ident] = line
        self._sweep_later()
        return line

    def _make_room(self) -> None:
        """:raises Unsent: all conversations are in use."""
        self._end_idle()
        # Those being opened count: a thousand hosts at once must not open a thousand sessions.
        opening = sum(ident is not None for ident in self._opening)
        if len(self._keyed) + opening <= self._limit:
            return
        unused = [line for line in self._keyed.values() if not line.busy]
        if not unused:
            raise Unsent("has too many conversations open", code="upstream.too_many_sessions")
        self._end(min(unused, key=lambda line: line.used_at))

    def _end_idle(self) -> None:
        oldest = asyncio.get_running_loop().time() - self._idle_s
        for line in list(self._keyed.values()):
            if not line.alive or (not line.busy and line.used_at <= oldest):
                self._end(line)

    def _end(self, line: Line) -> None:
        self.drop(line)
        task = asyncio.create_task(_ended(line.aclose()))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _sweep_later(self) -> None:
        if self._sweep is None and self._keyed and not self._closed:
            self._sweep = asyncio.get_running_loop().call_later(self._idle_s / 4, self._swept)

    def _swept(self) -> None:
        self._sweep = None
        self._end_idle()
        self._sweep_later()


def _declared(host: Host) -> Mapping[str, Any]:
    """What a session is opened with: a host without a key has nothing that it could be asked by."""
    return NOTHING if host.key is None else opened_with(host.capabilities)


async def _ended(closing: Awaitable[None]) -> None:
    await closing
