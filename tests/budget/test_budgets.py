"""A call and what it reserves, from its first phase to what becomes of it; walked through all rooms."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.budget.releases import Releases
from gateway.errors import StoreUnavailable, TokenRefused, UpstreamUnavailable
from gateway.kill.orders import KEY, give
from gateway.kill.switch import KillSwitch
from gateway.outcome.answer import Again, Answer, Executed, MoreInput, Refused, Unknown
from gateway.outcome.authorize import AuthorizeOutcome
from gateway.outcome.pending import CONTINUATION_TTL_S, Binding, Status
from gateway.policy.money import Money
from gateway.state.ledger import Standing
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space
from gateway.transactions.book import TransactionBook
from gateway.transactions.settlement import Finding, Settlement
from gateway.upstream.target import Effect, Reply
from gateway.walk import walk
from tests.kill.test_orders import an_order
from tests.support.clock import ManualClock
from tests.support.waiting import a_signature
from tests.support.walking import (
    MAKE,
    OTHER,
    PAY,
    READ,
    REVISION,
    Rooms,
    StaticMoney,
    a_call,
    a_reason,
    an_answer,
    by_class,
    rooms,
)

DAY = 86400
LIMIT: dict[str, Any] = {
    "budget": "daily",
    "per": [],
    "currency": "USD",
    "limit": "30.00",
    "window_seconds": DAY,
}
"""Two calls of 12.00 fit, and no third."""
REFUSED = Reply(effect=Effect.REFUSED, result=msgspec.Raw(b'{"content":[],"isError":true}'), is_error=True)


def budgeted(question: dict[str, Any]) -> dict[str, Any]:
    """By class, and within one budget for everything that has an amount."""
    answer = by_class(question)
    if question["money"] is None:
        return answer
    answer = {**answer, "obligations": {**answer["obligations"], "limits": [LIMIT]}}
    counted = (question["usage"]["budgets"] or {}).get("daily")
    if counted is not None and counted["spent"] + counted["reserved"] + counted["amount"] > counted["limit"]:
        exceeded = an_answer("deny", reasons=[a_reason("deny", "budget.exceeded")])
        return {**exceeded, "obligations": {"limits": [LIMIT]}}
    return answer


class CountingStore(SqliteStore):
    """Counts the steps on the accounts."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        super().__init__(path, now=clock)
        self.steps: list[str] = []
        self.durable: list[bool] = []
        self.away = False
        self.reserving: asyncio.Event | None = None
        self.reserved = asyncio.Event()

    async def reserve(self, name: str, lines: Any, *, mode: Any, durable: bool = True) -> Any:
        """One."""
        self.steps.append(f"reserve {mode}")
        self.durable.append(durable)
        if self.away:
            raise StoreUnavailable("away")
        reserved = await super().reserve(name, lines, mode=mode, durable=durable)
        if self.reserving is not None:
            self.reserved.set()
            await self.reserving.wait()
        return reserved

    async def release(self, name: str, *, extent: Any) -> None:
        """One."""
        self.steps.append(f"release {extent}")
        if self.away:
            raise StoreUnavailable("away")
        await super().release(name, extent=extent)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Rooms]:
    """All rooms, with a budget."""
    async with rooms(tmp_path, store_of=CountingStore) as running:
        running.engine.answering = budgeted
        yield running


def steps(house: Rooms) -> list[str]:
    """What was done to the accounts since the last look."""
    assert isinstance(house.store, CountingStore)
    done, house.store.steps = house.store.steps, []
    return done


async def standing(house: Rooms) -> Standing:
    """What the one account stands at, in cents."""
    accounts = await house.store.accounts(limit=10)
    assert len(accounts) <= 1
    return accounts[0][1] if accounts else Standing()


async def first(house: Rooms, tool: str = MAKE, bill: str = "b1", **how: Any) -> Again:
    """The first phase."""
    answer = await walk(a_call(tool, {"bill": bill}, **how), house.house)
    assert isinstance(answer, Again), answer
    return answer


async def second(house: Rooms, before: Again, tool: str = MAKE, bill: str = "b1", **how: Any) -> Answer:
    """The second."""
    return await walk(a_call(tool, {"bill": bill}, token=before.token, **how), house.house)


