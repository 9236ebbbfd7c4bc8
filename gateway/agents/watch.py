"""Tells people when a call starts to wait for one of them, and how it ended if it was refused or ran out of time.

How it ended is seen by looking, every few seconds and only at calls that people were told of: whoever decided may sit
at another gateway. A call that was carried out is gone from the store before its time, and nothing is said about it;
one that is gone within one look of its time may have been carried out in its very last moment and is called expired.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from gateway.agents.notice import Event, Notice, notice_of
from gateway.errors import StoreUnavailable
from gateway.outcome.pending import Pending, Status
from gateway.policy.money import Money

LOOK_S: Final = 3.0
MAX_WATCHED: Final = 500
"""Calls whose end is looked for; of more than that people are told the beginning only."""
_LOG = logging.getLogger("countersign.notices")


class Line(Protocol):
    """Where notices stand in line."""

    def put(self, notice: Notice) -> None:
        """Returns at once, never raises."""


class Waits(Protocol):
    """The part of :class:`gateway.outcome.pending.Waiting` that a start needs."""

    async def waiting(self, *, limit: int) -> list[Pending]:
        """What waits now. :raises StoreUnavailable:"""
        ...


class Finds(Protocol):
    """The part of :class:`gateway.outcome.pending.Waiting` that a look needs."""

    async def find(self, key: str) -> Pending | None:
        """The call of that key as the store has it. :raises StoreUnavailable:"""
        ...


class Watch:
    """:class:`gateway.outcome.confirm.Opened` for those calls that people may confirm."""

    def __init__(
        self,
        waiting: Finds,
        line: Line,
        *,
        console_url: str,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._waiting = waiting
        self._line = line
        self._console_url = console_url
        self._now = now
        self._sleep = sleep
        self._watched: dict[str, Pending] = {}
        self._looking: asyncio.Task[None] | None = None

    def opened(self, pending: Pending, arguments: Mapping[str, Any], money: Money | None) -> None:
        """Tell people. The arguments stay here."""
        del arguments, money
        if "human" not in pending.obligation.by:
            self._watched.pop(pending.key, None)
            return
        self._tell(pending, Event.WAITING)
        if pending.key in self._watched or len(self._watched) < MAX_WATCHED:
            self._watched[pending.key] = pending
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())

    async def recall(self, waits: Waits) -> None:
        """Watch on over what an earlier process, or another one, let wait, once the store answers. Who was told is not
        told again: the notice has the same id."""
        while True:
            try:
                found = await waits.waiting(limit=MAX_WATCHED)
            except StoreUnavailable:
                await self._sleep(LOOK_S)
                continue
            for pending in found:
                if pending.status is Status.WAITING and pending.key not in self._watched:
                    self.opened(pending, {}, None)
            return

    async def timed_out(self, pending: Pending) -> None:
        """Told by ``outcome.deadlines`` of each end, also of those that came while no process ran."""
        if "human" in pending.obligation.by:
            self._tell(pending, Event.EXPIRED)

    async def aclose(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        while self._watched:
            await self._sleep(LOOK_S)
            for key, pending in list(self._watched.items()):
                try:
                    found = await self._waiting.find(key)
                except StoreUnavailable:
                    break
                if self._watched.get(key) is pending:  # it may have been opened anew during the look
                    self._seen(key, pending, found)

    def _seen(self, key: str, before: Pending, found: Pending | None) -> None:
        over = self._now() >= before.expires_at
        if found is not None and found.transaction_id == before.transaction_id:
            if found.status is Status.REFUSED:
                self._tell(found, Event.REFUSED)
            elif self._now() >= found.expires_at:
                self._tell(found, Event.EXPIRED)
            else:
                self._watched[key] = found
                return
        elif over:
            self._tell(before, Event.EXPIRED)
        del self._watched[key]

    def _tell(self, pending: Pending, event: Event) -> None:
        try:
            self._line.put(notice_of(pending, event, console_url=self._console_url))
        except Exception:  # noqa: BLE001 - a notice must never stop a call
            _LOG.exception("no notice of transaction %s", pending.transaction_id)
