"""Which reads tell what a call costs whom, one after the other. Pure; never raises.

``get_capture`` is no tool of anybody's: it is not listed, so the catalog does not know it and no caller can have it
called. It is there because a refund names nothing but a capture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.upstream.paypal import schema
from gateway.upstream.paypal.operation import Arguments, Operation, ToolDefinition

Answers = Sequence[Mapping[str, Any]]
Read = tuple[str, dict[str, Any]]
"""Name and arguments of a read."""

GET_CAPTURE = "get_capture"
LOOKUPS: Mapping[str, ToolDefinition] = MappingProxyType(
    {
        GET_CAPTURE: ToolDefinition(
            name=GET_CAPTURE,
            title="Show a captured payment",
            description="Show one captured payment. For the gateway's own use.",
            input_schema=schema.closed(
                {"capture_id": schema.identifier(schema.PAYMENT_ID, "The capture's id.")},
                required=("capture_id",),
            ),
            permissions=("paypal:refunds:read",),
            operation=Operation(
                method="GET",
                path="/v2/payments/captures/{capture_id}",
                effect="read",
                success=frozenset({200}),
            ),
        )
    }
)
"""Reads beside the 28 tools."""


def next_read(tool: str, arguments: Arguments, answers: Answers) -> Read | None:
    """The read that comes after those answers; None: nothing more can be learned."""
    reads = _READS.get(tool, ())
    if len(answers) >= len(reads):
        return None
    try:
        return reads[len(answers)](arguments, answers)
    except (LookupError, TypeError, AttributeError):
        return None


def _of(read: str, given: str, wanted: str) -> Callable[[Arguments, Answers], Read]:
    return lambda arguments, _: (read, {wanted: arguments[given]})


def _disputed_capture(_: Arguments, answers: Answers) -> Read | None:
    """Only of a dispute about one payment: several are not taken apart."""
    transactions = answers[0]["disputed_transactions"]
    if len(transactions) != 1:
        return None
    return GET_CAPTURE, {"capture_id": transactions[0]["seller_transaction_id"]}


def _order_of_capture(_: Arguments, answers: Answers) -> Read:
    return "get_order", {"id": answers[-1]["supplementary_data"]["related_ids"]["order_id"]}


def _subscription(arguments: Arguments, _: Answers) -> Read | None:
    if CHANGED_AMOUNTS.isdisjoint(arguments):
        return None
    return "show_subscription_details", {"subscription_id": arguments["subscription_id"]}


def _plan_of_subscription(arguments: Arguments, answers: Answers) -> Read | None:
    if CHANGED_PRICE.isdisjoint(arguments):
        return None
    return "show_subscription_plan_details", {"plan_id": answers[0]["plan_id"]}


CHANGED_PRICE = frozenset({"fixed_price", "taxes_percentage", "taxes_inclusive"})
"""What ``update_subscription`` may change of a cycle's charge: its price, or the tax on top."""
CHANGED_AMOUNTS = CHANGED_PRICE | {"outstanding_balance", "shipping_amount"}
"""What it may change that costs money."""
_READS: Mapping[str, tuple[Callable[[Arguments, Answers], Read | None], ...]] = {
    "accept_dispute_claim": (
        _of("get_dispute", "dispute_id", "dispute_id"),
        _disputed_capture,
        _order_of_capture,
    ),
    "create_refund": (_of(GET_CAPTURE, "capture_id", "capture_id"), _order_of_capture),
    "create_subscription": (_of("show_subscription_plan_details", "plan_id", "plan_id"),),
    "pay_order": (_of("get_order", "id", "id"),),
    "send_invoice": (_of("get_invoice", "invoice_id", "invoice_id"),),
    "update_subscription": (_subscription, _plan_of_subscription),
}
"""Tool -> its reads in order. Each may use the answers before it."""
