"""Counts what each caller had sent to each tool, at all gateways of one store, and tells the policy.

Nobody who calls waits for the store: this process counts in memory, and a task of its own tells the store once a second
what came here, and hears from the sum what came elsewhere. So a caller who goes from one gateway to another, or comes
back after a restart, may have a second of calls that are not counted there yet. And whoever has many calls under way at
once has each of them judged by what was counted before it: sums that must hold to the last one are budgets.

While the store does not answer each gateway counts alone. When there are too many callers, the one who was quiet for
longest is forgotten, and remembered from the store. Attack: one identity after another, to wash a count out. It takes
``MAX_KEYS`` of them within a second, and forgives what was counted in that second; nobody is refused for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import msgspec

from gateway.errors import StoreUnavailable
from gateway.policy.question import Asked, Often
from gateway.state.store import Space, Store
from gateway.usage.windows import Tallies, Tally, Window

SETTLE_S = 1.0
"""Seconds between two rounds with the store."""
MAX_ROUND = 64
"""Keys of one round, the one that waits for longest first: six operations each, twelve for one not seen before."""
MAX_KEYS = 10_000
"""Callers times tools that are known; about 20 MB."""
_LOG = logging.getLogger("countersign.usage")

Key = tuple[str, str, str, str]
"""Issuer and subject of the caller, server, tool."""


class UsageCounter:
    """:class:`gateway.policy.policy.UsageFacts` and :class:`gateway.outcome.counting.Counter`. ``now`` is unix seconds.

    What the walk calls never waits, and never raises.
    """

    def __init__(self, store: Store, *, now: Callable[[], float], max_keys: int = MAX_KEYS) -> None:
        self._store = store
        self._now = now
        self._max_keys = max_keys
        self._known: OrderedDict[Key, Tallies] = OrderedDict()
        self._due: OrderedDict[Key, None] = OrderedDict()
        self._closing = asyncio.Event()
        self._well = True

    def often(self, asked: Asked, *, begun: bool) -> Often:
        """See ``UsageFacts.often``."""
        key, now = _key(asked), int(self._now())
        tallies = self._at(key, now)
        if not tallies.heard:
            self._due.setdefault(key)
        return tallies.often(now, less=1 if begun else 0)

    def sent(self, asked: Asked) -> Callable[[], None]:
        """See ``Counter.sent``."""
        key = _key(asked)
        counted = [window.current for window in self._at(key, int(self._now())).calls]
        self._add(key, counted, 1)
        return lambda: self._add(key, counted, -1)

    def failed(self, asked: Asked) -> None:
        """See ``Counter.failed``."""
        key = _key(asked)
        self._add(key, [window.current for window in self._at(key, int(self._now())).failures], 1)

    async def settle(self) -> bool:
        """One round. False: the store did not answer, and the rest is for the next one."""
        try:
            if self._due:
                # A store that hangs would carry out later, and each time, what is told it again and again: asked first.
                await self._store.ping()
            for _ in range(min(MAX_ROUND, len(self._due))):
                await self._settle(next(iter(self._due)))
                await asyncio.sleep(0)  # SQLite answers at once: the calls are let in between
        except StoreUnavailable as problem:
            if self._well:
                _LOG.warning("calls are counted at each gateway alone: %s", problem.message)
            self._well = False
            return False
        self._well = True
        return True

    async def run(self) -> None:
        """A round each second until :meth:`close`, then whatever is left."""
        while not self._closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_S):
                    await self._closing.wait()
            await self.settle()
        while self._due and await self.settle():
            pass

    def close(self) -> None:
        """Let :meth:`run` come to its end."""
        self._closing.set()

    def _at(self, key: Key, now: int) -> Tallies:
        tallies = self._known.get(key)
        if tallies is None:
            tallies = self._known[key] = Tallies(now)
            if len(self._known) > self._max_keys:
                forgotten, _ = self._known.popitem(last=False)
                self._due.pop(forgotten, None)
        else:
            self._known.move_to_end(key)
            tallies.turn(now)
        return tallies

    def _add(self, key: Key, tallies: list[Tally], number: int) -> None:
        for tally in tallies:
            tally.here += number
        self._due.setdefault(key)

    async def _settle(self, key: Key) -> None:
        del self._due[key]
        tallies = self._known.get(key)
        if tallies is None:
            return
        tallies.heard = True
        name = hashlib.sha256(msgspec.json.encode(key)).hexdigest()
        try:
            for kind, windows in (("calls", tallies.calls), ("failures", tallies.failures)):
                for window in windows:
                    await self._told(f"usage:{name}:{kind}:{window.seconds}", window)
        except StoreUnavailable:
            tallies.heard = False
            self._due[key] = None
            self._due.move_to_end(key, last=False)
            raise

    async def _told(self, name: str, window: Window) -> None:
        for index, tally in window.tallies():
            owed = tally.owed
            if owed or not tally.heard or tally is window.current:
                tally.told(owed, await self._total(f"{name}:{index}", owed, life_s=2.0 * window.seconds))

    async def _total(self, place: str, owed: int, *, life_s: float) -> int:
        try:
            if owed:
                return await self._store.increment(Space.COUNTER, place, owed, ttl_s=life_s, durable=False)
            return int(await self._store.get(Space.COUNTER, place) or 0)
        except ValueError:
            _LOG.error("%s in the store is no number: this gateway goes by its own", place)
            return 0


@asynccontextmanager
async def open_usage(store: Store, *, now: Callable[[], float]) -> AsyncIterator[UsageCounter]:
    """The counter, settled until the block ends, and then once more."""
    counter = UsageCounter(store, now=now)
    running = asyncio.create_task(counter.run())
    try:
        yield counter
    finally:
        counter.close()
        await running


def _key(asked: Asked) -> Key:
    caller, call = asked.caller, asked.call
    return caller.issuer, caller.subject, call.server, call.tool
