"""A clock, a real store and what waits in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.outcome.pending import Waiting
from gateway.state.open import open_store
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Store
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """The gateway's clock; the store of these tests follows it too."""
    return ManualClock()


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """The file of the store."""
    return tmp_path / "state.sqlite3"


@pytest.fixture
async def store(store_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    """A real store whose clock stands until a test moves it."""
    store = SqliteStore(store_path, now=clock)
    yield store
    await store.aclose()


@pytest.fixture
async def wall_store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store by its own clock, as the gateway opens it; it forgets nothing while a test moves only ``clock``."""
    store = open_store(f"sqlite:///{tmp_path}/wall.sqlite3")
    yield store
    await store.aclose()


@pytest.fixture
def waiting(store: Store, clock: ManualClock) -> Waiting:
    """Tokens and pending calls over that store."""
    return Waiting(store, now=clock)