async def made(house: Rooms, bill: str = "b1", reply: Any = None) -> Answer:
    """Both, for a tool of class 3."""
    if reply is not None:
        house.upstream.reply = reply
    return await second(house, await first(house, bill=bill), bill=bill)


async def signed(house: Rooms, **members: Any) -> None:
    """A person decides about what waits."""
    ((key, _),) = await house.store.entries(Space.PENDING, limit=10)
    pending = await house.waiting.find(key)
    assert pending is not None
    given = members or {"confirmations": (a_signature(pending, at=int(house.clock.now)),)}
    assert await house.waiting.replace(pending, msgspec.structs.replace(pending, **given))


def codes(answer: Answer) -> list[str]:
    """The reasons."""
    return [one.code for one in answer.about.reasons]


async def test_a_call_that_no_budget_concerns_costs_nothing(house: Rooms) -> None:
    """Not one step, and one question."""
    assert isinstance(await walk(a_call(READ), house.house), Executed)
    assert (steps(house), len(house.engine.questions)) == ([], 1)


async def test_one_step_for_each_phase(house: Rooms) -> None:
    """Held in the first, committed in the second; the policy hears the numbers, without the call's own amount."""
    before = await first(house)
    assert (steps(house), await standing(house)) == (["reserve hold"], Standing(1200, 0))
    assert isinstance(await second(house, before), Executed)
    assert (steps(house), await standing(house)) == (["reserve commit"], Standing(0, 1200))
    counted = [question["usage"]["budgets"] for question in house.engine.questions]
    numbers = {
        "currency": "USD",
        "window_seconds": DAY,
        "limit": 3000,
        "spent": 0,
        "reserved": 0,
        "amount": 1200,
    }
    assert counted == [None, {"daily": numbers}] * 2


async def test_what_no_power_cut_may_undo(house: Rooms) -> None:
    """A commit of a class that is in no journal; the others are on the disk with their journal's entry."""
    assert isinstance(house.store, CountingStore)
    await made(house)
    house.engine.answering = lambda _: an_answer("allow", data_class=4, obligations={"limits": [LIMIT]})
    await walk(a_call(MAKE, {"bill": "b2"}), house.house)
    assert house.store.durable == [False, False, True]


async def test_a_confirmation_holds_and_then_commits(house: Rooms) -> None:
    """From the first phase to the last under one transaction, and counted once."""
    before = await first(house, PAY)
    waiting = await second(house, before, PAY)
    assert isinstance(waiting, Again)
    assert await standing(house) == Standing(1200, 0)
    await signed(house)
    assert isinstance(await second(house, waiting, PAY), Executed)
    assert await standing(house) == Standing(0, 1200)
    assert steps(house) == ["reserve hold", "reserve hold", "reserve commit"]


async def test_what_waits_is_not_there_for_others(house: Rooms) -> None:
    """Two that wait are all; the third is refused by the policy, with the numbers, and holds nothing."""
    for bill in ("b1", "b2"):
        await first(house, bill=bill)
    refused = await walk(a_call(MAKE, {"bill": "b3"}), house.house)
    assert isinstance(refused, Refused)
    assert codes(refused) == ["budget.exceeded"]
    assert house.engine.questions[-1]["usage"]["budgets"]["daily"]["reserved"] == 2400
    assert await standing(house) == Standing(2400, 0)
    assert house.records()[-1]["reasons"] == ["budget.exceeded"]
    assert house.upstream.calls == []


async def test_a_token_that_nobody_uses_lets_go_by_itself(house: Rooms) -> None:
    """Thirty seconds and the margin later, without anybody looking."""
    await first(house)
    house.clock.advance(34.9)
    assert await standing(house) == Standing(1200, 0)
    house.clock.advance(0.1)
    assert (await standing(house), steps(house)) == (Standing(), ["reserve hold"])


async def test_the_window_slides(house: Rooms) -> None:
    """What was spent is free exactly a window later, whatever the calendar says."""
    await made(house, "b1")
    house.clock.advance(DAY - 60)
    await made(house, "b2")
    house.clock.advance(59)
    assert isinstance(await walk(a_call(MAKE, {"bill": "b3"}), house.house), Refused)
    house.clock.advance(1)
    assert isinstance(await made(house, "b3"), Executed)
    assert isinstance(await walk(a_call(MAKE, {"bill": "b4"}), house.house), Refused)


