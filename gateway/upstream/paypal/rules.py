"""What a schema cannot say about arguments: sums, currencies, dates. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway.upstream.paypal.amounts import (
    AmountError,
    amount_of,
    invoice_total,
    money_objects,
    order_totals,
)
from gateway.upstream.paypal.operation import Arguments, Problem, Rule

LONGEST_REPORT = timedelta(days=31)
"""PayPal's bound on one transaction search (reporting_transactions_v1)."""


def decimals_fit(arguments: Arguments) -> list[Problem]:
    """No money object has more decimals than its currency. Applies to every tool."""
    problems = []
    for pointer, money in money_objects(arguments):
        try:
            amount_of(money["value"], money["currency_code"], f"{pointer}/value")
        except AmountError as error:
            problems.append(_amount_problem(error))
    return problems


def order_adds_up(arguments: Arguments) -> list[Problem]:
    """An order has a total above zero that its parts add up to."""
    return _computed(order_totals, arguments)


def invoice_adds_up(arguments: Arguments) -> list[Problem]:
    """An invoice has one currency and quantities above zero."""
    problems = _computed(invoice_total, arguments)
    for i, item in enumerate(arguments.get("items", ())):
        if Decimal(item["quantity"]) == 0:
            problems.append(Problem(f"/items/{i}/quantity", "positive", "is zero"))
    return problems


def refund_is_positive(arguments: Arguments) -> list[Problem]:
    """A partial refund gives something back. PayPal would read an empty amount as "all that is left"."""
    if "amount" in arguments and Decimal(arguments["amount"]["value"]) == 0:
        return [Problem("/amount/value", "positive", "is zero")]
    return []


def plan_has_one_currency(arguments: Arguments) -> list[Problem]:
    """All prices of a plan are in one currency (PayPal: CURRENCY_MISMATCH)."""
    found = list(money_objects(arguments))
    first = found[0][1]["currency_code"] if found else None
    return [
        Problem(f"{pointer}/currency_code", "one_currency", "differs from the plan's first price")
        for pointer, money in found
        if money["currency_code"] != first
    ]


def changes_fit_currency(arguments: Arguments) -> list[Problem]:
    """``update_subscription`` names its currency once; every amount must have its decimals."""
    currency = arguments.get("currency_code")
    problems = []
    for pointer, holder in (
        ("/fixed_price/value", arguments.get("fixed_price", {}).get("value")),
        ("/outstanding_balance", arguments.get("outstanding_balance")),
        ("/shipping_amount", arguments.get("shipping_amount")),
    ):
        if holder is None or not isinstance(currency, str):
            continue
        try:
            amount_of(holder, currency, pointer)
        except AmountError as error:
            problems.append(_amount_problem(error))
    return problems


def report_is_short(arguments: Arguments) -> list[Problem]:
    """A transaction search covers at most 31 days, forwards."""
    problems = []
    moments: list[datetime] = []
    for name in ("start_date", "end_date"):
        try:
            moments.append(datetime.fromisoformat(arguments[name]))
        except ValueError:
            problems.append(Problem(f"/{name}", "date", "is not a date of the calendar"))
    if len(moments) == 2 and not timedelta(0) < moments[1] - moments[0] <= LONGEST_REPORT:
        problems.append(Problem("/end_date", "range", "is not within 31 days after start_date"))
    return problems


def day_exists(*path: str) -> Rule:
    """The date at this place, if given, is in the calendar: a pattern lets 31 February through."""

    def rule(arguments: Arguments) -> list[Problem]:
        value: Any = arguments
        for step in path:
            value = value.get(step, {})
        if value == {}:
            return []
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return [Problem("/" + "/".join(path), "date", "is not a date of the calendar")]
        return []

    return rule


def _computed(compute: Callable[[Arguments], object], arguments: Arguments) -> list[Problem]:
    try:
        compute(arguments)
    except AmountError as error:
        return [_amount_problem(error)]
    return []


def _amount_problem(error: AmountError) -> Problem:
    return Problem(error.pointer, "amount", error.message)
