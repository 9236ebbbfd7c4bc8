"""Lying lookup: what was told of the money is not what moves: it changed, or was never about this call."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.upstream.paypal.simulator.faults import Fault, Match
from gateway.upstream.paypal.simulator.seeds import (
    ACTIVE_SUBSCRIPTION,
    APPROVED_ORDER,
    CAPTURE,
    COMPLETED_ORDER,
    DRAFT_INVOICE,
    PLAN,
)
from tests.attacks.test_view_spoofing import words_of
from tests.support.answers import approve_url_of, codes_of, status_of
from tests.support.calls import PAY, confirmed, refund, until_confirmation
from tests.support.console import Person
from tests.support.house import House
from tests.support.traces import Trace

MALLORY = {"email_address": "mallory@example.com", "merchant_id": "2MALL2RYMALL2"}
OPEN_REFUND = {"capture_id": CAPTURE}


def unit_of(house: House, order_id: str = APPROVED_ORDER) -> dict[str, Any]:
    """The first unit of an order, as PayPal holds it."""
    unit: dict[str, Any] = house.simulator.ledger.orders[order_id]["purchase_units"][0]
    return unit


def dearer(house: House) -> None:
    """Ten times the amount."""
    unit_of(house)["amount"] = {"currency_code": "USD", "value": "400.00"}


def in_another_currency(house: House) -> None:
    """The same digits."""
    unit_of(house)["amount"] = {"currency_code": "EUR", "value": "40.00"}


def for_somebody_else(house: House) -> None:
    """The same amount, another payee."""
    unit_of(house)["payee"] = MALLORY


def with_a_second_unit(house: House) -> None:
    """One cent of ours in front, the rest behind it."""
    units = house.simulator.ledger.orders[APPROVED_ORDER]["purchase_units"]
    units[0]["amount"] = {"currency_code": "USD", "value": "0.01"}
    units.append(
        {"reference_id": "1", "amount": {"currency_code": "USD", "value": "39.99"}, "payee": MALLORY}
    )


def with_a_fee(house: House) -> None:
    """The same amount and payee, and somebody who takes his part of it."""
    fee = {"amount": {"currency_code": "USD", "value": "39.00"}, "payee": MALLORY}
    unit_of(house)["payment_instruction"] = {"platform_fees": [fee]}


@pytest.mark.parametrize(
    "changed", [dearer, in_another_currency, for_somebody_else, with_a_second_unit, with_a_fee]
)
async def test_an_order_changes_after_the_signature(house: House, person: Person, changed: Any) -> None:
    """A person signed another picture: the call waits anew, and nothing was captured."""
    token = await confirmed(house, person, "pay_order", PAY)
    changed(house)
    answer = await house.call("pay_order", PAY, state=token)
    assert status_of(answer) == "confirmation_required"
    assert house.paypal_writes == []


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_tax_that_doubles_a_price_below_the_limit(house: House, *, at_once: bool) -> None:
    """Attack: 9000.00 is below the hard limit of 10000.00, and a tax of 100 % is no amount; in one call, or in two."""
    taxed: dict[str, Any] = {"subscription_id": ACTIVE_SUBSCRIPTION, "taxes_percentage": "100"}
    if at_once:
        taxed |= {"currency_code": "USD", "fixed_price": {"sequence": 1, "value": "9000.00"}}
    else:
        price = {"currency_code": "USD", "value": "9000.00"}
        house.simulator.ledger.plans[PLAN]["billing_cycles"][0]["pricing_scheme"] = {"fixed_price": price}
    trace = Trace(house)
    answer = await house.call("update_subscription", taxed)
    assert codes_of(answer)[0] == "money.over_limit"
    assert status_of(answer) == "refused"
    assert trace.writes == []
    assert trace.record["status"] == "refused"


async def test_both_payees_are_on_the_page(house: House, person: Person) -> None:
    """Attack: our unit comes first, and it was the only one that was shown."""
    with_a_second_unit(house)
    waiting = await until_confirmation(house, "pay_order", PAY)
    page = words_of((await person.open(approve_url_of(waiting))).text)
    assert "2MALL2RYMALL2" in page
    assert "6QLBVWNT7LP4E" in page


async def test_what_is_left_changes_after_the_signature(house: House, person: Person) -> None:
    """An open refund was signed at 100.00; somebody gives 99.00 back elsewhere, and it would be another one."""
    token = await confirmed(house, person, "create_refund", OPEN_REFUND)
    house.simulator.ledger.captures[CAPTURE]["status"] = "PARTIALLY_REFUNDED"
    gone = {"id": "R-1", "status": "COMPLETED", "amount": {"currency_code": "USD", "value": "99.00"}}
    unit_of(house, COMPLETED_ORDER)["payments"]["refunds"] = [gone]
    answer = await house.call("create_refund", OPEN_REFUND, state=token)
    assert status_of(answer) == "confirmation_required"
    assert house.paypal_writes == []


async def test_an_open_refund_shows_what_is_left_and_to_whom(house: House, person: Person) -> None:
    """One hundred dollars to the buyer, out of the merchant's account; signed, it is carried out once."""
    waiting = await until_confirmation(house, "create_refund", OPEN_REFUND)
    page = words_of((await person.open(approve_url_of(waiting))).text)
    for said in ("100.00 USD", "payee QYR5Z8XDVJNXQ", "payer 6QLBVWNT7LP4E"):
        assert said in page
    await person.approve(approve_url_of(waiting))
    state = waiting["result"]["requestState"]
    assert status_of(await house.call("create_refund", OPEN_REFUND, state=state)) == "executed"
    assert house.simulator.calls[-1].answer["amount"]["value"] == "100.00"