@pytest.mark.parametrize(
    ("reply", "kind", "left"),
    [
        (REFUSED, Executed, Standing()),
        (msgspec.structs.replace(REFUSED, effect=Effect.EXECUTED), Executed, Standing(0, 1200)),
        (msgspec.structs.replace(REFUSED, effect=Effect.UNKNOWN), Executed, Standing(0, 1200)),
        (Reply(effect=Effect.UNKNOWN), Unknown, Standing(0, 1200)),
        (RuntimeError("broke"), Unknown, Standing(0, 1200)),
    ],
    ids=["refused", "an error that had its effect", "an error of which nobody knows", "unknown", "broken"],
)
async def test_it_is_settled_by_its_effect(house: Rooms, reply: Any, kind: type, left: Standing) -> None:
    """Not by the type of its answer: only what certainly had no effect is given back."""
    assert isinstance(await made(house, reply=reply), kind)
    assert await standing(house) == left


async def test_a_target_that_cannot_be_reached(house: Rooms) -> None:
    """Nothing was sent, so nothing is spent."""
    with pytest.raises(UpstreamUnavailable):
        await made(house, reply=UpstreamUnavailable("away"))
    assert await standing(house) == Standing()


async def test_an_audit_that_cannot_take_the_record(house: Rooms) -> None:
    """Nothing was sent, so nothing is spent."""
    before = await first(house)
    await house.audit.aclose()
    with pytest.raises(Exception, match=r"audit|closed"):
        await second(house, before)
    assert house.upstream.calls == []
    assert await standing(house) == Standing()


async def test_what_is_unknown_is_kept_until_a_person_knows(house: Rooms) -> None:
    """Found failed: given back. Found executed: it stays, and was counted all the time."""
    for bill, finding, left in (("b1", Finding.FAILED, 0), ("b2", Finding.EXECUTED, 1200)):
        answer = await made(house, bill, Reply(effect=Effect.UNKNOWN))
        book = TransactionBook(house.store)
        transaction = await book.find(str(answer.about.transaction_id))
        assert transaction is not None
        assert await standing(house) == Standing(0, 1200)
        settlement = Settlement(book, now=house.clock, followers=(Releases(house.store),))
        assert await settlement.settle(transaction, finding, by="ann") is not None
        assert await standing(house) == Standing(0, left)


async def test_nobody_confirms_in_time(house: Rooms) -> None:
    """The amount is free as soon as one process has seen that the time is up."""
    before = await first(house, PAY)
    assert isinstance(await second(house, before, PAY), Again)
    house.clock.advance(600)
    await house.deadlines.look()
    assert await standing(house) == Standing()


async def test_nobody_confirms_in_time_and_nobody_looks(house: Rooms) -> None:
    """A gateway that died does not keep it: it lapses a margin later."""
    before = await first(house, PAY)
    assert isinstance(await second(house, before, PAY), Again)
    house.clock.advance(605)
    assert await standing(house) == Standing()


async def test_somebody_refuses(house: Rooms) -> None:
    """Free at once, before the caller has come back to hear it; and not held again when it does."""
    waiting = await second(house, await first(house, PAY), PAY)
    assert isinstance(waiting, Again)
    await signed(house, status=Status.REFUSED, refused_by="bob")
    assert await standing(house) == Standing()
    answer = await second(house, waiting, PAY)
    assert codes(answer) == ["confirm.refused"]
    assert await standing(house) == Standing()


async def test_a_later_phase_that_is_denied(house: Rooms) -> None:
    """What the first phase held is given back."""
    before = await first(house)
    limits = {"obligations": {"limits": [LIMIT]}}
    house.engine.answering = lambda _: an_answer("deny", **limits)
    assert isinstance(await second(house, before), Refused)
    assert await standing(house) == Standing()
    assert steps(house) == ["reserve hold", "release held"]


async def test_a_later_phase_that_does_not_fit_any_more(house: Rooms) -> None:
    """The operator lowered the limit while it waited: refused, and what it held is there for others."""
    before = await first(house)
    lowered = {**LIMIT, "limit": "10.00"}

    def lower(question: dict[str, Any]) -> dict[str, Any]:
        answer = budgeted(question)
        return {**answer, "obligations": {**answer["obligations"], "limits": [lowered]}}

    house.engine.answering = lower
    assert codes(await second(house, before)) == ["budget.exceeded"]
    assert (await standing(house), house.upstream.calls) == (Standing(), [])


