"""Whoever waits for a call to move is woken by whoever moves it, instead of asking the store again and again.

In this process a change wakes at once. What another process wrote is found by one task that looks at everything that
is waited for in turn, at most ``1 / PAUSE_S`` looks a second however many wait: a thousand held calls must not be felt
by anybody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from gateway.errors import StoreUnavailable

POLL_S = 1.0
"""How soon the write of another process is seen, while few wait."""
PAUSE_S = 0.01
"""Between two looks at the store. Beyond ``POLL_S / PAUSE_S`` waiting calls each of them is looked at less often."""

Look = Callable[[str], Awaitable[object]]


class _Watch:
    __slots__ = ("moved", "seen")

    def __init__(self, seen: object) -> None:
        self.seen = seen
        self.moved = asyncio.Event()


class Changes:
    """What moves under keys. ``look`` reads what is kept under one (a value that can be compared)."""

    def __init__(self, look: Look, *, poll_s: float = POLL_S, pause_s: float = PAUSE_S) -> None:
        self._look = look
        self._poll_s = poll_s
        self._pause_s = pause_s
        self._watches: dict[str, set[_Watch]] = {}
        self._polling: asyncio.Task[None] | None = None

    def tell(self, key: str) -> None:
        """Something was written under that key."""
        for watch in self._watches.get(key, ()):
            watch.moved.set()

    async def other_than(self, key: str, seen: object, *, within_s: float) -> None:
        """Return once something else than ``seen`` is kept there, or after so long, by the loop's own clock: the
        wall clock may be set. Errors: ``StoreUnavailable`` at the first look."""
        watch = _Watch(seen)
        self._watches.setdefault(key, set()).add(watch)
        try:
            # Looked at after it is watched: what moved in between is not missed.
            if await self._look(key) != seen:
                return
            if self._polling is None or self._polling.done():
                self._polling = asyncio.create_task(self._poll())
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await watch.moved.wait()
        finally:
            self._forget(key, watch)

    def _forget(self, key: str, watch: _Watch) -> None:
        watches = self._watches[key]
        watches.discard(watch)
        if not watches:
            del self._watches[key]
        if not self._watches and self._polling is not None:
            self._polling.cancel()
            self._polling = None

    async def _poll(self) -> None:
        # Not until it is cancelled: a driver may swallow that, and without keys this would never give way again.
        while self._watches:
            keys = list(self._watches)
            pause_s = max(self._poll_s / max(1, len(keys)), self._pause_s)
            for key in keys:
                await asyncio.sleep(pause_s)
                if key not in self._watches:
                    continue
                try:
                    now = await self._look(key)
                except StoreUnavailable:
                    continue  # who waits asks for itself in the end, and is told
                for watch in self._watches.get(key, ()):
                    if watch.seen != now:
                        watch.moved.set()
