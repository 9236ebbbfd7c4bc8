"""The limits of a caller (R045): on everything, in this process; on each sensitive tool, at all gateways of one store.

Nothing is burnt by a request over the limit: it is refused before its token is looked at, and may come again in time.
What protects the gateway from strangers who never show a token is the proxy before it: an address says little here.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import msgspec

from gateway.errors import RateLimited
from gateway.identity.caller import Caller
from gateway.rate.bucket import Buckets
from gateway.state.store import Space, Store

WINDOW_S = 60


class CallerLimit:
    """See :class:`gateway.identity.verifier.Meter`. Each process counts for itself."""

    def __init__(self, per_minute: int, burst: int, *, monotonic: Callable[[], float]) -> None:
        self._buckets = Buckets(per_minute, burst, monotonic=monotonic)

    def count(self, caller: Caller) -> None:
        """One more request. :raises RateLimited:"""
        wait = self._buckets.take(caller.principal)
        if wait:
            raise RateLimited("You ask too often; wait, then ask again.", retry_after_s=math.ceil(wait))


class ToolLimit:
    """Calls of one caller to one sensitive tool, every phase counted, within one minute of the clock. ``now`` is unix
    seconds.

    A window that is fixed lets twice the number pass around its edge; it takes one operation of the store instead of a
    transaction. The store cannot say: the call is refused (``StoreUnavailable``).
    """

    def __init__(self, store: Store, per_minute: int, *, now: Callable[[], float]) -> None:
        self._store = store
        self._per_minute = per_minute
        self._now = now

    async def count(self, caller: Caller, server: str, tool: str) -> None:
        """One more call. :raises RateLimited: :raises StoreUnavailable:"""
        now = int(self._now())
        named = msgspec.json.encode((caller.principal, server, tool, now // WINDOW_S))
        key = "rate:" + hashlib.sha256(named).hexdigest()
        counted = await self._store.increment(Space.COUNTER, key, 1, ttl_s=2 * WINDOW_S, durable=False)
        if counted > self._per_minute:
            raise RateLimited(
                "You call this tool too often; wait, then call again.",
                code="rate.tool_exceeded",
                retry_after_s=WINDOW_S - now % WINDOW_S,
            )
