"""What a call costs whom: from its arguments, or from the read that tells. Pure; never raises, never guesses.

Not known is ``Money()``, source ``unknown``, which a policy must take for more than any limit; None means
that the tool moves no money and asks for none. Of several possible amounts the greatest is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal

from gateway.policy.money import Money
from gateway.upstream.paypal.amounts import (
    AmountError,
    amount_of,
    decimal_of,
    invoice_total,
    order_totals,
    rendered,
)
from gateway.upstream.paypal.operation import Arguments
from gateway.upstream.paypal.schema import CURRENCIES

_UNKNOWN = Money()
_HUNDRED = Decimal(100)
_BROKEN = (AmountError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What malformed arguments or a malformed answer can raise below. All of it means: not known."""

Cost = tuple[Decimal, str, str | None]
"""Amount, currency, payee."""


def money_of(tool: str, arguments: Arguments) -> Money | None:
    """The money in the arguments alone; ``unknown`` where a lookup could tell; None where there is none."""
    if tool in _FROM_LOOKUP:
        return _UNKNOWN
    if tool == "update_subscription" and not _CHANGED_AMOUNTS & arguments.keys():
        return None
    cost = _FROM_ARGUMENTS.get(tool)
    return None if cost is None else _told(lambda: cost(arguments), "arguments")


def lookup_for(tool: str, arguments: Arguments) -> tuple[str, dict[str, Any]] | None:
    """The read tool and its arguments that tell what this call costs; None where no tool of ours can tell.

    ``create_refund`` without an amount has none: none of the 28 tools reads a capture.
    """
    if tool not in _FROM_LOOKUP:
        return None
    read, given, wanted, _ = _FROM_LOOKUP[tool]
    return (read, {wanted: arguments[given]}) if given in arguments else None


def money_from(tool: str, arguments: Arguments, structured: Mapping[str, Any]) -> Money:
    """The answer of :func:`lookup_for`'s tool -> the money of the call itself."""
    if tool not in _FROM_LOOKUP:
        return _UNKNOWN
    cost = _FROM_LOOKUP[tool][3]
    return _told(lambda: cost(arguments, structured), "lookup")


def _told(cost: Callable[[], Cost], source: Literal["arguments", "lookup"]) -> Money:
    try:
        amount, currency, payee = cost()
        if currency not in CURRENCIES or amount <= 0:
            return _UNKNOWN
        return Money(amount=rendered(amount, currency), currency=currency, payee=payee, source=source)
    except _BROKEN:
        return _UNKNOWN


def _order(arguments: Arguments) -> Cost:
    return order_totals(arguments).total, arguments["currencyCode"], None


def _invoice(arguments: Arguments) -> Cost:
    return *invoice_total(arguments), None


def _refund(arguments: Arguments) -> Cost:
    currency = arguments["amount"]["currency_code"]
    return amount_of(arguments["amount"]["value"], currency, "/amount/value"), currency, None


def _plan(arguments: Arguments) -> Cost:
    return *_dearest_charge(arguments, quantity=1), None


def _subscription_change(arguments: Arguments) -> Cost:
    """All the amounts that are set, together: one change can move each of them."""
    currency = arguments["currency_code"]
    values = [arguments[name] for name in ("outstanding_balance", "shipping_amount") if name in arguments]
    if "fixed_price" in arguments:
        values.append(arguments["fixed_price"]["value"])
    return sum((amount_of(value, currency, "") for value in values), Decimal(0)), currency, None


def _order_looked_up(_: Arguments, order: Mapping[str, Any]) -> Cost:
    units = order["purchase_units"]
    payee = units[0].get("payee", {})
    amount, currency = _sum(unit["amount"] for unit in units)
    return amount, currency, _text(payee.get("merchant_id") or payee.get("email_address"))


def _invoice_looked_up(_: Arguments, invoice: Mapping[str, Any]) -> Cost:
    return *_money(invoice["amount"]), None


def _dispute_looked_up(_: Arguments, dispute: Mapping[str, Any]) -> Cost:
    transactions = dispute.get("disputed_transactions") or [{}]
    buyer = transactions[0].get("buyer", {})
    return *_money(dispute["dispute_amount"]), _text(buyer.get("email") or buyer.get("name"))


def _subscription_looked_up(arguments: Arguments, plan: Mapping[str, Any]) -> Cost:
    amount, currency = _dearest_charge(plan, quantity=int(arguments.get("quantity", "1")))
    if "shipping_amount" in arguments:
        shipping, shipping_currency = _money(arguments["shipping_amount"])
        if shipping_currency != currency:
            return Decimal(0), currency, None
        amount += shipping
    return amount, currency, None


def _dearest_charge(plan: Mapping[str, Any], *, quantity: int) -> tuple[Decimal, str]:
    """The most that one billing moment can take: setup fee, dearest cycle and the tax on both."""
    prices: list[tuple[Decimal, str]] = []
    for cycle in plan["billing_cycles"]:
        scheme = cycle.get("pricing_scheme", {})
        prices.extend(_money(tier["amount"]) for tier in scheme.get("tiers", ()))
        if "fixed_price" in scheme:
            prices.append(_money(scheme["fixed_price"]))
    fee = plan.get("payment_preferences", {}).get("setup_fee")
    setup = (Decimal(0), prices[0][1]) if fee is None else _money(fee)
    if len({currency for _, currency in (setup, *prices)}) != 1:
        raise AmountError("/billing_cycles", "has several currencies")
    charge = setup[0] + max(price for price, _ in prices) * quantity
    taxes = plan.get("taxes")
    if taxes and not taxes.get("inclusive", False):
        charge += charge * decimal_of(taxes["percentage"], "/taxes/percentage") / _HUNDRED
    return charge, setup[1]


def _sum(amounts: Any) -> tuple[Decimal, str]:
    found = [_money(amount) for amount in amounts]
    if len({currency for _, currency in found}) != 1:
        raise AmountError("", "has several currencies")
    return sum((amount for amount, _ in found), Decimal(0)), found[0][1]


def _money(value: Mapping[str, Any]) -> tuple[Decimal, str]:
    return decimal_of(value["value"], ""), value["currency_code"]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


_CHANGED_AMOUNTS = frozenset({"fixed_price", "outstanding_balance", "shipping_amount"})
_FROM_ARGUMENTS: Mapping[str, Callable[[Arguments], Cost]] = {
    "create_invoice": _invoice,
    "create_order": _order,
    "create_refund": _refund,
    "create_subscription_plan": _plan,
    "update_subscription": _subscription_change,
}
_FROM_LOOKUP: Mapping[str, tuple[str, str, str, Callable[[Arguments, Mapping[str, Any]], Cost]]] = {
    "pay_order": ("get_order", "id", "id", _order_looked_up),
    "send_invoice": ("get_invoice", "invoice_id", "invoice_id", _invoice_looked_up),
    "accept_dispute_claim": ("get_dispute", "dispute_id", "dispute_id", _dispute_looked_up),
    "create_subscription": ("show_subscription_plan_details", "plan_id", "plan_id", _subscription_looked_up),
}
"""Tool -> (read tool, our argument with the id, the read tool's argument for it, how to read the answer)."""
