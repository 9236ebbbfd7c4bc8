"""What can be found out at PayPal about a call whose answer was lost. Pure; never raises.

A lookup may prove that a call took effect; it never proves the contrary: a report lags, and a request may still be
under way. So a read that shows nothing settles nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.operation import Arguments

HOUR_S = 3600.0
REPLAY_S: Mapping[str, float] = {
    "create_order": 6 * HOUR_S,
    "pay_order": 6 * HOUR_S,
    "create_refund": 45 * 24 * HOUR_S,
    "create_product": 72 * HOUR_S,
    "create_subscription_plan": 72 * HOUR_S,
    "create_subscription": 72 * HOUR_S,
}
"""How long PayPal keeps a PayPal-Request-Id (its OpenAPI files, per operation). Invoices, tracking, disputes and
cancellations have none: a repeat there is a new request."""
SKEW_S = 60.0
"""Seconds that PayPal's clock may be behind ours."""
MAX_ID_CHARS = 255
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_AMOUNTS = ("amount",)


def idempotent(tool: str) -> bool:
    """PayPal declares PayPal-Request-Id for this operation."""
    found = TOOLS.get(tool)
    return found is not None and found.operation.idempotent


def changes_nothing(tool: str) -> bool:
    """A read at PayPal, whatever its class."""
    found = TOOLS.get(tool)
    return found is not None and found.operation.effect == "read"


def kept_of(tool: str, arguments: Arguments) -> dict[str, Any]:
    """The ids in the operation's path, and a refund's amount."""
    found = TOOLS.get(tool)
    if found is None:
        return {}
    names = (*_PLACEHOLDER.findall(found.operation.path), *_AMOUNTS)
    return {name: arguments[name] for name in names if name in arguments}


def lookup_for(tool: str, kept: Arguments) -> tuple[str, dict[str, Any]] | None:
    """The read that shows the effect, where one of the 28 tools can."""
    if tool not in _LOOKUPS:
        return None
    read, given, wanted, _ = _LOOKUPS[tool]
    return (read, {wanted: kept[given]}) if given in kept else None


def shows_effect(tool: str, structured: Mapping[str, Any], *, since: float) -> bool:
    """Whether the answer of :func:`lookup_for`'s read shows what the call asked for."""
    if tool not in _LOOKUPS:
        return False
    try:
        return _LOOKUPS[tool][3](structured, since)
    except (LookupError, TypeError, ValueError, AttributeError):
        return False


def replay_s(tool: str) -> float | None:
    """See :data:`REPLAY_S`."""
    return REPLAY_S.get(tool)


def resource_of(structured: Mapping[str, Any]) -> str | None:
    """The id that PayPal gave to what was made."""
    found = structured.get("id")
    return found if isinstance(found, str) and len(found) <= MAX_ID_CHARS else None


def _captured(order: Mapping[str, Any], since: float) -> bool:
    """Completed, by a capture that is no older than the call: an order is captured once."""
    captures = [one for unit in order["purchase_units"] for one in unit["payments"]["captures"]]
    return order["status"] == "COMPLETED" and any(
        datetime.fromisoformat(one["create_time"]).timestamp() >= since - SKEW_S for one in captures
    )


def _has_status(*statuses: str) -> Callable[[Mapping[str, Any], float], bool]:
    def shows(resource: Mapping[str, Any], since: float) -> bool:
        del since  # a draft is sent once, and what is cancelled stays so: the state is what was asked for
        return resource["status"] in statuses

    return shows


_LOOKUPS: Mapping[str, tuple[str, str, str, Callable[[Mapping[str, Any], float], bool]]] = {
    "pay_order": ("get_order", "id", "id", _captured),
    "send_invoice": (
        "get_invoice",
        "invoice_id",
        "invoice_id",
        _has_status("SENT", "SCHEDULED", "UNPAID", "PAID", "PARTIALLY_PAID"),
    ),
    "cancel_sent_invoice": ("get_invoice", "invoice_id", "invoice_id", _has_status("CANCELLED")),
    "cancel_subscription": (
        "show_subscription_details",
        "subscription_id",
        "subscription_id",
        _has_status("CANCELLED"),
    ),
}
"""Tool -> the read, the argument that names the resource here and there, and what its answer has to show."""
