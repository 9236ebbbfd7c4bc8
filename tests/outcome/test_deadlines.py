"""What nobody confirms in time was refused by time: said once, recorded once, executed never."""

import msgspec
import pytest

from gateway.errors import AuditUnavailable, StoreUnavailable
from gateway.outcome.deadlines import KEPT_S, Deadlines
from gateway.outcome.pending import Pending, Status, Waiting
from gateway.state.store import Space, Store
from tests.support.clock import ManualClock
from tests.support.waiting import a_pending, a_signature


class Desk:
    """Deadlines that keep what they tell."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.told: list[str] = []
        self.problem: Exception | None = None
        self.deadlines = Deadlines(store, now=clock, told=(self._break, self._tell))

    async def _break(self, pending: Pending) -> None:
        if self.problem is not None:
            raise self.problem

    async def _tell(self, pending: Pending) -> None:
        assert pending.status is Status.WAITING
        self.told.append(pending.transaction_id)


@pytest.fixture
def desk(store: Store, clock: ManualClock) -> Desk:
    """Over the usual store."""
    return Desk(store, clock)


async def waits(desk: Desk, waiting: Waiting) -> Pending:
    """A call that waits."""
    pending = await waiting.open(a_pending())
    await desk.deadlines.opened(pending)
    return pending


async def test_the_end_is_told_once_to_everybody(desk: Desk, waiting: Waiting, clock: ManualClock) -> None:
    """To those who listen when it is noticed, to the caller when it comes back, and to neither twice."""
    pending = await waits(desk, waiting)
    clock.advance(600)
    await desk.deadlines.look()
    await desk.deadlines.look()
    assert desk.told == [pending.transaction_id]
    ended = await desk.deadlines.passed(pending.key)
    assert ended is not None
    assert (ended.transaction_id, ended.status) == (pending.transaction_id, Status.TIMED_OUT)
    assert await desk.deadlines.passed(pending.key) is None
    assert desk.told == [pending.transaction_id]


async def test_a_caller_that_comes_back_first_ends_it(
    desk: Desk, waiting: Waiting, clock: ManualClock
) -> None:
    """Whoever listens hears of it all the same."""
    pending = await waits(desk, waiting)
    clock.advance(600)
    assert await desk.deadlines.passed(pending.key) is not None
    await desk.deadlines.look()
    assert desk.told == [pending.transaction_id]


async def test_of_two_processes_one_tells(
    desk: Desk, store: Store, waiting: Waiting, clock: ManualClock
) -> None:
    """Of their callers too."""
    pending = await waits(desk, waiting)
    other = Desk(store, clock)
    clock.advance(600)
    assert await other.deadlines.passed(pending.key) is not None
    assert await desk.deadlines.passed(pending.key) is None
    await desk.deadlines.look()
    assert desk.told + other.told == [pending.transaction_id]


async def test_what_waits_has_not_ended(desk: Desk, waiting: Waiting, clock: ManualClock) -> None:
    """Not a second before; also when somebody sets the clock back."""
    pending = await waits(desk, waiting)
    for seconds in (599, -3600):
        clock.advance(seconds)
        await desk.deadlines.look()
        assert await desk.deadlines.passed(pending.key) is None
    assert desk.told == []


@pytest.mark.parametrize("end", ["executed", "refused"])
async def test_what_ended_otherwise_does_not_time_out(
    desk: Desk, waiting: Waiting, clock: ManualClock, end: str
) -> None:
    """A call that ran, or that somebody refused, was not forgotten by anybody."""
    pending = await waits(desk, waiting)
    if end == "executed":
        signed = msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
        assert await waiting.replace(pending, signed)
        assert await waiting.claim(signed)
    else:
        no = msgspec.structs.replace(pending, status=Status.REFUSED, refused_by="bob")
        assert await waiting.replace(pending, no)
    clock.advance(600)
    await desk.deadlines.look()
    assert await desk.deadlines.passed(pending.key) is None
    assert desk.told == []
    assert not desk.deadlines.knows(pending.key)


async def test_the_copy_can_never_be_executed(desk: Desk, waiting: Waiting, clock: ManualClock) -> None:
    """It is kept where nothing is claimed, and is gone after a while."""
    pending = await waits(desk, waiting)
    clock.advance(600)
    await desk.deadlines.look()
    assert await waiting.find(pending.key) is None
    assert not await waiting.claim(pending)
    clock.advance(KEPT_S + 1)
    assert await desk.deadlines.passed(pending.key) is None
    await desk.deadlines.look()
    assert not desk.deadlines.knows(pending.key)


@pytest.mark.parametrize(
    "problem", [AuditUnavailable("full"), StoreUnavailable("away"), RuntimeError("a defect")]
)
async def test_one_who_listens_badly_keeps_nobody_from_hearing(
    desk: Desk, waiting: Waiting, clock: ManualClock, problem: Exception
) -> None:
    """The time is up all the same."""
    pending = await waits(desk, waiting)
    desk.problem = problem
    clock.advance(600)
    await desk.deadlines.look()
    assert desk.told == [pending.transaction_id]
    assert await desk.deadlines.passed(pending.key) is not None


async def test_another_process_learns_what_waited_before_it_started(
    desk: Desk, store: Store, waiting: Waiting, clock: ManualClock
) -> None:
    """Nothing that times out while nobody runs is lost."""
    pending = await waits(desk, waiting)
    clock.advance(600)
    later = Desk(store, clock)
    await later.deadlines.recall()
    await later.deadlines.look()
    assert later.told == [pending.transaction_id]


async def test_what_no_longer_reads_is_nobodys_end(desk: Desk, store: Store, waiting: Waiting) -> None:
    """A copy that somebody wrote over."""
    pending = await waits(desk, waiting)
    await store.put(Space.DEADLINE, pending.key, b"{", ttl_s=60)
    assert await desk.deadlines.passed(pending.key) is None
