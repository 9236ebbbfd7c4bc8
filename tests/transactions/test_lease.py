"""A process lives as long as it says so in time."""

from __future__ import annotations

import pytest

from gateway.errors import StoreUnavailable
from gateway.transactions.lease import MARGIN_S, TTL_S
from tests.support.stores import Stores
from tests.transactions.conftest import Desk


async def test_a_sign_of_life_lasts_so_long(desk: Desk, beside: Desk, stores: Stores) -> None:
    """The others go by the store's clock, the process itself by its own, and a little shorter."""
    assert await beside.lease.alive("one")
    stores.advance(TTL_S - 1)
    assert await beside.lease.alive("one")
    stores.advance(1)
    assert not await beside.lease.alive("one")
    desk.monotonic.advance(TTL_S - MARGIN_S)
    held = [desk.lease.held]
    await desk.lease.ensure()
    assert [*held, desk.lease.held] == [False, True]
    assert await beside.lease.alive("one")


async def test_the_end_of_a_process_is_seen_at_once(desk: Desk, beside: Desk) -> None:
    """It says so itself."""
    await desk.lease.release()
    assert not await beside.lease.alive("one")
    assert not desk.lease.held


async def test_without_a_store_there_is_no_lease(desk: Desk) -> None:
    """What cannot be renewed lets nothing leave."""
    desk.monotonic.advance(TTL_S)
    await desk.store.aclose()
    with pytest.raises(StoreUnavailable):
        await desk.lease.ensure()
