"""Orders v2: create, show, capture. PayPal's arithmetic is checked to the cent."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.upstream.paypal.simulator.exchange import (
    Answer,
    Asked,
    body_object,
    invalid,
    not_found,
    required,
    unprocessable,
)
from gateway.upstream.paypal.simulator.ledger import Ledger, Resource, link, money

_ORDERS = "/v2/checkout/orders"
_MINIMAL = frozenset({"id", "status", "links"})
_CAPTURED_MINIMAL = frozenset({"id", "status", "payment_source", "purchase_units", "payer", "links"})
PAYER: Resource = {
    "name": {"given_name": "John", "surname": "Doe"},
    "email_address": "buyer@example.com",
    "payer_id": "QYR5Z8XDVJNXQ",
    "address": {"country_code": "US"},
}
PAYEE = {"email_address": "merchant@example.com", "merchant_id": "6QLBVWNT7LP4E"}


def create(ledger: Ledger, asked: Asked) -> Answer:
    """POST /v2/checkout/orders."""
    body = body_object(asked)
    required(body, "intent", "purchase_units")
    units = [_unit(unit, number) for number, unit in enumerate(body["purchase_units"])]
    order_id = ledger.new_id()
    order: Resource = {
        "id": order_id,
        "intent": body["intent"],
        "status": "PAYER_ACTION_REQUIRED" if "payment_source" in body else "CREATED",
        "purchase_units": units,
        "create_time": ledger.now(),
        "links": [
            link(asked.base_url, f"{_ORDERS}/{order_id}"),
            link(asked.base_url, f"/checkoutnow?token={order_id}", "payer-action"),
            link(asked.base_url, f"{_ORDERS}/{order_id}/capture", "capture", "POST"),
        ],
    }
    ledger.orders[order_id] = order
    return Answer(status=201, resource=order, repeat_status=200, minimal=_MINIMAL)


def show(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v2/checkout/orders/{id}."""
    return Answer(status=200, resource=_order(ledger, asked))


def approve(ledger: Ledger, order_id: str) -> Resource:
    """What the buyer does at PayPal's own page. :raises KeyError:"""
    order = ledger.orders[order_id]
    order["status"] = "APPROVED"
    order["payer"] = PAYER
    wallet = {"email_address": PAYER["email_address"], "account_id": PAYER["payer_id"]}
    order["payment_source"] = {"paypal": wallet}
    return order


def capture(ledger: Ledger, asked: Asked) -> Answer:
    """POST /v2/checkout/orders/{id}/capture."""
    order = _order(ledger, asked)
    if order["status"] == "COMPLETED":
        raise unprocessable("ORDER_ALREADY_CAPTURED")
    if order["status"] != "APPROVED":
        raise unprocessable("ORDER_NOT_APPROVED")
    for unit in order["purchase_units"]:
        unit["payments"] = {"captures": [_capture(ledger, asked.base_url, unit["amount"])]}
    order["status"] = "COMPLETED"
    order["update_time"] = ledger.now()
    return Answer(status=201, resource=order, repeat_status=200, minimal=_CAPTURED_MINIMAL)


def _capture(ledger: Ledger, base_url: str, amount: dict[str, Any]) -> Resource:
    capture_id = ledger.new_id()
    taken = {"currency_code": amount["currency_code"], "value": amount["value"]}
    path = f"/v2/payments/captures/{capture_id}"
    resource: Resource = {
        "id": capture_id,
        "status": "COMPLETED",
        "amount": taken,
        "final_capture": True,
        "create_time": ledger.now(),
        "update_time": ledger.now(),
        "links": [link(base_url, path), link(base_url, f"{path}/refund", "refund", "POST")],
    }
    ledger.captures[capture_id] = resource
    ledger.record(capture_id, "T0006", taken)
    return resource


def _order(ledger: Ledger, asked: Asked) -> Resource:
    order = ledger.orders.get(asked.id("id"))
    if order is None:
        raise not_found()
    return order


def _unit(unit: dict[str, Any], number: int) -> Resource:
    place = f"/purchase_units/@reference_id=='default'/{number}"
    required(unit, "amount")
    currency = unit["amount"]["currency_code"]
    total = _positive(unit["amount"], f"{place}/amount/value")
    if "items" in unit:
        _check_sums(unit, total, place)
    return {"reference_id": "default" if number == 0 else str(number), "payee": PAYEE, **unit, "amount": {
        **unit["amount"], **money(total, currency)}}  # fmt: skip


def _check_sums(unit: dict[str, Any], total: Decimal, place: str) -> None:
    breakdown = unit["amount"].get("breakdown", {})
    parts = {name: _amount(part, f"{place}/amount/breakdown/{name}") for name, part in breakdown.items()}
    items = sum((_amount(i["unit_amount"], place) * int(i["quantity"]) for i in unit["items"]), Decimal(0))
    taxed = [item for item in unit["items"] if "tax" in item]
    taxes = sum((_amount(i["tax"], place) * int(i["quantity"]) for i in taxed), Decimal(0))
    if parts.get("item_total", Decimal(0)) != items:
        raise unprocessable("ITEM_TOTAL_MISMATCH", f"{place}/amount/breakdown/item_total/value")
    if parts.get("tax_total", Decimal(0)) != taxes:
        raise unprocessable("TAX_TOTAL_MISMATCH", f"{place}/amount/breakdown/tax_total/value")
    minus = ("discount", "shipping_discount")
    if total != sum((-part if name in minus else part for name, part in parts.items()), Decimal(0)):
        raise unprocessable("AMOUNT_MISMATCH", f"{place}/amount/value")


def _positive(value: dict[str, Any], place: str) -> Decimal:
    amount = _amount(value, place)
    if amount <= 0:
        raise unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE", place)
    return amount


def _amount(value: dict[str, Any], place: str) -> Decimal:
    try:
        amount = Decimal(value["value"])
    except (InvalidOperation, KeyError, TypeError):
        raise invalid("INVALID_PARAMETER_SYNTAX", place) from None
    exponent = amount.as_tuple().exponent
    most = 0 if value["currency_code"] in ("HUF", "JPY", "TWD") else 2
    if not isinstance(exponent, int) or -exponent > most:
        raise unprocessable("DECIMAL_PRECISION", place)
    return amount
