"""A recovery asks the simulated PayPal again with the same PayPal-Request-Id: one effect, whenever it was."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway.kill.order import NO_ORDERS, KillOrder, Orders
from gateway.kill.orders import give
from gateway.policy.amounts import Amounts
from gateway.state.store import Space
from gateway.transactions.book import TransactionBook
from gateway.transactions.lease import Lease
from gateway.transactions.opened import open_journal
from gateway.transactions.recovery import Recovery, Sweep
from gateway.transactions.transaction import How, State, Transaction
from gateway.upstream.paypal import money as paypal_money
from gateway.upstream.paypal import recovery as paypal_recovery
from gateway.upstream.paypal.simulator.faults import Fault, Match
from gateway.upstream.paypal.simulator.seeds import COMPLETED_ORDER
from gateway.upstream.target import Effect
from tests.support.answers import status_of, text_of
from tests.support.calls import confirmed, refund
from tests.support.console import signed_in
from tests.support.house import House, running_house
from tests.support.until import until


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway whose PayPal is made to fail."""
    async with running_house(tmp_path) as running:
        yield running


async def nothing() -> Orders:
    """Nothing is stopped."""
    return NO_ORDERS


async def doubtful(house: House, fault: str) -> Transaction:
    """A refund with all its signatures whose answer was lost, as it stood in the journal before anybody knew."""
    async with signed_in(house) as person:
        token = await confirmed(house, person, "create_refund", refund("1.25"))
    house.simulator.faults.add(Fault(match=Match(method="POST"), kind=fault))  # type: ignore[arg-type]
    answer = await house.call("create_refund", refund("1.25"), state=token)
    assert status_of(answer) == "failed"
    assert "not known whether" in text_of(answer)
    book = TransactionBook(house.gateway.store)
    (unknown,) = [one async for one in book.all()]
    assert unknown.outcome is Effect.UNKNOWN
    left = msgspec.structs.replace(
        unknown,
        state=State.OPEN,
        outcome=None,
        how=None,
        instance="a gateway that was killed",
        replay_until=house.clock() + 900,
    )
    await house.gateway.store.put(
        Space.TRANSACTION, left.transaction_id, msgspec.json.encode(left), ttl_s=None
    )
    return left


@pytest.mark.parametrize(("fault", "before"), [("drop_after_effect", 1), ("drop_before_effect", 0)])
async def test_a_refund_is_asked_for_again_and_made_once(house: House, fault: str, before: int) -> None:
    """Made before or not: PayPal tells the repeat by its request id."""
    refunds = len(house.simulator.ledger.refunds)
    left = await doubtful(house, fault)
    assert len(house.simulator.ledger.refunds) == refunds + before
    store, rooms = house.gateway.store, house.gateway.house
    book = TransactionBook(store)
    recovery = Recovery(
        book,
        Lease(store, monotonic=time.monotonic),
        rooms.upstreams,
        rooms.catalog,
        rooms.books,
        stops=nothing,
        rules={"paypal": paypal_recovery},
        now=house.clock,
        prices=Amounts({"paypal": paypal_money}, rooms.upstreams),
    )
    assert await recovery.sweep() == Sweep(recovered=1)
    assert len(house.simulator.ledger.refunds) == refunds + 1
    assert [call.request_id for call in house.simulator.calls if call.path.endswith("/refund")] == [
        left.transaction_id
    ] * 2
    kept = await book.find(left.transaction_id)
    assert kept is not None
    assert (kept.outcome, kept.how) == (Effect.EXECUTED, How.REPLAY)
    assert kept.resource_id in house.simulator.ledger.refunds
    opened, closed = house.records("upstream")
    assert (opened["status"], closed["status"]) == ("opened", "executed")
    assert (closed["transaction_id"], closed["tool"]) == (left.transaction_id, "create_refund")
    assert closed["upstream"]["request_id"] == left.transaction_id


async def test_what_costs_something_else_by_now_is_not_replayed(house: House) -> None:
    """Attack: while its first try is in doubt, the money becomes another merchant's."""
    left = await doubtful(house, "drop_before_effect")
    unit = house.simulator.ledger.orders[COMPLETED_ORDER]["purchase_units"][0]
    unit["payee"] = {"merchant_id": "2MALL2RYMALL2", "email_address": "mallory@example.com"}
    store, rooms = house.gateway.store, house.gateway.house
    recovery = Recovery(
        TransactionBook(store),
        Lease(store, monotonic=time.monotonic),
        rooms.upstreams,
        rooms.catalog,
        rooms.books,
        stops=nothing,
        rules={"paypal": paypal_recovery},
        now=house.clock,
        prices=Amounts({"paypal": paypal_money}, rooms.upstreams),
    )
    refunds = len(house.simulator.ledger.refunds)
    assert await recovery.sweep() == Sweep(recovered=1)
    kept = await TransactionBook(store).find(left.transaction_id)
    assert kept is not None
    assert kept.outcome is Effect.UNKNOWN
    assert len(house.simulator.ledger.refunds) == refunds


async def test_what_was_stopped_meanwhile_is_not_replayed(house: House) -> None:
    """Attack: an agent is stopped, and its gateway killed, while its refund is under way. The next gateway that starts
    over this store must not make the refund."""
    left = await doubtful(house, "drop_before_effect")
    store, rooms = house.gateway.store, house.gateway.house
    order = KillOrder(id="k1", kind="caller", value=left.subject, reason="Odd.", by="operator-one", at=0)
    await give(store, order)
    refunds = len(house.simulator.ledger.refunds)
    sent = len(house.simulator.calls)
    async with open_journal(
        store,
        rooms.upstreams,
        rooms.catalog,
        rooms.books,
        classes=rooms.classes,
        rules={"paypal": paypal_recovery},
        now=house.clock,
        lease_s=30,
        prices=Amounts({"paypal": paypal_money}, rooms.upstreams),
    ):
        await until(lambda: any(one["status"] != "opened" for one in house.records("upstream")))
    kept = await TransactionBook(store).find(left.transaction_id)
    assert kept is not None
    assert kept.outcome is Effect.UNKNOWN
    assert len(house.simulator.ledger.refunds) == refunds
    assert [call for call in house.simulator.calls[sent:] if call.method == "POST"] == []