async def test_who_may_not_call_at_all_holds_nothing(house: Rooms) -> None:
    """Attack: to keep a shared budget full with calls that are denied anyway. Not one step for them."""
    house.engine.answering = lambda _: an_answer("deny", obligations={"limits": [LIMIT]})
    assert isinstance(await walk(a_call(MAKE, {"bill": "b1"}), house.house), Refused)
    assert (steps(house), len(house.engine.questions)) == ([], 1)


async def test_the_numbers_may_change_what_is_asked_for(house: Rooms) -> None:
    """A policy that wants a person once half of it is spent: the allow becomes a confirmation, and only holds."""

    def half(question: dict[str, Any]) -> dict[str, Any]:
        answer = budgeted(question)
        counted = (question["usage"]["budgets"] or {}).get("daily") if question["usage"] else None
        if answer["outcome"] != "allow" or counted is None or counted["spent"] == 0:
            return answer
        return an_answer(
            "confirm", obligations={"confirm": {"by": ["human"]}, "limits": [LIMIT]}, data_class=3
        )

    house.engine.answering = half
    assert isinstance(await made(house, "b1"), Executed)
    waiting = await made(house, "b2")
    assert isinstance(waiting, Again)
    assert waiting.status == "confirmation_required"
    assert await standing(house) == Standing(1200, 1200)
    house.clock.advance(605)
    assert await standing(house) == Standing(0, 1200)


@pytest.mark.parametrize("obligations", [{}, {"limits": [{**LIMIT, "limit": "9999.00"}]}])
async def test_a_policy_that_changes_its_mind_in_between(house: Rooms, obligations: dict[str, Any]) -> None:
    """What the second answer names was not reserved: refused, nothing held, nothing sent."""

    def moved(question: dict[str, Any]) -> dict[str, Any]:
        if question["usage"]["budgets"] is None:
            return an_answer("allow", obligations={"limits": [LIMIT]})
        return an_answer("allow", obligations=obligations)

    house.engine.answering = moved
    assert codes(await walk(a_call(MAKE, {"bill": "b1"}), house.house)) == ["budget.not_counted"]
    assert (await standing(house), house.upstream.calls) == (Standing(), [])


async def test_another_policy_in_between(house: Rooms) -> None:
    """A new revision goes live between the two questions: what the old one named is not what the new one would."""

    def reloaded(question: dict[str, Any]) -> dict[str, Any]:
        if question["usage"]["budgets"] is not None:
            house.engine.revision = "r2"
        return an_answer("allow", obligations={"limits": [LIMIT]})

    house.engine.answering = reloaded
    assert codes(await walk(a_call(MAKE, {"bill": "b1"}), house.house)) == ["budget.not_counted"]
    assert (await standing(house), house.upstream.calls) == (Standing(), [])


async def test_an_order_that_stops_it_at_the_last_look(house: Rooms) -> None:
    """The operator's kill comes after it was reserved: it is given back, also where the order cannot be read."""
    switch = KillSwitch(house.store)
    await switch.refresh()
    before = await first(house)
    killing = dataclasses.replace(house.house, kills=switch)
    await give(house.store, an_order("tool", MAKE))
    call = a_call(MAKE, {"bill": "b1"}, token=before.token)
    assert codes(await walk(call, killing)) == ["kill.tool"]
    assert (await standing(house), house.upstream.calls) == (Standing(), [])

    await house.store.put(Space.KILL, KEY, b"not orders", ttl_s=None)
    with pytest.raises(StoreUnavailable):
        await walk(
            a_call(MAKE, {"bill": "b2"}), dataclasses.replace(house.house, kills=KillSwitch(house.store))
        )
    assert await standing(house) == Standing()


async def test_a_policy_that_does_not_mind_is_no_way_out(house: Rooms) -> None:
    """Invariant: what could not be reserved is not sent, though the policy would let it."""
    house.engine.answering = lambda _: an_answer("allow", obligations={"limits": [LIMIT]})
    for bill in ("b1", "b2"):
        assert isinstance(await walk(a_call(MAKE, {"bill": bill}), house.house), Executed)
    refused = await walk(a_call(MAKE, {"bill": "b3"}), house.house)
    assert codes(refused) == ["budget.exceeded"]
    assert len(house.upstream.calls) == 2


