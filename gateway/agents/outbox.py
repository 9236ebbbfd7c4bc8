"""Notices that are not delivered yet, in the store: a restart loses none, and of many gateways one sends each.

A queue with a visibility timeout: whoever is about to try writes, by compare-and-set, until when it is busy with it;
after that time anybody may. So a notice is sent at least once, once where nothing goes wrong, always under the same
``webhook-id``, by which the receiver knows a repeat. What was sent, or given up, leaves a mark under its id until its
call is long over: the same event, seen by another gateway or after a restart, is not told again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec

from gateway.agents.notice import Event, Notice
from gateway.state.store import Space, Store

KEPT_S: Final = 24 * 3600.0
"""Life of what was not delivered. A day later nobody wants to hear of it."""
HELD_S: Final = 90.0
"""Seconds that one try may take, above the longest timeout of the settings; its pause comes on top."""
MARK_S: Final = 3600.0
"""How long after the end of its call a notice is known to have been sent."""
PAGE: Final = 1000
MAX_PAGES: Final = 10
"""Rows that one look reads at most, marks included."""
_DONE: Final = b"done"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One notice, how often it was tried, and until when (unix seconds) somebody is busy with it."""

    notice: Notice
    tries: int = 0
    busy_until: float = 0.0


class Outbox:
    """Over a store. Errors: ``StoreUnavailable``."""

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def add(self, notice: Notice) -> Entry | None:
        """Keep a notice, and be busy with it. None: this event is known, told or being told."""
        entry = Entry(notice=notice, busy_until=self._now() + HELD_S)
        added = await self._store.add(Space.NOTICE, notice.id, msgspec.json.encode(entry), ttl_s=KEPT_S)
        return entry if added else None

    async def hold(self, entry: Entry, *, pause_s: float) -> Entry | None:
        """Be busy with it for one more try and the pause after it. None: somebody else is, or it is done."""
        held = Entry(notice=entry.notice, tries=entry.tries + 1, busy_until=self._now() + HELD_S + pause_s)
        swapped = await self._store.swap(
            Space.NOTICE,
            entry.notice.id,
            expected=msgspec.json.encode(entry),
            value=msgspec.json.encode(held),
            ttl_s=KEPT_S,
        )
        return held if swapped else None

    async def release(self, entry: Entry) -> None:
        """Be busy with it no longer: whoever looks next takes it over."""
        free = Entry(notice=entry.notice, tries=entry.tries)
        await self._store.swap(
            Space.NOTICE,
            entry.notice.id,
            expected=msgspec.json.encode(entry),
            value=msgspec.json.encode(free),
            ttl_s=KEPT_S,
        )

    async def done(self, entry: Entry) -> None:
        """It was sent, or given up."""
        life = max(0.0, entry.notice.expires_at - self._now()) + MARK_S
        await self._store.swap(
            Space.NOTICE, entry.notice.id, expected=msgspec.json.encode(entry), value=_DONE, ttl_s=life
        )

    async def left(self) -> AsyncIterator[Entry]:
        """What nobody is busy with. A call to confirm that is over is dropped here: its end has a notice of its own."""
        after = ""
        for _ in range(MAX_PAGES):
            rows = await self._store.entries(Space.NOTICE, limit=PAGE, after=after)
            for _, value in rows:
                entry = _read(value)
                if entry is None or entry.busy_until > self._now():
                    continue
                if entry.notice.event is Event.WAITING and entry.notice.expires_at <= self._now():
                    await self.done(entry)
                else:
                    yield entry
            if len(rows) < PAGE:
                return
            after = rows[-1][0]


def _read(value: bytes) -> Entry | None:
    """None: a mark, or nothing of ours."""
    try:
        return msgspec.json.decode(value, type=Entry)
    except ValueError:  # msgspec's own errors, and broken UTF-8
        return None
