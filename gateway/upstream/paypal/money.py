"""What a call costs whom: from its arguments, and from the reads that tell the rest. Pure; never raises, never guesses.

Not known is ``Money()``, source ``unknown``, which a policy must take for more than any limit; None means
that the tool moves no money and asks for none. Of several possible amounts the greatest is told. An answer about
another resource than the one that was asked for, or one that contradicts the arguments, is no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from gateway.policy.money import Money
from gateway.upstream.paypal import captures
from gateway.upstream.paypal.amounts import (
    AmountError,
    amount_of,
    dearest_charge,
    decimal_of,
    invoice_total,
    money_in,
    order_totals,
    rendered,
    sum_of,
)
from gateway.upstream.paypal.lookups import CHANGED_AMOUNTS, CHANGED_PRICE, Answers, Read, next_read
from gateway.upstream.paypal.operation import Arguments
from gateway.upstream.paypal.parties import one_spelling, party
from gateway.upstream.paypal.schema import CURRENCIES

_UNKNOWN = Money()
_BROKEN = (AmountError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What malformed arguments or a malformed answer can raise below. All of it means: not known."""


class Cost(NamedTuple):
    """``payees`` and ``payers`` may repeat themselves; a None among them is somebody who could not be named."""

    amount: Decimal
    currency: str
    payees: Iterable[str | None] = ()
    payers: Iterable[str | None] = ()
    source: Literal["arguments", "lookup"] = "arguments"


def money_of(tool: str, arguments: Arguments) -> Money | None:
    """The money in the arguments alone; ``unknown`` where a lookup could tell; None where there is none."""
    if tool == "update_subscription" and CHANGED_AMOUNTS.isdisjoint(arguments):
        return None
    return money_from(tool, arguments, ()) if tool in _COSTS else None


def lookup_for(tool: str, arguments: Arguments, answers: Answers = ()) -> Read | None:
    """The next read that tells what this call costs whom; None where nothing more can be told."""
    return next_read(tool, arguments, answers)


def money_from(tool: str, arguments: Arguments, answers: Answers) -> Money:
    """The arguments and the answers of :func:`lookup_for`'s reads, as many as there were -> the money of the call."""
    cost = _COSTS.get(tool)
    if cost is None:
        return _UNKNOWN
    try:
        amount, currency, payees, payers, source = cost(arguments, answers)
        if currency not in CURRENCIES or amount <= 0:
            return _UNKNOWN
        receiving, paying = _all_of(payees), _all_of(payers)
        return Money(
            amount=rendered(amount, currency),
            currency=currency,
            payee=receiving[0] if len(receiving) == 1 else None,
            payees=receiving,
            payers=paying,
            source=source,
        )
    except _BROKEN:
        return _UNKNOWN


def _all_of(parties: Iterable[str | None]) -> tuple[str, ...]:
    """Each once and in order; none at all where one is missing: half a list would read as the whole."""
    found = set(parties)
    return () if None in found else tuple(sorted(one for one in found if one is not None))


def _new_order(arguments: Arguments, _: Answers) -> Cost:
    """We receive; who pays is known when a buyer has approved."""
    return Cost(order_totals(arguments).total, arguments["currencyCode"])


def _new_invoice(arguments: Arguments, _: Answers) -> Cost:
    return Cost(*invoice_total(arguments), *_billed(arguments))


def _refund(arguments: Arguments, answers: Answers) -> Cost:
    """The buyer of the capture receives, whoever was paid by it pays; without an amount, all that is left."""
    if "amount" not in arguments:
        captured = captures.read(arguments["capture_id"], answers)  # nobody asked: LookupError
        return Cost(captured.left, captured.currency, (captured.buyer,), (captured.seller,), "lookup")
    currency = arguments["amount"]["currency_code"]
    amount = amount_of(arguments["amount"]["value"], currency, "/amount/value")
    if not answers:
        return Cost(amount, currency)
    captured = captures.read(arguments["capture_id"], answers)
    if currency != captured.currency:
        raise AmountError("/amount/currency_code", "is not the currency of the capture")
    return Cost(amount, currency, (captured.buyer,), (captured.seller,))


def _new_plan(arguments: Arguments, _: Answers) -> Cost:
    return Cost(*dearest_charge(arguments, quantity=Decimal(1)))


def _changed_subscription(arguments: Arguments, answers: Answers) -> Cost:
    """All the amounts that are set, together: one change can move each of them. A new price is that of one, and the
    subscription says of how many; the tax on top is its own or its plan's."""
    values = [arguments[name] for name in ("outstanding_balance", "shipping_amount") if name in arguments]
    payers: list[str | None] = []
    if answers:
        _same(answers[0], "id", arguments["subscription_id"])
        payers = _subscribers(answers[0])
    if CHANGED_PRICE.isdisjoint(arguments):
        currency = arguments["currency_code"]
        return Cost(_total(values, currency), currency, (), payers)
    subscription, plan = answers
    _same(plan, "id", subscription["plan_id"])
    charge, currency = dearest_charge(
        _changed_plan(arguments, subscription, plan),
        quantity=decimal_of(subscription.get("quantity", "1"), "/quantity"),
    )
    if arguments.get("currency_code", currency) != currency:
        raise AmountError("/currency_code", "is not the currency of the plan")
    return Cost(charge + _total(values, currency), currency, (), payers, "lookup")


