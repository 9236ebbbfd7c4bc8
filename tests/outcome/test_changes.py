"""Who waits is woken by who writes, also by another process, and a thousand who wait are not felt."""

import asyncio

import msgspec
import pytest

from gateway.errors import StoreUnavailable
from gateway.outcome.changes import Changes
from gateway.outcome.pending import Pending, Waiting
from gateway.state.store import Store
from tests.support.clock import ManualClock
from tests.support.until import until
from tests.support.waiting import a_pending, a_signature

LONG_S = 3600.0


class Shelf:
    """What is kept, and how often it was looked at."""

    def __init__(self) -> None:
        self.kept: dict[str, object] = {}
        self.looks = 0
        self.broken = False

    async def look(self, key: str) -> object:
        self.looks += 1
        if self.broken:
            raise StoreUnavailable("The store did not answer.")
        return self.kept.get(key)


@pytest.fixture
def shelf() -> Shelf:
    """An empty one."""
    return Shelf()


async def test_a_write_in_this_process_wakes_at_once(shelf: Shelf) -> None:
    """Though the next look at the store is an hour away."""
    changes = Changes(shelf.look, poll_s=LONG_S)
    waiting = asyncio.create_task(changes.other_than("k", None, within_s=LONG_S))
    await until(lambda: shelf.looks == 1)
    shelf.kept["k"] = "moved"
    changes.tell("other")
    changes.tell("k")
    await waiting


async def test_what_moved_before_is_not_waited_for(shelf: Shelf) -> None:
    """The look comes after the watch: no change falls between them."""
    shelf.kept["k"] = "moved"
    await Changes(shelf.look, poll_s=LONG_S).other_than("k", None, within_s=LONG_S)


async def test_a_write_of_another_process_is_found(shelf: Shelf) -> None:
    """Nobody tells; also after the store was away for a while."""
    changes = Changes(shelf.look, poll_s=0.01, pause_s=0.001)
    waiting = asyncio.create_task(changes.other_than("k", None, within_s=LONG_S))
    await until(lambda: shelf.looks >= 2)
    shelf.broken = True
    seen = shelf.looks
    await until(lambda: shelf.looks > seen + 1)
    shelf.broken = False
    shelf.kept["k"] = "moved"
    await waiting


async def test_the_wait_has_an_end(shelf: Shelf) -> None:
    """And leaves nothing running."""
    changes = Changes(shelf.look, poll_s=LONG_S)
    before = asyncio.all_tasks()
    await changes.other_than("k", None, within_s=0.01)
    await until(lambda: asyncio.all_tasks() == before)


async def test_a_store_that_is_away_is_said_at_once(shelf: Shelf) -> None:
    """Nobody is held over a store that cannot tell."""
    shelf.broken = True
    with pytest.raises(StoreUnavailable):
        await Changes(shelf.look).other_than("k", None, within_s=LONG_S)


async def test_a_thousand_who_wait_cost_what_one_look_costs(shelf: Shelf) -> None:
    """One look each when the wait begins; after that one task looks at one of them at a time."""
    changes = Changes(shelf.look, poll_s=LONG_S, pause_s=LONG_S)
    before = len(asyncio.all_tasks())
    waiting = [
        asyncio.create_task(changes.other_than(f"k{number}", None, within_s=LONG_S)) for number in range(1000)
    ]
    await until(lambda: shelf.looks == 1000)
    assert len(asyncio.all_tasks()) == before + 1000 + 1
    for number in range(1000):
        changes.tell(f"k{number}")
    await asyncio.gather(*waiting)
    assert shelf.looks == 1000


async def test_a_signature_wakes_who_is_held(waiting: Waiting, store: Store, clock: ManualClock) -> None:
    """At the real store: by whoever replaces it here, and by whoever replaces it over a handle of its own."""
    other_process = Waiting(store, now=clock)
    for writer in (waiting, other_process):
        pending = await waiting.open(a_pending())
        held = asyncio.create_task(waiting.changes.other_than(pending.key, pending, within_s=LONG_S))
        assert await writer.replace(pending, signed(pending))
        await held
        assert await waiting.claim(signed(pending))


def signed(pending: Pending) -> Pending:
    """With one signature."""
    return msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
