"""The clockwork: looks at the start and again, gives signs of life, and says when it ends."""

from __future__ import annotations

import pytest

from gateway.errors import StoreUnavailable
from gateway.transactions.keeper import TELL_S, Keeper
from gateway.transactions.recovery import Sweep
from tests.support.until import until, until_answered
from tests.transactions.conftest import Desk

QUICK_S = 0.01


class Looks:
    """A recovery that only counts."""

    def __init__(self, *said: Sweep | Exception) -> None:
        self.count = 0
        self._said = list(said)

    async def sweep(self) -> Sweep:
        """See ``Recovery.sweep``."""
        self.count += 1
        said = self._said.pop(0) if self._said else Sweep()
        if isinstance(said, Exception):
            raise said
        return said


async def looked(looks: Looks, count: int) -> None:
    """Until it has looked so often."""
    await until(lambda: looks.count == count)


def keeper(desk: Desk, looks: Looks) -> Keeper:
    """One that renews at once."""
    return Keeper(desk.lease, looks, monotonic=desk.monotonic, renew_s=QUICK_S)


async def test_it_looks_at_the_start_and_says_when_it_ends(desk: Desk, beside: Desk) -> None:
    """The look goes on beside the calls; after the end nobody waits for the lease to be over."""
    looks = Looks()
    running = keeper(desk, looks)
    await running.start()
    assert await beside.lease.alive("one")
    await until(lambda: looks.count == 1)
    await running.aclose()
    assert not await beside.lease.alive("one")


async def test_it_looks_again_soon_where_something_is_left(desk: Desk) -> None:
    """The process that holds it may be dead already; otherwise the next look has time."""
    looks = Looks(Sweep(left=1))
    running = keeper(desk, looks)
    await running.start()
    await until(lambda: looks.count == 1)
    desk.monotonic.advance(desk.lease.ttl_s / 2)
    await until(lambda: looks.count == 2)
    desk.monotonic.advance(2 * desk.lease.ttl_s)
    await until(lambda: looks.count == 3)
    await running.aclose()


async def test_a_look_that_breaks_stops_no_sign_of_life(desk: Desk, beside: Desk) -> None:
    """Whether the store is away or a row is broken: it looks again."""
    looks = Looks(StoreUnavailable("away"), RuntimeError("broken"))
    running = keeper(desk, looks)
    await running.start()
    for expected in (1, 2, 3):
        await looked(looks, expected)
        desk.monotonic.advance(2 * desk.lease.ttl_s)

    async def alive() -> bool:
        return desk.lease.held and await beside.lease.alive("one")

    await until_answered(alive)
    await running.aclose()


async def test_a_store_that_is_away_holds_no_start_up(desk: Desk) -> None:
    """Reads are carried out meanwhile; what needs the journal is refused until it is back."""
    await desk.store.aclose()
    running = keeper(desk, Looks())
    await running.start()
    await running.aclose()


async def test_what_waits_for_a_person_is_said_at_the_start(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, and again only when new ones wait after all were settled."""
    looks = Looks(Sweep(unknown=2), Sweep(unknown=2), Sweep(), Sweep(unknown=1))
    running = keeper(desk, looks)
    await running.start()
    for expected in range(1, 6):
        await looked(looks, expected)
        desk.monotonic.advance(2 * desk.lease.ttl_s)
    await running.aclose()
    said = [one.getMessage() for one in caplog.records if "wait for a person" in one.getMessage()]
    assert [one.split()[0] for one in said] == ["2", "1"]


async def test_what_waits_for_long_is_said_again(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Once a day: it never ends by itself, and logs are rotated."""
    looks = Looks(Sweep(unknown=2), Sweep(unknown=2), Sweep(unknown=2))
    running = keeper(desk, looks)
    await running.start()
    for expected, passes in enumerate((TELL_S - 1, 2, 2), start=1):
        await looked(looks, expected)
        desk.monotonic.advance(max(passes, 2 * desk.lease.ttl_s))
    await running.aclose()
    said = [one.getMessage() for one in caplog.records if "wait for a person" in one.getMessage()]
    assert len(said) == 2
