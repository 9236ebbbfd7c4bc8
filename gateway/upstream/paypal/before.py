"""What a call changes at PayPal: the read that shows it, and its answer as rows of now and then. Pure; never raises.

Only members that a decision needs are shown: states, amounts, the other party. Free text that outsiders wrote (a
buyer's message in a dispute) is not: it tries to instruct whoever reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.upstream.paypal.operation import Arguments

Row = tuple[str, Any, Any]
"""See :data:`gateway.outcome.before.Row`."""
Rows = Callable[[Arguments, Mapping[str, Any]], Sequence[Row]]
_BROKEN = (LookupError, TypeError, ValueError, AttributeError)
"""What a malformed answer can raise below: nothing usable."""


def lookup_for(tool: str, arguments: Arguments) -> tuple[str, dict[str, Any]] | None:
    """The read tool and its arguments; None where the call changes nothing that exists, or no tool of ours can tell
    (a refund: none of the 28 reads a capture)."""
    if tool not in _LOOKUPS:
        return None
    read, names, _ = _LOOKUPS[tool]
    if any(name not in arguments for name in names):
        return None
    return read, {name: arguments[name] for name in names}


def rows(tool: str, arguments: Arguments, structured: Mapping[str, Any]) -> Sequence[Row] | None:
    """The answer of :func:`lookup_for`'s tool, read for this call."""
    if tool not in _LOOKUPS or (not structured and tool not in _MAY_BE_NEW):
        return None
    try:
        return _LOOKUPS[tool][2](arguments, structured)
    except _BROKEN:
        return None


def _subscription_change(arguments: Arguments, now: Mapping[str, Any]) -> Sequence[Row]:
    currency = arguments.get("currency_code", "")
    plan = _mapping(now.get("plan"))
    found: list[Row] = [("Status", now["status"], None), ("Subscriber", _subscriber(now), None)]
    if (price := arguments.get("fixed_price")) is not None:
        becomes = f"{price['value']} {currency}"
        found.append(
            (f"Price of billing cycle {price['sequence']}", _price(plan, price["sequence"]), becomes)
        )
    for name, label, value in (
        (
            "outstanding_balance",
            "Outstanding balance",
            _mapping(now.get("billing_info")).get("outstanding_balance"),
        ),
        ("shipping_amount", "Shipping per cycle", now.get("shipping_amount")),
    ):
        if name in arguments:
            found.append((label, _money(value), f"{arguments[name]} {currency}"))
    taxes, preferences = _mapping(plan.get("taxes")), _mapping(plan.get("payment_preferences"))
    for name, label, value in (
        ("taxes_percentage", "Tax in percent", taxes.get("percentage")),
        ("taxes_inclusive", "Tax is in the price", taxes.get("inclusive")),
        ("shipping_address", "Ships to", _mapping(now.get("subscriber")).get("shipping_address")),
        ("custom_id", "Own id", now.get("custom_id")),
        (
            "payment_failure_threshold",
            "Failed payments before it is suspended",
            preferences.get("payment_failure_threshold"),
        ),
        ("auto_bill_outstanding", "Outstanding is billed", preferences.get("auto_bill_outstanding")),
    ):
        if name in arguments:
            found.append((label, value, arguments[name]))
    return found


def _subscription_end(_: Arguments, now: Mapping[str, Any]) -> Sequence[Row]:
    billing = _mapping(now.get("billing_info"))
    return (
        ("Status", now["status"], "CANCELLED"),
        ("Subscriber", _subscriber(now), None),
        ("Plan", now.get("plan_id"), None),
        ("Next billing", billing.get("next_billing_time"), "none"),
        ("Outstanding balance", _money(billing.get("outstanding_balance")), None),
    )


def _invoice_as(becomes: str | None) -> Rows:
    def read(_: Arguments, now: Mapping[str, Any]) -> Sequence[Row]:
        return (
            ("Status", now["status"], becomes),
            ("Invoice number", _mapping(now.get("detail")).get("invoice_number"), None),
            ("Recipient", _recipient(now), None),
            ("Total", _money(now.get("amount")), None),
            ("Still due", _money(now.get("due_amount")), None),
        )

    return read


def _dispute(_: Arguments, now: Mapping[str, Any]) -> Sequence[Row]:
    first = _mapping((now.get("disputed_transactions") or [{}])[0])
    buyer = _mapping(first.get("buyer"))
    return (
        ("Status", now["status"], "RESOLVED for the buyer"),
        ("Disputed amount", _money(now.get("dispute_amount")), "refunded to the buyer"),
        ("Of a payment of", _money(first.get("gross_amount")), None),
        ("Buyer", buyer.get("email") or buyer.get("name"), None),
        ("Reason", now.get("reason"), None),
        ("Stage", now.get("dispute_life_cycle_stage"), None),
        ("Answer is due by", now.get("seller_response_due_date"), None),
    )


def _order(_: Arguments, now: Mapping[str, Any]) -> Sequence[Row]:
    unit = now["purchase_units"][0]
    payee = _mapping(unit.get("payee"))
    return (
        ("Status", now["status"], "COMPLETED"),
        ("Amount", _money(unit.get("amount")), "taken from the buyer"),
        ("Payee", payee.get("email_address") or payee.get("merchant_id"), None),
        ("Buyer", _mapping(now.get("payer")).get("email_address"), None),
    )


def _tracker(arguments: Arguments, now: Mapping[str, Any]) -> Sequence[Row]:
    return (
        ("Tracking number", now.get("tracking_number"), arguments["tracking_number"]),
        ("Status", now.get("status"), arguments.get("status", "SHIPPED")),
        ("Carrier", now.get("carrier"), arguments.get("carrier")),
    )


def _price(plan: Mapping[str, Any], sequence: Any) -> str | None:
    """Told only where the subscription has prices of its own; otherwise the plan's are not in this answer."""
    for cycle in plan.get("billing_cycles") or ():
        if cycle.get("sequence") == sequence:
            return _money(_mapping(cycle.get("pricing_scheme")).get("fixed_price"))
    return None


def _money(value: Any) -> str | None:
    return f"{value['value']} {value['currency_code']}" if isinstance(value, Mapping) else None


def _subscriber(now: Mapping[str, Any]) -> Any:
    return _mapping(now.get("subscriber")).get("email_address")


def _recipient(invoice: Mapping[str, Any]) -> str | None:
    found = [
        str(_mapping(_mapping(one).get("billing_info")).get("email_address", "unnamed"))
        for one in invoice.get("primary_recipients") or ()
    ]
    return ", ".join(found) or None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


_SUBSCRIPTION = ("show_subscription_details", ("subscription_id",))
_INVOICE = ("get_invoice", ("invoice_id",))
_LOOKUPS: Mapping[str, tuple[str, tuple[str, ...], Rows]] = {
    "update_subscription": (*_SUBSCRIPTION, _subscription_change),
    "cancel_subscription": (*_SUBSCRIPTION, _subscription_end),
    "send_invoice": (*_INVOICE, _invoice_as("SENT")),
    "send_invoice_reminder": (*_INVOICE, _invoice_as(None)),
    "cancel_sent_invoice": (*_INVOICE, _invoice_as("CANCELLED")),
    "accept_dispute_claim": ("get_dispute", ("dispute_id",), _dispute),
    "pay_order": ("get_order", ("id",), _order),
    "create_shipment_tracking": ("get_shipment_tracking", ("transaction_id", "tracking_number"), _tracker),
}
"""Tool -> (read tool, the arguments that both take, how to read the answer)."""
_MAY_BE_NEW = frozenset({"create_shipment_tracking"})
"""Adds where nothing is, and replaces where something is."""
