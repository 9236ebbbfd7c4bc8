"""Whether a gateway process lives, as the others see it: a row in the store that it renews and that runs out by itself.

A process that dies leaves open transactions behind; one that is merely slow must keep its own. The row's end is the
store's clock, so hosts need not agree on the time. Attack by accident: a process that stood still (a stopped container,
a store that was away) longer than its lease wakes up and sends what others have already looked up and given up. So it
looks at its own lease, by its own monotonic clock, before it lets a call leave.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from gateway.errors import StoreUnavailable
from gateway.state.store import Space, Store

TTL_S = 30.0
"""Seconds from the last sign of life until a process counts as dead."""
RENEW_S = 10.0
"""Seconds between two signs of life: two may be lost."""
MARGIN_S = 2.0
"""A lease is no longer relied on this long before it ends: what was let go has to leave in between."""


class Lease:
    """This process's own sign of life, and a look at those of others. ``monotonic`` is seconds."""

    def __init__(
        self,
        store: Store,
        *,
        monotonic: Callable[[], float],
        ttl_s: float = TTL_S,
        instance: str | None = None,
    ) -> None:
        self._store = store
        self._monotonic = monotonic
        self.ttl_s = ttl_s
        self.instance = instance or secrets.token_hex(8)
        self._until: float | None = None

    @property
    def held(self) -> bool:
        """Whether the others certainly believe that this process lives."""
        return self._until is not None and self._monotonic() < self._until

    async def renew(self) -> None:
        """Give a sign of life. :raises StoreUnavailable:"""
        began = self._monotonic()  # before: the store counts from when it took it
        await self._store.put(Space.INSTANCE, self.instance, b"alive", ttl_s=self.ttl_s)
        self._until = began + self.ttl_s - min(MARGIN_S, self.ttl_s / 4)

    async def ensure(self) -> None:
        """Hold it, or get it again. :raises StoreUnavailable: then nothing may leave."""
        if not self.held:
            await self.renew()
            if not self.held:
                raise StoreUnavailable("The state store answered too late.")

    async def alive(self, instance: str) -> bool:
        """Whether that process gave a sign of life in time. :raises StoreUnavailable:"""
        return await self._store.get(Space.INSTANCE, instance) is not None

    async def release(self) -> None:
        """The end of this process, on its own account: what it left behind may be looked up at once."""
        self._until = None
        await self._store.take(Space.INSTANCE, self.instance)
