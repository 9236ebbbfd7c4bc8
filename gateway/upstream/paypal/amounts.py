"""Decimal arithmetic from strings, as PayPal does it. Pure; no float anywhere.

PayPal checks that an order's parts add up, and it rounds the tax of one unit before it multiplies (paypal.md
hazard 12: the toolkit rounds the sum and is refused with TAX_TOTAL_MISMATCH).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

ZERO_DECIMAL_CURRENCIES = frozenset({"HUF", "JPY", "TWD"})
"""PayPal refuses a fraction in these (developer.paypal.com, "Currency codes")."""
GREATEST_AMOUNT = Decimal("999999999.99")
"""Bound on every total, also before the discount: a discount must not hide a senseless gross amount."""

_CENT = Decimal("0.01")
_UNIT = Decimal(1)
_HUNDRED = Decimal(100)
_PLAIN = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,5})?", re.ASCII)


class AmountError(ValueError):
    """Amounts that cannot be sent. ``pointer`` is a JSON pointer; the message holds no value."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.message = message


class OrderLine(NamedTuple):
    """One item: price and tax of one unit, and how many."""

    unit: Decimal
    tax: Decimal
    quantity: int


class OrderTotals(NamedTuple):
    """An order's breakdown. ``total`` = items + tax + shipping - discount."""

    lines: tuple[OrderLine, ...]
    item_total: Decimal
    tax_total: Decimal
    shipping: Decimal
    discount: Decimal
    total: Decimal


def decimal_of(value: Any, pointer: str) -> Decimal:
    """A plain, non-negative decimal string -> Decimal. :raises AmountError: also for JSON numbers."""
    if not isinstance(value, str) or _PLAIN.fullmatch(value) is None:
        raise AmountError(pointer, "is not a plain decimal string")
    return Decimal(value)


def amount_of(value: Any, currency: str, pointer: str) -> Decimal:
    """An amount with no more decimals than its currency has. :raises AmountError:"""
    amount = decimal_of(value, pointer)
    exponent = amount.as_tuple().exponent
    most = 0 if currency in ZERO_DECIMAL_CURRENCIES else 2
    if not isinstance(exponent, int) or -exponent > most:
        raise AmountError(pointer, f"has more decimals than {currency} allows ({most})")
    return amount


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the smallest unit of the currency, half up."""
    return amount.quantize(_UNIT if currency in ZERO_DECIMAL_CURRENCIES else _CENT, ROUND_HALF_UP)


def rendered(amount: Decimal, currency: str) -> str:
    """The one spelling that goes to PayPal: fixed decimals, no exponent."""
    return format(rounded(amount, currency), "f")


def order_totals(arguments: Mapping[str, Any]) -> OrderTotals:
    """``create_order``'s arguments -> the breakdown PayPal will accept. :raises AmountError:"""
    currency = arguments["currencyCode"]
    lines = tuple(_order_line(item, currency, f"/items/{i}") for i, item in enumerate(arguments["items"]))
    items = sum((line.unit * line.quantity for line in lines), Decimal(0))
    tax = sum((line.tax * line.quantity for line in lines), Decimal(0))
    shipping = amount_of(arguments.get("shippingCost", "0"), currency, "/shippingCost")
    discount = amount_of(arguments.get("discount", "0"), currency, "/discount")
    gross = items + tax + shipping
    _within_bounds(gross, "/items")
    if discount >= gross:
        raise AmountError("/discount", "leaves nothing to pay")
    return OrderTotals(lines, items, tax, shipping, discount, gross - discount)


def invoice_total(arguments: Mapping[str, Any]) -> tuple[Decimal, str]:
    """``create_invoice``'s arguments -> what the recipient will be asked for. :raises AmountError:"""
    currency = arguments["detail"]["currency_code"]
    total = Decimal(0)
    for i, item in enumerate(arguments.get("items", ())):
        pointer = f"/items/{i}"
        unit = item["unit_amount"]
        if unit["currency_code"] != currency:
            raise AmountError(f"{pointer}/unit_amount/currency_code", "differs from /detail/currency_code")
        quantity = decimal_of(item["quantity"], f"{pointer}/quantity")
        price = amount_of(unit["value"], currency, f"{pointer}/unit_amount/value")
        line = rounded(price * quantity, currency)
        percent = decimal_of(item.get("tax", {}).get("percent", "0"), f"{pointer}/tax/percent")
        total += line + rounded(line * percent / _HUNDRED, currency)
    _within_bounds(total, "/items")
    return total, currency


def money_objects(value: Any, pointer: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every ``{currency_code, value}`` at any depth, with its JSON pointer."""
    if isinstance(value, Mapping):
        if "currency_code" in value and "value" in value:
            yield pointer, value
        for key, member in value.items():
            yield from money_objects(member, f"{pointer}/{key}")
    elif isinstance(value, list):
        for i, member in enumerate(value):
            yield from money_objects(member, f"{pointer}/{i}")


def dearest_charge(plan: Mapping[str, Any], *, quantity: Decimal) -> tuple[Decimal, str]:
    """The most that one billing moment can take: setup fee, dearest cycle and the tax on both. :raises AmountError:"""
    prices: list[tuple[Decimal, str]] = []
    for cycle in plan["billing_cycles"]:
        scheme = cycle.get("pricing_scheme", {})
        prices.extend(money_in(tier["amount"]) for tier in scheme.get("tiers", ()))
        if "fixed_price" in scheme:
            prices.append(money_in(scheme["fixed_price"]))
    fee = plan.get("payment_preferences", {}).get("setup_fee")
    setup = (Decimal(0), prices[0][1]) if fee is None else money_in(fee)
    if len({currency for _, currency in (setup, *prices)}) != 1:
        raise AmountError("/billing_cycles", "has several currencies")
    charge = setup[0] + max(price for price, _ in prices) * quantity
    taxes = plan.get("taxes")
    if taxes and not taxes.get("inclusive", False):
        charge += charge * decimal_of(taxes["percentage"], "/taxes/percentage") / _HUNDRED
    return charge, setup[1]


def sum_of(amounts: Iterable[Mapping[str, Any]]) -> tuple[Decimal, str]:
    """Money objects of one currency, added up. :raises AmountError:"""
    found = [money_in(amount) for amount in amounts]
    if len({currency for _, currency in found}) != 1:
        raise AmountError("", "has several currencies")
    return sum((amount for amount, _ in found), Decimal(0)), found[0][1]


def money_in(value: Mapping[str, Any]) -> tuple[Decimal, str]:
    """One ``{currency_code, value}`` of an answer. :raises AmountError:"""
    return decimal_of(value["value"], ""), value["currency_code"]


def _order_line(item: Mapping[str, Any], currency: str, pointer: str) -> OrderLine:
    unit = amount_of(item["itemCost"], currency, f"{pointer}/itemCost")
    percent = decimal_of(item.get("taxPercent", "0"), f"{pointer}/taxPercent")
    return OrderLine(unit, rounded(unit * percent / _HUNDRED, currency), int(item.get("quantity", 1)))


def _within_bounds(amount: Decimal, pointer: str) -> None:
    if amount > GREATEST_AMOUNT:
        raise AmountError(pointer, f"adds up to more than {GREATEST_AMOUNT}")
