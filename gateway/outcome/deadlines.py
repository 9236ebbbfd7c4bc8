"""A call whose time is up was refused by time: that is recorded once, and whoever comes back for it is told once.

Nobody is left guessing by a confirmation that silently begins anew. What waits ends by the store's own clock; so that
its end can be told, a copy is kept for :data:`KEPT_S` longer in a space of its own, from which nothing can ever be
executed. The copy is moved to *timed out* by compare-and-set, so of all processes exactly one tells those who have to
know (the audit; whoever holds an amount for the call); and by compare-and-set exactly one tells the caller. What was
carried out or refused before has no copy any more (``pending.Waiting``).

NOT covered: a process that dies between claiming a call and dropping the copy leaves an end on record that was none;
the call itself has its own record, which was on disk before it left (invariant 5).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec

from gateway.errors import AuditUnavailable, StoreUnavailable
from gateway.outcome.pending import Pending, Status
from gateway.state.store import MAX_ENTRIES, Space, Store

KEPT_S = 600.0
"""How long after its time a caller that comes back is told."""
LOOK_S = 5.0
"""Seconds between two looks for calls whose time is up and that nobody came back for."""
TimedOut = Callable[[Pending], Awaitable[None]]
"""Told once of each call that waited in vain. What it raises is logged: the time is up all the same."""
_TOLD = b"told"
_TOLD_TTL_S = 1.0
_LOG = logging.getLogger("countersign.outcome")


class Deadlines:
    """The ends of what waits. ``told`` hear of each. Errors: ``StoreUnavailable``."""

    def __init__(self, store: Store, *, now: Callable[[], float], told: Sequence[TimedOut] = ()) -> None:
        self._store = store
        self._now = now
        self._told = tuple(told)
        self._due: dict[str, float] = {}

    async def opened(self, pending: Pending) -> None:
        """A call waits from now on, or waits anew until another time."""
        life = max(0.0, pending.expires_at - self._now()) + KEPT_S
        await self._store.put(Space.DEADLINE, pending.key, msgspec.json.encode(pending), ttl_s=life)
        if len(self._due) < MAX_ENTRIES:  # the others are seen when somebody comes back
            self._due[pending.key] = pending.expires_at

    def knows(self, key: str) -> bool:
        """Whether this process has seen that call wait: then it is worth asking the store how it ended."""
        return key in self._due

    async def passed(self, key: str) -> Pending | None:
        """The call that waited in vain under that key, for the first caller that asks."""
        copy = await self._copy(key)
        if copy is None:
            self._due.pop(key, None)
            return None
        if self._now() < copy.expires_at:
            return None
        ended = await self._time_out(copy)
        if ended is None or not await self._store.swap(
            Space.DEADLINE, key, expected=msgspec.json.encode(ended), value=_TOLD, ttl_s=_TOLD_TTL_S
        ):
            return None
        self._due.pop(key, None)
        return ended

    async def look(self) -> None:
        """Time out whatever is due; forget what ended otherwise, or long ago."""
        now = self._now()
        for key in [key for key, at in self._due.items() if now >= at]:
            copy = await self._copy(key)
            if copy is None:
                del self._due[key]
            elif now >= copy.expires_at:
                await self._time_out(copy)
                self._due[key] = copy.expires_at + KEPT_S
            else:
                self._due[key] = copy.expires_at

    async def recall(self) -> None:
        """Learn what an earlier process, or another one, let wait."""
        for key, _ in await self._store.entries(Space.DEADLINE, limit=MAX_ENTRIES):
            self._due.setdefault(key, 0.0)

    async def run(self) -> None:
        """Recall, and look until cancelled."""
        with suppress(StoreUnavailable):
            await self.recall()
        while True:
            with suppress(StoreUnavailable):
                await self.look()
            await asyncio.sleep(LOOK_S)

    async def _copy(self, key: str) -> Pending | None:
        value = await self._store.get(Space.DEADLINE, key)
        if value is None:
            return None
        try:
            return msgspec.json.decode(value, type=Pending)
        except ValueError:  # told just now
            return None

    async def _time_out(self, copy: Pending) -> Pending | None:
        """:returns: the copy as it stands now; None where somebody else moved it."""
        if copy.status is Status.TIMED_OUT:
            return copy
        ended = msgspec.structs.replace(copy, status=Status.TIMED_OUT)
        before, after = msgspec.json.encode(copy), msgspec.json.encode(ended)
        left = max(1.0, copy.expires_at + KEPT_S - self._now())
        if not await self._store.swap(Space.DEADLINE, copy.key, expected=before, value=after, ttl_s=left):
            return None
        for tell in self._told:
            try:
                await tell(copy)
            except AuditUnavailable as problem:
                _LOG.error("no record that %s timed out: %s", copy.transaction_id, problem.message)
            except Exception:  # noqa: BLE001 - one who listens must not keep the others from hearing it
                _LOG.exception("a listener broke on %s, which timed out", copy.transaction_id)
        return ended
