"""Sends notices to one signed webhook: in order, one at a time, again with growing pauses, never for ever.

Nothing waits for a delivery. What cannot be delivered is logged and counted; the console knows all that waits anyway.
The line is in memory: a restart loses what stands in it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from gateway.agents.exchange import Posts
from gateway.agents.notice import Notice
from gateway.agents.said import NoAnswer
from gateway.agents.signature import signed

MAX_LINE: Final = 1000
"""Notices that stand in line; the newest beyond that are dropped, and said to be."""
PAUSES_S: Final = (1.0, 4.0, 15.0, 60.0, 240.0)
"""Seconds before each further try. After these the notice is given up: most calls have expired by then."""
_DELIVERED = range(200, 300)
_TRY_AGAIN = frozenset({408, 425, 429, *range(500, 600)})
_LOG = logging.getLogger("countersign.notices")

Sleep = Callable[[float], Awaitable[None]]


class Delivery:
    """One receiver. ``sent``, ``failed`` and ``dropped`` count notices since the start, for metrics."""

    def __init__(
        self, exchange: Posts, key: bytes, *, now: Callable[[], float], sleep: Sleep = asyncio.sleep
    ) -> None:
        self.sent = self.failed = self.dropped = 0
        self._exchange = exchange
        self._key = key
        self._now = now
        self._sleep = sleep
        self._line: deque[Notice] = deque()
        self._worker: asyncio.Task[None] | None = None

    def put(self, notice: Notice) -> None:
        """Stand in line. Returns at once, never raises."""
        if len(self._line) >= MAX_LINE:
            self.dropped += 1
            _LOG.error("notice %s of transaction %s dropped: too many wait", notice.id, notice.transaction_id)
            return
        self._line.append(notice)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.ensure_future(self._work())

    async def aclose(self) -> None:
        """Stop; what stands in line is lost, and said to be."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        if self._line:
            _LOG.warning("%d notices were not sent before the end", len(self._line))
        await self._exchange.aclose()

    async def _work(self) -> None:
        while self._line:
            notice = self._line[0]
            if await self._delivered(notice):
                self.sent += 1
            else:
                self.failed += 1
                _LOG.error("notice %s of transaction %s failed", notice.id, notice.transaction_id)
            self._line.popleft()

    async def _delivered(self, notice: Notice) -> bool:
        for pause in (*PAUSES_S, None):
            again = await self._tried(notice)
            if again is None:
                return True
            if not again or pause is None:
                return False
            await self._sleep(pause)
        return False

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
