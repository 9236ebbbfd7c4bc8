"""Payments v2: show a capture, refund it, show a refund."""

from __future__ import annotations

from decimal import Decimal

from gateway.upstream.paypal.simulator.exchange import Answer, Asked, body_object, not_found, unprocessable
from gateway.upstream.paypal.simulator.ledger import Ledger, Resource, link, money

_MINIMAL = frozenset({"id", "status", "links"})


def show_capture(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v2/payments/captures/{capture_id}: the capture as its order shows it, and where it belongs."""
    capture = ledger.captures.get(asked.id("capture_id"))
    if capture is None:
        raise not_found()
    order, unit = _place_of(ledger, capture)
    related = {"related_ids": {"order_id": order["id"]}}
    return Answer(status=200, resource={**capture, "payee": unit["payee"], "supplementary_data": related})


def refund(ledger: Ledger, asked: Asked) -> Answer:
    """POST /v2/payments/captures/{capture_id}/refund. Without an amount: all that is left."""
    capture = ledger.captures.get(asked.id("capture_id"))
    if capture is None:
        raise not_found()
    body = body_object(asked)
    resource = _refunded(ledger, asked.base_url, capture, body)
    ledger.refunds[resource["id"]] = resource
    _, unit = _place_of(ledger, capture)
    unit["payments"].setdefault("refunds", []).append(resource)
    ledger.record(resource["id"], "T1107", resource["amount"])
    return Answer(status=201, resource=resource, repeat_status=201, minimal=_MINIMAL)


def show(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v2/payments/refunds/{refund_id}."""
    found = ledger.refunds.get(asked.id("refund_id"))
    if found is None:
        raise not_found()
    return Answer(status=200, resource=found)


def _place_of(ledger: Ledger, capture: Resource) -> tuple[Resource, Resource]:
    """The order and the purchase unit that a capture is of."""
    return next(
        (order, unit)
        for order in ledger.orders.values()
        for unit in order["purchase_units"]
        if capture in unit.get("payments", {}).get("captures", ())
    )


def _refunded(ledger: Ledger, base_url: str, capture: Resource, body: Resource) -> Resource:
    currency = capture["amount"]["currency_code"]
    whole = Decimal(capture["amount"]["value"])
    already = ledger.refunded.get(capture["id"], Decimal(0))
    left = whole - already
    if left == 0:
        raise unprocessable("CAPTURE_FULLY_REFUNDED")
    asked_for = body.get("amount")
    if asked_for is not None and asked_for["currency_code"] != currency:
        raise unprocessable("REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount")
    amount = left if asked_for is None else Decimal(asked_for["value"])
    if amount <= 0:
        raise unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE", "/amount/value")
    if amount > left:
        raise unprocessable("REFUND_AMOUNT_EXCEEDED", "/amount/value")
    ledger.refunded[capture["id"]] = already + amount
    capture["status"] = "REFUNDED" if amount == left else "PARTIALLY_REFUNDED"
    refund_id = ledger.new_id()
    path = f"/v2/payments/refunds/{refund_id}"
    resource: Resource = {
        "id": refund_id,
        "status": "COMPLETED",
        "amount": money(amount, currency),
        "seller_payable_breakdown": {
            "gross_amount": money(amount, currency),
            "paypal_fee": money(Decimal(0), currency),
            "net_amount": money(amount, currency),
            "total_refunded_amount": money(already + amount, currency),
        },
        "create_time": ledger.now(),
        "update_time": ledger.now(),
        "links": [link(base_url, path), link(base_url, f"/v2/payments/captures/{capture['id']}", "up")],
    }
    for name in ("invoice_id", "note_to_payer"):
        if name in body:
            resource[name] = body[name]
    return resource
