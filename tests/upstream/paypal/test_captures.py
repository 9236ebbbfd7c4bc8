"""What is left of a capture, and whose it is: only where capture and order agree."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.policy.money import Money
from gateway.upstream.paypal.money import money_from

CAPTURE = "3C679366HH908993F"
OTHER = "9AB12345CD678901F"
WHOLE = {"currency_code": "USD", "value": "100.00"}
PAYER = {"payer_id": "QYR5Z8XDVJNXQ", "email_address": "buyer@example.com"}


def usd(value: str) -> dict[str, str]:
    """PayPal's money object."""
    return {"currency_code": "USD", "value": value}


def a_capture(**members: Any) -> dict[str, Any]:
    """As ``GET /v2/payments/captures/{id}`` tells it."""
    payee = {"merchant_id": "6QLBVWNT7LP4E", "email_address": "merchant@example.com"}
    return {"id": CAPTURE, "status": "COMPLETED", "amount": WHOLE, "payee": payee, **members}


def an_order(
    *refunds: dict[str, Any], captures: tuple[str, ...] = (CAPTURE,), **members: Any
) -> dict[str, Any]:
    """The order that holds it."""
    held = [{"id": one, "status": "COMPLETED", "amount": WHOLE} for one in captures]
    unit = {"amount": WHOLE, "payments": {"captures": held, "refunds": list(refunds)}}
    return {"id": "O-1", "purchase_units": [unit], "payer": PAYER, **members}


def a_refund(value: str, status: str = "COMPLETED", of: str = CAPTURE) -> dict[str, Any]:
    """One refund in the order."""
    up = {"href": f"https://api.example/v2/payments/captures/{of}", "rel": "up"}
    return {"id": "R-1", "status": status, "amount": usd(value), "links": [up]}


def refunded(*answers: dict[str, Any], **arguments: Any) -> Money:
    """What a refund of the capture costs."""
    return money_from("create_refund", {"capture_id": CAPTURE, **arguments}, answers)


PART = "PARTIALLY_REFUNDED"


@pytest.mark.parametrize(
    ("capture", "order", "left"),
    [
        (a_capture(), None, "100.00"),
        (a_capture(), an_order(), "100.00"),
        (a_capture(status=PART), an_order(a_refund("30.00")), "70.00"),
        (a_capture(status=PART), an_order(a_refund("30.00"), a_refund("0.01", "PENDING")), "69.99"),
        (a_capture(), an_order(a_refund("30.00", "FAILED"), a_refund("1.00", "CANCELLED")), "100.00"),
        (
            a_capture(status=PART),
            an_order(a_refund("30.00"), a_refund("50.00", of=OTHER), captures=(CAPTURE, OTHER)),
            "70.00",
        ),
    ],
    ids=["no order", "untouched", "in part", "one under way", "none of them stands", "of another capture"],
)
def test_what_is_left(capture: dict[str, Any], order: dict[str, Any] | None, left: str) -> None:
    """The captured amount less what is refunded, or on its way to be."""
    assert refunded(*(one for one in (capture, order) if one is not None)).amount == left


@pytest.mark.parametrize(
    "answers",
    [
        (a_capture(status=PART),),
        (a_capture(status=PART), an_order()),
        (a_capture(), an_order(a_refund("30.00"))),
        (a_capture(status="REFUNDED"), an_order(a_refund("100.00"))),
        (a_capture(status=PART), an_order(a_refund("100.00"))),
        (a_capture(status="PENDING"), an_order()),
        (
            a_capture(status=PART),
            an_order({**a_refund("30.00"), "amount": {"currency_code": "EUR", "value": "30"}}),
        ),
        (a_capture(status=PART), an_order({"amount": usd("30.00")})),
        (a_capture(amount=usd("1e2")), an_order()),
        (a_capture(id=OTHER), an_order()),
        (a_capture(), an_order(captures=(OTHER,))),
        (a_capture(amount=usd("40.00")), an_order()),
        (a_capture(amount={"currency_code": "EUR", "value": "100.00"}), an_order()),
        ({}, {}),
    ],
    ids=[
        "refunds that nobody shows",
        "state and sum differ",
        "sum and state differ",
        "nothing left",
        "nothing left by the sum",
        "not taken yet",
        "another currency",
        "a refund without a state",
        "an exponent",
        "another capture",
        "another order",
        "another amount in the order",
        "another currency in the order",
        "nothing",
    ],
)
def test_what_is_not_certain_is_unknown(answers: tuple[dict[str, Any], ...]) -> None:
    """A policy takes it for more than any limit."""
    assert refunded(*answers) == Money()


def test_an_amount_in_another_currency_is_no_amount() -> None:
    """Attack: ten yen are judged, and it is for PayPal to say what it makes of them."""
    assert refunded(a_capture(), an_order(), amount={"currency_code": "JPY", "value": "10"}) == Money()


def test_without_any_answer_the_arguments_stand_alone() -> None:
    """The amount is known, the payee is not."""
    assert refunded(amount=usd("5.00")) == Money(amount="5.00", currency="USD", source="arguments")


def test_the_payer_of_another_order_is_nobody() -> None:
    """Attack: the capture names an order that is not its own, and the payee would be somebody we trust."""
    stolen = an_order(captures=(OTHER,))
    assert refunded(a_capture(), stolen, amount=usd("5.00")) == Money()
