"""One captured payment, as its refund needs it: what is left of it, who paid it, who was paid. Pure.

PayPal tells a capture's amount and state, and which order it belongs to; the order tells the buyer and the refunds
(payments_payment_v2 ``capture-2``, checkout_orders_v2 ``payment_collection``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.upstream.paypal.amounts import AmountError, money_in
from gateway.upstream.paypal.parties import party

_GONE = frozenset({"COMPLETED", "PENDING"})
"""States of a refund whose money is no longer there to be refunded (``refund_status``: also CANCELLED and FAILED)."""


class Captured(NamedTuple):
    """``left`` is zero where it is not known how much that is. ``buyer`` and ``seller`` are one spelling each."""

    currency: str
    left: Decimal
    buyer: str | None
    seller: str | None


def read(capture_id: str, answers: Sequence[Mapping[str, Any]]) -> Captured:
    """A capture and, if it was read, its order. :raises AmountError: an answer that is about something else.

    Also ``LookupError``, ``TypeError``, ``AttributeError``: an answer that is none.
    """
    capture = answers[0]
    if capture.get("id") != capture_id:
        raise AmountError("/id", "is another capture than was asked for")
    amount, currency = money_in(capture["amount"])
    payee = capture.get("payee") or {}
    seller = party(payee.get("merchant_id"), payee.get("email_address"))
    if len(answers) == 1:
        whole = amount if capture["status"] == "COMPLETED" else Decimal(0)
        return Captured(currency, whole, None, seller)
    order = answers[1]
    unit = _unit_of(capture, order)
    payer = order.get("payer") or {}
    buyer = party(payer.get("payer_id"), payer.get("email_address"))
    ours = unit.get("payee") or {}
    seller = seller or party(ours.get("merchant_id"), ours.get("email_address"))
    return Captured(currency, _left(capture, unit, amount, currency), buyer, seller)


def _unit_of(capture: Mapping[str, Any], order: Mapping[str, Any]) -> Mapping[str, Any]:
    """The purchase unit that holds this very capture. Attack: an order that is not the capture's names its payer."""
    for unit in order["purchase_units"]:
        for one in unit.get("payments", {}).get("captures", ()):
            if one["id"] == capture["id"]:
                if money_in(one["amount"]) != money_in(capture["amount"]):
                    raise AmountError("/amount", "is another one in the order")
                found: Mapping[str, Any] = unit
                return found
    raise AmountError("/purchase_units", "do not hold the capture")


def _left(capture: Mapping[str, Any], unit: Mapping[str, Any], amount: Decimal, currency: str) -> Decimal:
    """Captured less refunded. A refund that the order does not show must not be overlooked: the capture's own state
    says whether there is any, and of a state that contradicts the sum nothing is known."""
    payments = unit["payments"]
    alone = len(payments["captures"]) == 1
    refunded = Decimal(0)
    for one in payments.get("refunds", ()):
        if one["status"] in _GONE and (alone or _is_of(one, capture)):
            value, its_currency = money_in(one["amount"])
            if its_currency != currency:
                raise AmountError("/refunds", "are in another currency")
            refunded += value
    shown = "PARTIALLY_REFUNDED" if refunded else "COMPLETED"
    if capture["status"] != shown or refunded >= amount:
        return Decimal(0)
    return amount - refunded


def _is_of(refund: Mapping[str, Any], capture: Mapping[str, Any]) -> bool:
    ups = [one["href"] for one in refund.get("links", ()) if one.get("rel") == "up"]
    return any(href.rpartition("/")[2] == capture["id"] for href in ups)
