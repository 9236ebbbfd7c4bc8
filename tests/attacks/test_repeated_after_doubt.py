"""An agent whose answer was lost starts over, and a person signs again unawares: the second refund is not sent."""

from __future__ import annotations

from gateway.transactions.book import TransactionBook
from gateway.upstream.paypal.simulator.faults import Fault, Match
from tests.support.answers import said, status_of, text_of
from tests.support.calls import confirmed, refund
from tests.support.console import Person
from tests.support.house import House
from tests.support.traces import Trace


async def test_a_second_refund_after_one_that_is_unknown(house: House, person: Person) -> None:
    """New handshake, new signature, the same call: answered with the first one's transaction, PayPal not contacted."""
    arguments = refund("1.31")
    token = await confirmed(house, person, "create_refund", arguments)
    house.simulator.faults.add(Fault(match=Match(method="POST"), kind="drop_after_effect"))
    trace = Trace(house)
    await house.call("create_refund", arguments, state=token)
    first = trace.record["transaction_id"]

    token = await confirmed(house, person, "create_refund", arguments)
    trace = Trace(house)
    answer = await house.call("create_refund", arguments, state=token)
    assert status_of(answer) == "unknown"
    assert (said(answer)["duplicate_of"], said(answer)["transaction_id"]) == (first, first)
    assert "not sent again" in text_of(answer)
    assert trace.paypal == []
    assert (trace.record["status"], trace.record["error"]) == ("refused", "transaction.duplicate")
    assert trace.record["transaction_id"] == first
    assert len(house.simulator.ledger.refunds) == 1

    # What differs is another call, and it goes through.
    other = refund("1.32")
    done = await house.call(
        "create_refund", other, state=await confirmed(house, person, "create_refund", other)
    )
    assert status_of(done) == "executed"


async def test_two_equal_refunds_that_are_both_meant(house: House, person: Person) -> None:
    """The first is known to be done when the second is signed: both are carried out, as the default policy has it."""
    arguments = refund("1.33")
    trace = Trace(house)
    for _ in range(2):
        token = await confirmed(house, person, "create_refund", arguments)
        assert status_of(await house.call("create_refund", arguments, state=token)) == "executed"
    book = TransactionBook(house.gateway.store)
    outcomes = {one.transaction_id: one.outcome async for one in book.all()}
    assert [outcomes[str(call.request_id)] for call in trace.writes] == ["executed", "executed"]