async def test_an_amount_that_cannot_be_counted(tmp_path: Path) -> None:
    """No decimals of its currency, no currency at all: refused, though the policy would let it."""
    for number, money in enumerate(
        [
            Money(amount="12.345", currency="USD", source="arguments"),
            Money(amount="12.00", currency="EUR", source="arguments"),
            Money(),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with rooms(folder, rules=StaticMoney(money)) as running:
            running.engine.answering = lambda _: an_answer("allow", obligations={"limits": [LIMIT]})
            assert codes(await walk(a_call(MAKE), running.house)) == ["budget.not_counted"]
            assert running.upstream.calls == []


async def test_a_store_that_is_away(house: Rooms) -> None:
    """What cannot be reserved is not let go on, and nothing was sent."""
    assert isinstance(house.store, CountingStore)
    before = await first(house)
    house.store.away = True
    for call in (a_call(MAKE, {"bill": "b2"}), a_call(MAKE, {"bill": "b1"}, token=before.token)):
        with pytest.raises(StoreUnavailable):
            await walk(call, house.house)
    assert house.upstream.calls == []


async def test_a_store_that_is_away_when_it_is_given_back(house: Rooms) -> None:
    """The answer of the target stands; the amount stays until its window is over."""
    assert isinstance(house.store, CountingStore)
    before = await first(house)
    store = house.store

    def refuse(tool: str, arguments: Any) -> Reply:
        store.away = True
        return REFUSED

    house.upstream.reply = refuse
    assert isinstance(await second(house, before), Executed)
    assert await standing(house) == Standing(0, 1200)


async def test_a_host_that_hangs_up_while_it_is_reserved(house: Rooms) -> None:
    """Attack: again and again, until nothing is left for the others. It is given back."""
    assert isinstance(house.store, CountingStore)
    before = await first(house)
    house.store.reserving = asyncio.Event()
    call = asyncio.ensure_future(second(house, before))
    await house.store.reserved.wait()
    call.cancel()
    await asyncio.sleep(0)
    house.store.reserving.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await standing(house), house.upstream.calls) == (Standing(), [])


async def test_a_host_that_hangs_up_while_it_is_sent(house: Rooms) -> None:
    """Nobody knows how far it got: it stays."""
    sent = asyncio.Event()

    async def never(tool: str, arguments: Any) -> Reply:
        sent.set()
        await asyncio.Event().wait()
        raise AssertionError

    house.upstream.reply = never
    call = asyncio.ensure_future(second(house, await first(house)))
    await sent.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await standing(house) == Standing(0, 1200)


async def test_an_equal_call_gives_back_its_own_only(house: Rooms) -> None:
    """The first is under way and unknown; the second is not sent, and the first stays counted."""

    def with_duplicates(question: dict[str, Any]) -> dict[str, Any]:
        answer = budgeted(question)
        if answer["outcome"] == "allow":
            answer["obligations"]["duplicates"] = {"window_seconds": 600}
        return answer

    house.engine.answering = with_duplicates
    await made(house, reply=Reply(effect=Effect.UNKNOWN))
    again = await made(house)
    assert again.about.duplicate_of is not None
    assert await standing(house) == Standing(0, 1200)
    assert len(house.upstream.calls) == 1


async def test_who_loses_the_race_for_a_confirmation_keeps_the_winners(house: Rooms) -> None:
    """Both commit the same transaction before one of them claims it. The loser gives back its share only."""
    waiting = await second(house, await first(house, PAY), PAY)
    assert isinstance(waiting, Again)
    await signed(house)
    reserved = 0
    both = asyncio.Event()

    async def together() -> None:
        nonlocal reserved
        if house.engine.questions[-1]["usage"]["budgets"] is not None:
            reserved += 1
            if reserved == 2:
                both.set()
            await both.wait()

    house.engine.thinking = together
    calls = (
        second(house, waiting, PAY),
        walk(a_call(PAY, {"bill": "b1"}, legacy=True), house.house),
    )
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(one) for one in ended} == {Executed, TokenRefused}
    assert len(house.upstream.calls) == 1
    assert await standing(house) == Standing(0, 1200)


