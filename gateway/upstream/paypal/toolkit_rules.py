"""What may reach PayPal's own toolkit: our closed schemas and rules, and what only the toolkit gets wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gateway.upstream.paypal.amounts import rounded
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.operation import Arguments, Problem
from gateway.upstream.paypal.toolkit_view import decimal_text, viewed
from gateway.upstream.paypal.validation import MOST_PROBLEMS, ArgumentChecker

REFUSED_TOOLS: Mapping[str, str] = {
    "create_invoice": "also sends the invoice to its recipients; create drafts with the built-in server",
}
"""Tools with an effect that their name does not tell: no approver of the one would have seen the other."""

REFUSED_MEMBERS: Mapping[tuple[str, str], str] = {
    ("create_order", "notes"): "is ignored, so nobody must be shown it",
    ("create_shipment_tracking", "order_id"): "is ignored, so nobody must be shown it",
    (
        "get_shipment_tracking",
        "order_id",
    ): "leads to a payment that the call does not name; give transaction_id",
    ("list_disputes", "page"): "is ignored",
    ("list_transactions", "search_months"): "makes one request for each month",
    ("list_transactions", "transaction_id"): "makes twelve requests, and reports errors as not found",
}
"""Arguments that mean something else at the toolkit than they say; our own server lacks them, or does them right."""


class ToolkitChecker:
    """Judges calls of the 28 tools. Validators are compiled when it is built."""

    def __init__(self) -> None:
        self._checkers = {name: ArgumentChecker(tool) for name, tool in TOOLS.items()}

    def problems(self, tool: str, arguments: Arguments) -> list[Problem]:
        """What is wrong, if anything. ``tool`` is one of the 28. Problems never hold the values sent."""
        if tool in REFUSED_TOOLS:
            return [Problem("", "hidden_effect", REFUSED_TOOLS[tool])]
        found = [
            Problem(f"/{name}", "toolkit", REFUSED_MEMBERS[tool, name])
            for name in arguments
            if (tool, name) in REFUSED_MEMBERS and arguments[name] is not None
        ]
        if found:
            return found
        found = self._checkers[tool].problems(viewed(tool, arguments))
        if not found and tool == "create_order":
            found = _decoys(arguments)
        return found[:MOST_PROBLEMS]


def _decoys(arguments: Arguments) -> list[Problem]:
    """The toolkit ignores ``itemTotal``. Attack: it says 1, the approver reads it, and 5000 is charged.

    It may be there, for the toolkit demands it, if it says what the item comes to, before or after tax.
    """
    currency = arguments["currencyCode"]
    problems = []
    for i, item in enumerate(arguments["items"]):
        if "itemTotal" in item and _amount(item["itemTotal"]) not in _totals(item, currency):
            problems.append(Problem(f"/items/{i}/itemTotal", "decoy", "is not what the item comes to"))
    return problems


def _totals(item: Mapping[str, Any], currency: str) -> tuple[Decimal, ...]:
    """Before tax; and after it, rounded per unit as PayPal does, or on the sum as the toolkit does."""
    unit, rate = (
        Decimal(decimal_text(item["itemCost"])),
        Decimal(decimal_text(item.get("taxPercent", 0))) / 100,
    )
    quantity = Decimal(int(item.get("quantity", 1)))
    net = unit * quantity
    per_unit, on_sum = rounded(unit * rate, currency) * quantity, rounded(net * rate, currency)
    return net, net + per_unit, net + on_sum


def _amount(value: Any) -> Decimal | None:
    text = decimal_text(value)
    return Decimal(text) if isinstance(text, str) and isinstance(value, int | float) else None
