"""Invariant 4. The idempotency key derives from the transaction id; what cannot be known is *unknown*: never retried
blindly and never called failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.upstream.paypal.simulator.faults import Fault, Match
from tests.support.answers import approve_url_of, codes_of, said, status_of, text_of, token_of
from tests.support.calls import PAY, confirmed, first_phase, invoice, refund, until_confirmation
from tests.support.console import signed_in
from tests.support.depot import PARCEL, SHIP, Depot, running_depot
from tests.support.house import House
from tests.support.traces import Trace
from tests.support.until import until


@pytest.fixture(scope="module")
async def depot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Depot]:
    """A gateway whose targets are made to fail."""
    async with running_depot(tmp_path_factory.mktemp("depot")) as running:
        yield running


@pytest.fixture
def house(depot: Depot) -> House:
    """The house itself."""
    depot.house.simulator.faults.clear()
    return depot.house


DOUBTS = {
    "no answer after the effect": Fault(match=Match(method="POST"), kind="drop_after_effect"),
    "no answer before the effect": Fault(match=Match(method="POST"), kind="drop_before_effect"),
    "500": Fault(match=Match(method="POST"), kind="status", status=500),
    "503 that is no JSON": Fault(match=Match(method="POST"), kind="status", status=503, raw="<html>"),
    "a redirect": Fault(
        match=Match(method="POST"), kind="status", status=307, headers={"location": "https://evil.invalid/"}
    ),
}


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_a_doubtful_invoice_is_unknown(house: House, doubt: str) -> None:
    """Sent once, reported and recorded as unknown, and the token is gone: nothing repeats it blindly."""
    arguments = invoice(doubt)
    first = await house.call("create_invoice", arguments)
    token, transaction = token_of(first), said(first)["transaction_id"]
    house.simulator.faults.add(DOUBTS[doubt])
    trace = Trace(house)
    answer = await house.call("create_invoice", arguments, state=token)
    assert answer["result"]["isError"] is True
    assert "not known whether" in text_of(answer)
    assert "failed" not in text_of(answer).lower()
    assert [(call.path, call.request_id) for call in trace.writes] == [
        ("/v2/invoicing/invoices", transaction)
    ]
    assert (trace.record["status"], trace.record["transaction_id"]) == ("unknown", transaction)
    assert trace.record["upstream"]["request_id"] == transaction
    repeat = await house.call("create_invoice", arguments, state=token)
    assert codes_of(repeat) == ["handshake.token_unknown"]
    assert len(trace.writes) == 1


async def test_a_doubtful_refund_is_unknown(house: House) -> None:
    """The same with two signatures: the transaction of phase 1 is the idempotency key of phase 3."""
    arguments = refund("1.25")
    first = await house.call("create_refund", arguments)
    transaction = said(first)["transaction_id"]
    waiting = await house.call("create_refund", arguments, state=token_of(first))
    assert said(waiting)["transaction_id"] == transaction
    async with signed_in(house) as person:
        await person.approve(approve_url_of(waiting))
    refunds = len(house.simulator.ledger.refunds)
    house.simulator.faults.add(DOUBTS["no answer after the effect"])
    trace = Trace(house)
    answer = await house.call("create_refund", arguments, state=token_of(waiting))
    assert "not known whether" in text_of(answer)
    assert [call.request_id for call in trace.writes] == [transaction]
    assert (trace.record["status"], trace.record["transaction_id"]) == ("unknown", transaction)
    assert len(house.simulator.ledger.refunds) == refunds + 1

    # The same call again is a new call: it starts with a handshake and another transaction, not with a repeat.
    again = await house.call("create_refund", arguments)
    assert status_of(again) == "handshake_required"
    assert said(again)["transaction_id"] != transaction
    assert len(trace.writes) == 1


async def test_what_paypal_refuses_has_failed_for_certain(house: House) -> None:
    """A 422 is no doubt: the caller may mend the call and try again."""
    async with signed_in(house) as person:
        arguments = refund("999.00")
        token = await confirmed_by_two(house, person, arguments)
    trace = Trace(house)
    answer = await house.call("create_refund", arguments, state=token)
    assert status_of(answer) == "failed"
    assert "not known whether" not in text_of(answer)
    assert trace.record["status"] == "failed"


async def confirmed_by_two(house: House, person: Any, arguments: dict[str, Any]) -> str:
    """Above the soft limit two people have to approve."""
    waiting = await until_confirmation(house, "create_refund", arguments)
    await person.approve(approve_url_of(waiting))
    async with signed_in(house, "approver-two") as other:
        await other.approve(approve_url_of(waiting))
    return token_of(waiting)


async def test_a_confirmation_is_used_once(house: House) -> None:
    """Twenty executors with one signature between them: one capture, and nineteen are told."""
    async with signed_in(house) as person:
        token = await confirmed(house, person, "pay_order", PAY)
    trace = Trace(house)
    # Without the token each of them finds what waits by caller, tool and arguments.
    answers = await asyncio.gather(
        house.call("pay_order", PAY, state=token), *(house.call("pay_order", PAY) for _ in range(19))
    )
    assert [status_of(answer) for answer in answers].count("executed") == 1
    assert len(trace.writes) == 1
    told = {code for answer in answers if status_of(answer) == "error" for code in codes_of(answer)}
    assert told <= {"confirm.already_used"}


async def test_a_caller_that_hangs_up_does_not_make_it_happen_twice(house: House) -> None:
    """The client goes away while PayPal works: one effect, one record, and the token is gone."""
    arguments = invoice("hung up")
    token = await first_phase(house, "create_invoice", arguments)
    house.simulator.faults.add(Fault(match=Match(method="POST"), kind="delay", seconds=0.3))
    trace = Trace(house)
    task = asyncio.ensure_future(house.call("create_invoice", arguments, state=token))
    await until(lambda: trace.writes)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: trace.records)
    assert trace.record["status"] in ("executed", "unknown")
    again = await house.call("create_invoice", arguments, state=token)
    assert codes_of(again) == ["handshake.token_unknown"]
    assert len(trace.writes) == 1


async def test_a_foreign_server_that_says_nothing_is_unknown(depot: Depot) -> None:
    """It took the call and its answer is no answer: unknown, not failed; and it is not asked again."""
    house = depot.house
    for odd in ({"result": "done"}, {"neither": 1}, {"error": {"code": -32603, "message": "Internal error"}}):
        depot.depot.answer = odd
        token = await first_phase(house, SHIP, PARCEL, server="depot")
        trace, sent = Trace(house), len(depot.depot.calls)
        answer = await house.call(SHIP, PARCEL, state=token, server="depot")
        assert status_of(answer) in ("unknown", "error")
        assert trace.record["status"] == "unknown"
        assert len(depot.depot.calls) == sent + 1