async def test_a_refund_in_another_currency_than_was_captured(house: House) -> None:
    """Ten euros of a capture in dollars: the arguments and PayPal contradict each other, so nothing is known."""
    amount = {"currency_code": "EUR", "value": "10.00"}
    answer = await house.call("create_refund", {**OPEN_REFUND, "amount": amount})
    assert codes_of(answer)[0] == "money.amount_unknown"
    assert house.paypal_writes == []


async def test_a_capture_of_another_merchant(house: House, person: Person) -> None:
    """Whose money it would be is on the page, and on no page that was signed before."""
    token = await confirmed(house, person, "create_refund", OPEN_REFUND)
    unit_of(house, COMPLETED_ORDER)["payee"] = MALLORY
    answer = await house.call("create_refund", OPEN_REFUND, state=token)
    assert status_of(answer) == "confirmation_required"
    page = words_of((await person.open(approve_url_of(answer))).text)
    assert "payer 2MALL2RYMALL2" in page
    assert house.paypal_writes == []


@pytest.mark.parametrize(
    ("path", "tool", "arguments", "lie"),
    [
        (
            "/v2/checkout/orders/.*",
            "pay_order",
            PAY,
            lambda house: house.simulator.ledger.orders[COMPLETED_ORDER],
        ),
        (
            "/v2/invoicing/invoices/.*",
            "send_invoice",
            {"invoice_id": DRAFT_INVOICE},
            lambda house: {**house.simulator.ledger.invoices[DRAFT_INVOICE], "id": "INV2-CHEAP"},
        ),
        (
            "/v2/payments/captures/.*",
            "create_refund",
            OPEN_REFUND,
            lambda house: {**house.simulator.ledger.captures[CAPTURE], "id": "9AB12345CD678901F"},
        ),
        (
            "/v2/checkout/orders/.*",
            "create_refund",
            OPEN_REFUND,
            lambda house: house.simulator.ledger.orders[APPROVED_ORDER],
        ),
    ],
    ids=["an order", "an invoice", "a capture", "the capture's order"],
)
async def test_an_answer_about_something_else(
    house: House, path: str, tool: str, arguments: dict[str, Any], lie: Any
) -> None:
    """A target, or somebody in between, tells a cheaper resource than the one that was asked for: nothing is known."""
    fault = Fault(
        match=Match(method="GET", path=path), kind="status", status=200, body=dict(lie(house)), times=9
    )
    house.simulator.faults.add(fault)
    answer = await house.call(tool, arguments)
    assert codes_of(answer)[0] == "money.amount_unknown"
    assert house.paypal_writes == []


async def test_nobody_calls_what_only_the_gateway_reads(house: House) -> None:
    """Attack: the read behind the lookups as a tool, which no class table knows."""
    answer = await house.call("get_capture", OPEN_REFUND)
    assert codes_of(answer) == ["catalog.unknown_tool"]
    assert house.simulator.calls == []


async def test_a_refund_asks_paypal_once_for_who_gets_it(house: House, person: Person) -> None:
    """Not again at each phase: who paid does not change. Its amount stands in the arguments."""
    token = await confirmed(house, person, "create_refund", refund("3.33"))
    assert status_of(await house.call("create_refund", refund("3.33"), state=token)) == "executed"
    assert len([one for one in house.simulator.calls if one.method == "GET"]) == 2
