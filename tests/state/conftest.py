"""The stores under test: every contract test runs against SQLite and against a real Redis."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.state.store import Store
from tests.support.stores import Stores, redis_stores, sqlite_stores


@pytest.fixture(params=["sqlite", "redis"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """One kind of store, empty, whose time the test moves."""
    if request.param == "sqlite":
        found = sqlite_stores(tmp_path / "state.db")
    else:
        found = redis_stores(request.getfixturevalue("redis_url"))
    yield found
    await found.aclose()


@pytest.fixture
def store(stores: Stores) -> Store:
    """One store of that kind."""
    return stores.another()
