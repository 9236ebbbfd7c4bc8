"""One house for all attacks that leave it as they found it: PayPal, two other servers, the default policy softened."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.state.store import MAX_ENTRIES, Space
from tests.support.console import Person, signed_in
from tests.support.depot import Depot, running_depot
from tests.support.house import House


@pytest.fixture(scope="package")
async def everything(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Depot]:
    """Started once for the folder."""
    async with running_depot(tmp_path_factory.mktemp("attacked"), reload=True) as running:
        yield running


@pytest.fixture
async def depot(everything: Depot) -> Depot:
    """The other servers list what they listed at first; PayPal and the store have forgotten earlier tests."""
    everything.relist()
    everything.house.simulator.reset()
    store = everything.house.gateway.store
    for space in (Space.PENDING, Space.DEADLINE, Space.HANDSHAKE):
        for key, _ in await store.entries(space, limit=MAX_ENTRIES):
            await store.take(space, key)
    return everything


@pytest.fixture
def house(depot: Depot) -> House:
    """The house under attack."""
    return depot.house


@pytest.fixture
async def person(house: House) -> AsyncIterator[Person]:
    """An honest approver at the console."""
    async with signed_in(house) as somebody:
        yield somebody
