"""Sends notices to one signed webhook: in order, one at a time, again with growing pauses, never for ever.

Nothing waits for a delivery. What cannot be delivered is logged and counted; the console knows all that waits anyway.
What stands in line is in the store as well (``outbox.py``): the next process sends what this one could not. While the
store does not answer, notices go out from memory: one too many is better than none.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import msgspec

from gateway.agents.exchange import Posts
from gateway.agents.notice import Notice
from gateway.agents.outbox import Entry, Outbox
from gateway.agents.said import NoAnswer
from gateway.agents.signature import signed
from gateway.errors import StoreUnavailable

MAX_LINE: Final = 1000
"""Notices that stand in line; the newest beyond that are dropped, and said to be."""
PAUSES_S: Final = (1.0, 4.0, 15.0, 60.0, 240.0)
"""Seconds before each further try. After these the notice is given up: most calls have expired by then."""
LOOK_S: Final = 60.0
"""Seconds between two looks for what another process left behind."""
_DELIVERED = range(200, 300)
_TRY_AGAIN = frozenset({408, 425, 429, *range(500, 600)})
_LOG = logging.getLogger("countersign.notices")

Sleep = Callable[[float], Awaitable[None]]


class _Told:
    """Instead of an entry: the event is known, and told or being told by somebody else."""


_TOLD: Final = _Told()
_Known = Entry | _Told | None
"""None: the store knows nothing of it, and cannot be asked."""


class _Standing:
    """One place in the line."""

    __slots__ = ("entry", "known", "notice")

    def __init__(self, notice: Notice, known: asyncio.Future[_Known]) -> None:
        self.notice = notice
        self.known = known
        self.entry: Entry | None = None


class Delivery:
    """One receiver. ``sent``, ``failed`` and ``dropped`` count notices since the start, for metrics."""

    def __init__(
        self,
        exchange: Posts,
        key: bytes,
        *,
        now: Callable[[], float],
        sleep: Sleep = asyncio.sleep,
        outbox: Outbox | None = None,
    ) -> None:
        self.sent = self.failed = self.dropped = 0
        self._exchange = exchange
        self._key = key
        self._now = now
        self._sleep = sleep
        self._outbox = outbox
        self._line: deque[_Standing] = deque()
        self._worker: asyncio.Task[None] | None = None

    @property
    def in_line(self) -> int:
        """Notices that stand in line here, for metrics."""
        return len(self._line)

    def put(self, notice: Notice) -> None:
        """Stand in line. Returns at once, never raises. An event that was told before, by whomever, is not told."""
        if self._full(notice):
            return
        self._stand(_Standing(notice, asyncio.ensure_future(self._kept(notice))))

    async def run(self) -> None:
        """Look for what other processes left, until cancelled."""
        while True:
            try:
                await self.recall()
            except StoreUnavailable as problem:
                _LOG.warning("notices left behind cannot be looked for: %s", problem.message)
            await asyncio.sleep(LOOK_S)

    async def recall(self) -> None:
        """Take over what nobody is busy with. :raises StoreUnavailable:"""
        if self._outbox is None:
            return
        mine = {one.notice.id for one in self._line}
        async for entry in self._outbox.left():
            if entry.notice.id in mine:
                continue
            if self._full(entry.notice):
                return
            taken: asyncio.Future[_Known] = asyncio.get_running_loop().create_future()
            taken.set_result(entry)
            self._stand(_Standing(entry.notice, taken))

    async def aclose(self) -> None:
        """Stop; what stands in line is left to the next process."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        if self._line:
            _LOG.warning("%d notices were not sent before the end", len(self._line))
        for standing in self._line:
            await self._released(standing)
        await self._exchange.aclose()

    def _full(self, notice: Notice) -> bool:
        if len(self._line) < MAX_LINE:
            return False
        self.dropped += 1
        _LOG.error("notice %s of transaction %s dropped: too many wait", notice.id, notice.transaction_id)
        return True

    def _stand(self, standing: _Standing) -> None:
        self._line.append(standing)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.ensure_future(self._work())

    async def _kept(self, notice: Notice) -> _Known:
        """At once, and not when its turn comes: the line may be long."""
        if self._outbox is None:
            return None
        try:
            return await self._outbox.add(notice) or _TOLD
        except StoreUnavailable as problem:
            _LOG.warning("notice %s is kept in memory only: %s", notice.id, problem.message)
            return None

    async def _work(self) -> None:
        while self._line:
            standing = self._line[0]
            try:
                known = await asyncio.shield(standing.known)
            except Exception:  # noqa: BLE001 - the notice must still go
                _LOG.exception("notice %s could not be kept", standing.notice.id)
                known = None
            if not isinstance(known, _Told):
                standing.entry = known
                self._count(standing.notice, await self._delivered(standing))
            self._line.popleft()

    def _count(self, notice: Notice, delivered: bool | None) -> None:  # noqa: FBT001 - the result of one call
        if delivered:
            self.sent += 1
        elif delivered is False:
            self.failed += 1
            _LOG.error("notice %s of transaction %s failed", notice.id, notice.transaction_id)

    async def _delivered(self, standing: _Standing) -> bool | None:
        """None: it is somebody else's by now."""
        done = 0 if standing.entry is None else standing.entry.tries
        for pause in (*PAUSES_S[min(done, len(PAUSES_S)) :], None):
            if standing.entry is not None:
                held = await self._held(standing.entry, pause_s=pause or 0.0)
                if isinstance(held, _Told):
                    return None
                standing.entry = held
            again = await self._tried(standing.notice)
            if again is None or not again or pause is None:
                await self._done(standing.entry)
                return again is None
            await self._sleep(pause)
        return False

    async def _held(self, entry: Entry, *, pause_s: float) -> _Known:
        """None: the store does not answer; the notice goes out all the same."""
        assert self._outbox is not None
        try:
            return await self._outbox.hold(entry, pause_s=pause_s) or _TOLD
        except StoreUnavailable:
            return None

    async def _released(self, standing: _Standing) -> None:
        [known] = await asyncio.gather(standing.known, return_exceptions=True)
        entry = standing.entry or known
        if self._outbox is not None and isinstance(entry, Entry):
            with suppress(StoreUnavailable):  # others take it over a little later
                await self._outbox.release(entry)

    async def _done(self, entry: Entry | None) -> None:
        if entry is None or self._outbox is None:
            return
        try:
            await self._outbox.done(entry)
        except StoreUnavailable as problem:
            _LOG.warning("notice %s may be sent once more: %s", entry.notice.id, problem.message)

    async def _tried(self, notice: Notice) -> bool | None:
        """None: delivered; else whether another try could help."""
        at = int(self._now())
        stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = msgspec.json.encode({"type": notice.event, "timestamp": stamp, "data": notice})
        try:
            received = await self._exchange.post(body, signed(self._key, notice.id, at, body))
        except NoAnswer as problem:
            _LOG.warning("notice %s: %s", notice.id, problem.failure.value)
            return True
        except Exception:  # noqa: BLE001 - the next notice must still go
            _LOG.exception("notice %s broke", notice.id)
            return False
        if received.status in _DELIVERED:
            return None
        _LOG.warning("notice %s: HTTP %d", notice.id, received.status)
        return received.status in _TRY_AGAIN