async def test_a_transaction_that_was_begun_already(house: Rooms) -> None:
    """A second token of one transaction (never handed out, but a store may be restored): the first's amount stays."""
    call = a_call(MAKE, {"bill": "b1"})
    before = await first(house)
    assert isinstance(await second(house, before), Executed)
    entry = await house.house.catalog.current(call.server, call.tool, sensitive=True)
    binding = Binding(
        principal=(await house.house.identity.identify(call.credentials)).principal,
        server=call.server,
        tool=call.tool,
        definition_hash=entry.tool.definition_hash,
        arguments_hash=call.arguments_hash,
    )
    token, _ = await house.waiting.grant(
        binding, transaction_id=str(before.about.transaction_id), revision=REVISION, ttl_s=30
    )
    with pytest.raises(TokenRefused) as refused:
        await walk(msgspec.structs.replace(call, token=token), house.house)
    assert refused.value.code == "transaction.already_begun"
    assert await standing(house) == Standing(0, 1200)


async def test_a_call_of_several_rounds_is_counted_once(house: Rooms) -> None:
    """The target asks back: it stays; what it refuses in the end is given back as a whole."""
    question = msgspec.Raw(b'{"resultType":"input_required","inputRequests":{},"requestState":"s"}')
    house.upstream.reply = Reply(effect=Effect.WAITING, result=question, result_type="input_required")
    asks = await second(house, await first(house))
    assert isinstance(asks, MoreInput)
    assert await standing(house) == Standing(0, 1200)
    house.clock.advance(CONTINUATION_TTL_S - 60)
    house.upstream.reply = REFUSED
    assert isinstance(await walk(a_call(MAKE, {"bill": "b1"}, token=asks.token), house.house), Executed)
    assert await standing(house) == Standing()


async def test_a_token_from_the_rest_door_only_holds(house: Rooms) -> None:
    """``POST /authorize`` sends nothing, whatever the policy says: it holds, and lapses."""
    assert house.house.budgets is not None
    door = dataclasses.replace(
        house.house,
        allow=AuthorizeOutcome(house.waiting),
        budgets=house.house.budgets.without_sending(),
    )
    house.engine.answering = lambda _: an_answer("allow", data_class=3, obligations={"limits": [LIMIT]})
    answer = await walk(a_call(MAKE, {"bill": "b1"}), door)
    assert isinstance(answer, Again)
    assert await standing(house) == Standing(1200, 0)
    house.clock.advance(35)
    assert await standing(house) == Standing()


async def test_a_house_that_cannot_count(house: Rooms) -> None:
    """What a budget concerns is refused there."""
    answer = await walk(a_call(MAKE), dataclasses.replace(house.house, budgets=None))
    assert codes(answer) == ["budget.not_counted"]
    assert isinstance(await walk(a_call(READ), dataclasses.replace(house.house, budgets=None)), Executed)


async def test_each_caller_has_its_own_where_the_policy_says_so(house: Rooms) -> None:
    """One caller's spending is not the other's."""

    def own(question: dict[str, Any]) -> dict[str, Any]:
        answer = budgeted(question)
        limits = answer["obligations"].get("limits")
        if limits:
            answer["obligations"]["limits"] = [{**LIMIT, "per": ["caller"]}]
        return answer

    house.engine.answering = own
    for bill in ("b1", "b2"):
        assert isinstance(await made(house, bill), Executed)
    assert isinstance(await walk(a_call(MAKE, {"bill": "b3"}), house.house), Refused)
    assert isinstance(await walk(a_call(MAKE, {"bill": "b3"}, bearer=OTHER), house.house), Again)
    left = {one for _, one in await house.store.accounts(limit=9)}
    assert left == {Standing(0, 2400), Standing(1200, 0)}


async def test_twenty_at_once(house: Rooms) -> None:
    """Allowed at once, without a first phase: two are sent, whoever they are."""
    house.engine.answering = lambda _: an_answer("allow", obligations={"limits": [LIMIT]})
    ended = await asyncio.gather(*(walk(a_call(MAKE, {"bill": f"b{n}"}), house.house) for n in range(20)))
    assert sorted(type(one).__name__ for one in ended) == ["Executed"] * 2 + ["Refused"] * 18
    assert len(house.upstream.calls) == 2
    assert await standing(house) == Standing(0, 2400)
