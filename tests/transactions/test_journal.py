"""Written down before it leaves, settled after it was answered, and never a second time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from gateway.errors import StoreUnavailable, TokenRefused, UpstreamUnavailable
from gateway.outcome.parked import Question
from gateway.outcome.pending import CONTINUATION_TTL_S
from gateway.policy.decision import DuplicatesObligation, ReplayObligation
from gateway.state.sqlite import SqliteStore
from gateway.state.store import MAX_ENTRIES, Space
from gateway.transactions.journal import WAITING_MARGIN_S
from gateway.transactions.transaction import How, State
from gateway.upstream.target import Effect, Reply
from tests.support.clock import ManualClock
from tests.support.stores import Stores
from tests.support.transactions import KEPT
from tests.support.walking import MONEY, done
from tests.transactions.conftest import Desk

REFUNDED = done(
    {"content": [], "structuredContent": {"id": "1JU08902781691411"}}, debug_id="f1", request_id="t1"
)


async def test_it_is_in_the_store_before_it_leaves(desk: Desk, beside: Desk) -> None:
    """While the target works, every gateway sees whose call is on its way, and the ids to look for."""

    async def looked() -> None:
        found = await beside.kept()
        assert (found.state, found.instance, found.outcome) == (State.OPEN, "one", None)
        assert (found.server, found.tool, found.subject) == ("bank", "create_refund", "agent-one")
        assert (found.idempotency_key, found.kept, found.data_class) == ("t1", KEPT, 2)

    desk.sending, desk.reply = looked, REFUNDED
    assert await desk.carried(replay=ReplayObligation(within_seconds=60)) is desk.reply
    kept = await beside.kept()
    assert (kept.state, kept.outcome, kept.how) == (State.SETTLED, Effect.EXECUTED, How.ANSWER)
    assert (kept.resource_id, kept.debug_id, kept.request_id) == ("1JU08902781691411", "f1", "t1")
    assert (kept.kept, kept.finished_at) == ({}, desk.clock())
    assert kept.replay_until == desk.clock() + 60


async def test_free_text_of_the_arguments_is_not_kept(desk: Desk) -> None:
    """A note to the payer is nobody's business after the call; the hash still is."""
    desk.sending = desk.lease.renew
    await desk.carried(arguments={**KEPT, "note_to_payer": "Dear Ada"})
    for space in (Space.TRANSACTION, Space.DUPLICATE):
        rows = await desk.store.entries(space, limit=MAX_ENTRIES)
        assert not any(b"Ada" in value for _, value in rows)


@pytest.mark.parametrize(("by_policy", "written"), [(4, False), (3, True), (None, True)])
async def test_reads_pay_nothing(desk: Desk, by_policy: int | None, *, written: bool) -> None:
    """Classes 4 and 5 leave no row, not even for a moment; a tool without a class is taken for sensitive."""

    async def looked() -> None:
        assert (await desk.book.find("t1") is not None) == written

    desk.sending = looked
    await desk.carried(tool="get_refund", data_class=by_policy)
    assert desk.sent == ["t1"]
    assert (await desk.book.find("t1") is not None) == written


async def test_a_policy_that_calls_a_refund_harmless_does_not_get_it_past_the_journal(desk: Desk) -> None:
    """The class table counts, too."""
    await desk.carried(data_class=5)
    assert (await desk.kept()).outcome is Effect.EXECUTED


async def test_a_transaction_leaves_once(desk: Desk, beside: Desk) -> None:
    """Two tokens of one transaction, at two gateways: the second is refused before anything is sent."""
    await desk.carried()
    for other in (desk, beside):
        with pytest.raises(TokenRefused) as refused:
            await other.carried()
        assert refused.value.code == "transaction.already_begun"
    assert (desk.sent, beside.sent) == (["t1"], [])


async def test_what_was_not_sent_is_settled_as_refused(desk: Desk) -> None:
    """The target could not be reached: nobody has to look for an effect."""
    desk.reply = UpstreamUnavailable("away")
    with pytest.raises(UpstreamUnavailable):
        await desk.carried()
    kept = await desk.kept()
    assert (kept.state, kept.outcome, kept.how) == (State.SETTLED, Effect.REFUSED, How.NEVER_SENT)