def _changed_plan(
    arguments: Arguments, subscription: Mapping[str, Any], plan: Mapping[str, Any]
) -> Mapping[str, Any]:
    """What is charged from now on: the plan, what the subscription has instead of it, what the call changes.

    Attack: a price below the limit, and a tax on top that doubles it, in one call or in two.
    """
    own = subscription.get("plan") or {}
    cycles = own.get("billing_cycles") or plan["billing_cycles"]
    if "fixed_price" in arguments:
        value, currency = arguments["fixed_price"]["value"], arguments["currency_code"]
        amount_of(value, currency, "/fixed_price/value")
        if dearest_charge({"billing_cycles": cycles}, quantity=Decimal(1))[1] != currency:
            raise AmountError("/currency_code", "is not the currency of the plan")
        cycles = [{"pricing_scheme": {"fixed_price": {"value": value, "currency_code": currency}}}]
    taxes = {"percentage": "0", **(plan.get("taxes") or {}), **(own.get("taxes") or {})}
    for name, changed in (("percentage", "taxes_percentage"), ("inclusive", "taxes_inclusive")):
        if changed in arguments:
            taxes[name] = arguments[changed]
    return {"billing_cycles": cycles, "taxes": taxes}


def _total(values: Iterable[Any], currency: str) -> Decimal:
    return sum((amount_of(value, currency, "") for value in values), Decimal(0))


def _order(arguments: Arguments, answers: Answers) -> Cost:
    """Attack: an order of two units, ours first and somebody else's behind it. So everybody who gets a part is told,
    whoever takes a platform fee included."""
    order = answers[0]
    _same(order, "id", arguments["id"])
    units = order["purchase_units"]
    amount, currency = sum_of(unit["amount"] for unit in units)
    receiving = [unit.get("payee") for unit in units]
    receiving += [fee.get("payee") for unit in units for fee in _fees(unit) if fee.get("payee")]
    payees = [_merchant(one) for one in receiving]
    return Cost(amount, currency, payees, _payers(order), "lookup")


def _fees(unit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(unit.get("payment_instruction", {}).get("platform_fees", ()))


def _invoice(arguments: Arguments, answers: Answers) -> Cost:
    invoice = answers[0]
    _same(invoice, "id", arguments["invoice_id"])
    return Cost(*money_in(invoice["amount"]), *_billed(invoice), "lookup")


def _dispute(arguments: Arguments, answers: Answers) -> Cost:
    dispute = answers[0]
    _same(dispute, "dispute_id", arguments["dispute_id"])
    amount, currency = money_in(dispute["dispute_amount"])
    transactions = dispute.get("disputed_transactions") or [{}]
    payees = [one_spelling(one.get("buyer", {}).get("email")) for one in transactions]
    sellers = [_merchant(one.get("seller")) for one in transactions]
    if len(answers) > 1:
        captured = captures.read(transactions[0]["seller_transaction_id"], answers[1:])
        payees = [captured.buyer or payees[0]]
    return Cost(amount, currency, payees, sellers, "lookup")


def _new_subscription(arguments: Arguments, answers: Answers) -> Cost:
    plan = answers[0]
    _same(plan, "id", arguments["plan_id"])
    amount, currency = dearest_charge(plan, quantity=decimal_of(arguments.get("quantity", "1"), "/quantity"))
    if "shipping_amount" in arguments:
        shipping, shipping_currency = money_in(arguments["shipping_amount"])
        if shipping_currency != currency:
            raise AmountError("/shipping_amount/currency_code", "is not the currency of the plan")
        amount += shipping
    return Cost(amount, currency, (), _subscribers(arguments), "lookup")


def _same(answer: Mapping[str, Any], name: str, wanted: Any) -> None:
    """Attack: the target answers with another, cheaper resource. One that does not say which it is is believed."""
    if answer.get(name, wanted) != wanted:
        raise AmountError(f"/{name}", "is another one than was asked for")


def _billed(invoice: Mapping[str, Any]) -> tuple[list[str | None], list[str | None]]:
    """Who bills, where that is said (else it is our own account), and who is billed."""
    biller = invoice.get("invoicer", {}).get("email_address")
    recipients = invoice.get("primary_recipients", ())
    billed = [one_spelling(one.get("billing_info", {}).get("email_address")) for one in recipients]
    return ([] if biller is None else [one_spelling(biller)]), billed


def _payers(order: Mapping[str, Any]) -> list[str | None]:
    payer = order.get("payer")
    return [] if not payer else [party(payer.get("payer_id"), payer.get("email_address"))]


def _subscribers(holder: Mapping[str, Any]) -> list[str | None]:
    subscriber = holder.get("subscriber") or {}
    found = party(subscriber.get("payer_id"), subscriber.get("email_address"))
    return [] if found is None else [found]


def _merchant(payee: Mapping[str, Any] | None) -> str | None:
    if not payee:
        return None
    return party(payee.get("merchant_id"), payee.get("email_address") or payee.get("email"))


_COSTS: Mapping[str, Callable[[Arguments, Answers], Cost]] = {
    "accept_dispute_claim": _dispute,
    "create_invoice": _new_invoice,
    "create_order": _new_order,
    "create_refund": _refund,
    "create_subscription": _new_subscription,
    "create_subscription_plan": _new_plan,
    "pay_order": _order,
    "send_invoice": _invoice,
    "update_subscription": _changed_subscription,
}
"""Every tool that moves money or asks for it."""
