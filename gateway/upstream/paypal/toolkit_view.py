"""Arguments as PayPal's own toolkit names and types them -> as ours do, for judging alone. Pure.

What is sent stays what the host sent and the policy judged (invariant 2); this is only how it is looked at. What has
no counterpart here stays under its own name, and the closed schemas refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from gateway.upstream.paypal.operation import Arguments

_GREATEST_NUMBER = 10**12
"""Larger numbers stay numbers, which no schema of ours takes for an amount."""
_ITEM_NUMBERS = ("itemCost", "taxPercent")
_ORDER_NUMBERS = ("discount", "shippingCost")
_NULLABLE = ("shippingAddress", "notes")
_CHANGED_AMOUNTS = frozenset({"fixed_price", "outstanding_balance", "shipping_amount"})
_ONLY_CURRENCY = "USD"
"""``update_subscription`` takes no other currency, and takes this one where none is named."""


def viewed(tool: str, arguments: Arguments) -> dict[str, Any]:
    """A copy in our words. Never raises, whatever the arguments are."""
    view = _VIEWS.get(tool)
    return dict(arguments) if view is None else view(dict(arguments))


def decimal_text(value: Any) -> Any:
    """A JSON number as the decimal text that it was written as; anything else as it is.

    The door lets no number through that a float does not hold (invariant 2), so the shortest text is the one.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _GREATEST_NUMBER:
        return value
    return format(Decimal(repr(value)), "f")


def _order(view: dict[str, Any]) -> dict[str, Any]:
    """``itemTotal`` is judged by ``toolkit_rules``: the toolkit does not use it."""
    for name in _ORDER_NUMBERS:
        if name in view:
            view[name] = decimal_text(view[name])
    for name in _NULLABLE:
        if view.get(name, ()) is None:
            del view[name]
    items = view.get("items")
    if isinstance(items, list):
        view["items"] = [_item(one) for one in items]
    return view


def _item(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return item
    view = {key: value for key, value in item.items() if key != "itemTotal"}
    for name in _ITEM_NUMBERS:
        if name in view:
            view[name] = decimal_text(view[name])
    return view


def _new_subscription(view: dict[str, Any]) -> dict[str, Any]:
    quantity = view.get("quantity")
    if isinstance(quantity, int) and not isinstance(quantity, bool):
        view["quantity"] = str(quantity) if abs(quantity) < _GREATEST_NUMBER else quantity
    subscriber = view.get("subscriber")
    if isinstance(subscriber, Mapping) and "shipping_address" in subscriber:
        view["subscriber"] = {**subscriber, "shipping_address": _shipping(subscriber["shipping_address"])}
    return view


def _changed_subscription(view: dict[str, Any]) -> dict[str, Any]:
    if "shipping_address" in view:
        view["shipping_address"] = _shipping(view["shipping_address"])
    if not _CHANGED_AMOUNTS.isdisjoint(view):
        view.setdefault("currency_code", _ONLY_CURRENCY)
    return view


def _shipping(value: Any) -> Any:
    """A name in two parts is one name."""
    if not isinstance(value, Mapping) or not isinstance(name := value.get("name"), Mapping):
        return value
    parts = [name[key] for key in ("given_name", "surname") if key in name]
    if not parts or "full_name" in name or len(parts) != len(name):
        return value
    full = " ".join(parts) if all(isinstance(part, str) for part in parts) else parts
    return {**value, "name": {"full_name": full}}


def _cancelled_subscription(view: dict[str, Any]) -> dict[str, Any]:
    payload = view.get("payload")
    if not isinstance(payload, Mapping) or payload.keys() & view.keys():
        return view
    del view["payload"]
    return {**view, **payload}


def _shown_subscription(view: dict[str, Any]) -> dict[str, Any]:
    if isinstance(view.get("get_additional_details"), bool):
        del view["get_additional_details"]
    return view


_VIEWS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "cancel_subscription": _cancelled_subscription,
    "create_order": _order,
    "create_subscription": _new_subscription,
    "show_subscription_details": _shown_subscription,
    "update_subscription": _changed_subscription,
}
