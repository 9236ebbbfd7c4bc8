"""How many calls one caller lets wait for a person. Attack: what floods the list of those who decide hides the one call
that they should have looked at, and fills the store.
"""

from __future__ import annotations

import hashlib

from gateway.errors import TokenRefused
from gateway.state.store import Space, Store

MAX_OPENED_OF_ONE = 100
"""Calls that one caller may let wait within :data:`OPENED_WINDOW_S`: far more than anybody decides on."""
OPENED_WINDOW_S = 600.0


async def count_opened(store: Store, principal: str, pending_key: str) -> None:
    """Count one more, or take it out again. Calls that were decided since count too: the window is short.

    :raises TokenRefused: ``confirm.too_many``.
    """
    key = "opened:" + hashlib.sha256(principal.encode("utf-8", "surrogatepass")).hexdigest()
    if await store.increment(Space.COUNTER, key, 1, ttl_s=OPENED_WINDOW_S) > MAX_OPENED_OF_ONE:
        await store.take(Space.PENDING, pending_key)
        raise TokenRefused(
            "Too many of your calls wait for a person; let them be decided first", code="confirm.too_many"
        )