async def test_an_unknown_outcome_keeps_what_a_person_needs(desk: Desk) -> None:
    """The ids and the amount, and no end of its life."""
    desk.reply = Reply(effect=Effect.UNKNOWN)
    await desk.carried()
    kept = await desk.kept()
    assert (kept.outcome, kept.how, kept.kept) == (Effect.UNKNOWN, How.NOBODY, KEPT)


async def test_a_known_outcome_is_kept_for_a_day(desk: Desk, stores: Stores) -> None:
    """The audit has it for good; what is unknown stays until it is settled."""
    await desk.carried("known")
    desk.reply = Reply(effect=Effect.UNKNOWN)
    await desk.carried("unknown")
    stores.advance(24 * 3600 + 1)
    assert await desk.book.find("known") is None
    assert (await desk.kept("unknown")).outcome is Effect.UNKNOWN


async def test_what_was_sent_is_kept_while_nobody_knows(desk: Desk) -> None:
    """All of it, for a person to read or have sent again; of a call whose end is known, nothing."""
    arguments = {**KEPT, "note_to_payer": "Dear Ada"}
    desk.reply = Reply(effect=Effect.UNKNOWN)
    await desk.carried(arguments=arguments)
    kept = await desk.kept()
    assert kept.sent is not None
    assert kept.sent.arguments == arguments
    assert kept.money == MONEY


async def test_where_arguments_are_not_kept_none_are_written(desk: Desk) -> None:
    """``transactions.arguments_hours: 0``: not even for a moment."""
    desk.journal = desk.opened(keep_arguments=False)
    desk.sending = desk.kept
    desk.reply = Reply(effect=Effect.UNKNOWN)
    await desk.carried(arguments={**KEPT, "note_to_payer": "Dear Ada"})
    assert (await desk.kept()).sent is None


async def test_a_caller_that_goes_away_leaves_an_unknown_outcome(desk: Desk) -> None:
    """Cancelled in the middle: the target was told to stop, and nobody knows how far it got."""
    begun = asyncio.Event()

    async def works() -> None:
        begun.set()
        await asyncio.Event().wait()

    desk.sending = works
    task = asyncio.ensure_future(desk.carried())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await desk.journal.aclose()
    assert (await desk.kept()).outcome is Effect.UNKNOWN


