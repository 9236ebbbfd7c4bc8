"""What a caller used at all gateways on one store, without asking the store at each request.

Each gateway counts by itself and settles in lots: when a caller has used up a lot here, it is added to a counter in the
store in the background, and the sum that comes back is what all gateways used. So no request waits for the store, and
whoever asks less than a lot a minute costs it nothing. The price: a caller can be over by one lot for each gateway.

While the store does not answer each gateway counts for itself, as it does anyway (``limits.py``).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable

from gateway.errors import StoreUnavailable
from gateway.state.store import Space, Store

WINDOW_S = 60
LOTS = 32
"""Lots of one allowance: over by 3 % for each gateway at most."""
MAX_KEYS = 50_000
"""Callers that are counted; beyond that all are forgiven."""
_LOG = logging.getLogger("countersign.rate")


class _Used:
    __slots__ = ("elsewhere", "here", "reported", "reporting")

    def __init__(self) -> None:
        self.here = 0
        self.reported = 0
        self.elsewhere = 0
        self.reporting = False


class SharedCount:
    """``allowance`` requests within one minute of the clock. ``now`` is unix seconds."""

    def __init__(self, store: Store, allowance: int, *, now: Callable[[], float]) -> None:
        self._store = store
        self._allowance = allowance
        self._lot = max(1, allowance // LOTS)
        self._now = now
        self._window = 0
        self._used: dict[str, _Used] = {}
        self._settling: set[asyncio.Task[None]] = set()
        self._well = True

    def count(self, key: str) -> float:
        """One more request. 0.0, or the seconds until the next minute where all gateways together had enough."""
        now = self._now()
        window = int(now // WINDOW_S)
        if window != self._window or len(self._used) >= MAX_KEYS:
            self._window, self._used = window, {}
        used = self._used.get(key)
        if used is None:
            used = self._used[key] = _Used()
        if used.here + used.elsewhere >= self._allowance:
            return WINDOW_S - now % WINDOW_S
        used.here += 1
        if used.here - used.reported >= self._lot and not used.reporting:
            used.reporting = True
            task = asyncio.ensure_future(self._settle(key, window, used))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
        return 0.0

    async def aclose(self) -> None:
        """Wait for what is being settled."""
        while self._settling:
            await asyncio.gather(*self._settling)

    async def _settle(self, key: str, window: int, used: _Used) -> None:
        lot = used.here - used.reported
        name = f"caller:{window}:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        try:
            total = await self._store.increment(Space.COUNTER, name, lot, ttl_s=2 * WINDOW_S)
            used.reported += lot
            used.elsewhere = max(used.elsewhere, total - used.reported)
            self._well = True
        except StoreUnavailable as problem:
            if self._well:
                _LOG.warning("requests are counted at each gateway alone: %s", problem.message)
            self._well = False
        finally:
            used.reporting = False