class StuckStore(SqliteStore):
    """Writes a transaction down, and is slow to say so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.written, self.said = asyncio.Event(), asyncio.Event()

    async def add(self, space: Space, key: str, value: bytes, *, ttl_s: float | None) -> bool:
        """See ``Store.add``."""
        added = await super().add(space, key, value, ttl_s=ttl_s)
        if space is Space.TRANSACTION:
            self.written.set()
            await self.said.wait()
        return added


@pytest.mark.parametrize("times", [1, 2])
async def test_a_caller_that_goes_away_before_its_call_leaves(tmp_path: Path, times: int) -> None:
    """Attack: hang up while the call is written down. It did not leave, and is in nobody's way: not in that of an equal
    call, and not in that of a budget."""
    store = StuckStore(tmp_path / "state.db")
    desk = Desk(store=store, instance="one", clock=ManualClock(), monotonic=ManualClock(0))
    window = DuplicatesObligation(window_seconds=60)
    task = asyncio.ensure_future(desk.carried(duplicates=window))
    await store.written.wait()
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    store.said.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await desk.journal.aclose()
    assert desk.sent == []
    kept = await desk.kept()
    assert (kept.state, kept.outcome, kept.how) == (State.SETTLED, Effect.REFUSED, How.NEVER_SENT)
    assert desk.followed == [kept]
    assert await desk.carried("t2", duplicates=window) is desk.reply
    assert desk.sent == ["t2"]
    assert desk.slept == []
    await store.aclose()


async def test_a_question_waits_and_goes_on_in_any_gateway(desk: Desk, beside: Desk) -> None:
    """The same transaction: waiting, open again where the host came back, settled there."""
    desk.reply = Reply(effect=Effect.WAITING, result=msgspec.Raw(b"{}"))
    await desk.carried()
    waits = await desk.kept()
    assert waits.state is State.WAITING
    assert waits.waiting_until == desk.clock() + CONTINUATION_TTL_S + WAITING_MARGIN_S
    with pytest.raises(TokenRefused):
        await beside.carried()  # only its own way back leads into it
    await beside.carried(resumed=True)
    kept = await desk.kept()
    assert (kept.outcome, kept.instance) == (Effect.EXECUTED, "two")
    with pytest.raises(TokenRefused):
        await desk.carried(resumed=True)
    assert (desk.sent, beside.sent) == (["t1"], ["t1"])


async def test_a_call_that_nobody_comes_back_to_is_unknown(desk: Desk) -> None:
    """Parked, lapsed; and what is no longer waiting does not lapse."""
    desk.reply = Question(parked="p1", input_requests={})
    await desk.carried()
    await desk.journal.lapsed("t1")
    assert (await desk.kept()).outcome is Effect.UNKNOWN
    desk.reply = done()
    await desk.carried("t2")
    await desk.journal.lapsed("t2")
    assert (await desk.kept("t2")).outcome is Effect.EXECUTED


async def test_without_the_store_nothing_leaves(desk: Desk) -> None:
    """The store goes away between the phases."""
    await desk.store.aclose()
    with pytest.raises(StoreUnavailable):
        await desk.carried()
    assert desk.sent == []


async def test_a_store_that_goes_away_meanwhile_does_not_hide_the_answer(desk: Desk, beside: Desk) -> None:
    """The money has moved: the caller is told, and the row stays open for the next recovery."""
    desk.sending = desk.store.aclose
    assert await desk.carried() is desk.reply
    assert (await beside.kept()).state is State.OPEN


async def test_a_process_that_stood_still_gets_its_lease_back_first(desk: Desk) -> None:
    """Others may have looked its calls up by now; what it sends from here on is its own again."""
    desk.monotonic.advance(60)
    await desk.carried()
    assert desk.lease.held


class StallingStore(SqliteStore):
    """Takes a minute over an insert."""

    def __init__(self, path: Path, monotonic: ManualClock) -> None:
        super().__init__(path)
        self._monotonic = monotonic

    async def add(self, space: Space, key: str, value: bytes, *, ttl_s: float | None) -> bool:
        """See ``Store.add``."""
        added = await super().add(space, key, value, ttl_s=ttl_s)
        self._monotonic.advance(60)
        return added


async def test_what_was_written_down_too_slowly_is_not_sent(tmp_path: Path) -> None:
    """By then this process may count as dead and the call as looked up: it must not leave afterwards."""
    monotonic = ManualClock(0)
    store = StallingStore(tmp_path / "slow.db", monotonic)
    desk = Desk(store=store, instance="one", clock=ManualClock(), monotonic=monotonic)
    with pytest.raises(StoreUnavailable):
        await desk.carried()
    assert desk.sent == []
    kept = await desk.kept()
    assert (kept.outcome, kept.how) == (Effect.REFUSED, How.NEVER_SENT)
    await store.aclose()


async def test_the_answer_counts_more_than_what_a_recovery_did_not_find(desk: Desk, beside: Desk) -> None:
    """Taken for dead, looked up, called unknown; then its own answer comes after all."""

    async def taken_over() -> None:
        open_ = await beside.kept()
        gone = msgspec.structs.replace(open_, instance="two", state=State.SETTLED, outcome=Effect.UNKNOWN)
        assert await beside.book.replace(open_, gone)

    desk.sending = taken_over
    await desk.carried()
    kept = await beside.kept()
    assert kept.outcome is Effect.EXECUTED
    assert desk.followed == [kept]  # they had been told that it is unknown


async def test_what_a_person_found_stands(desk: Desk, beside: Desk) -> None:
    """A late answer that differs is logged, and changes nothing."""

    async def settled() -> None:
        open_ = await beside.kept()
        found = msgspec.structs.replace(
            open_, state=State.SETTLED, outcome=Effect.EXECUTED, how=How.PERSON, settled_by="ann"
        )
        assert await beside.book.replace(open_, found)

    desk.sending, desk.reply = settled, Reply(effect=Effect.REFUSED)
    await desk.carried()
    assert (await beside.kept()).settled_by == "ann"
    assert desk.followed == []


async def test_five_hundred_begin_one_transaction(desk: Desk, beside: Desk) -> None:
    """Whatever went wrong before: two stores, five hundred tries, one that leaves."""
    tries = [one.carried() for one in (desk, beside) for _ in range(250)]
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, Reply) for one in ended) == 1
    assert sum(isinstance(one, TokenRefused) for one in ended) == 499
    assert len(desk.sent) + len(beside.sent) == 1
