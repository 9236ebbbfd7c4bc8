"""Shipment tracking v1: two tools. One tracker per call, so that a batch cannot succeed by half."""

from __future__ import annotations

from typing import Any

from gateway.upstream.paypal import schema
from gateway.upstream.paypal.operation import Arguments, Operation, ToolDefinition

_TRANSACTION = schema.identifier(schema.TRANSACTION_ID, "The payment's transaction id (its capture id).")
_NUMBER = schema.identifier(schema.TRACKING_NUMBER, "The carrier's tracking number.")
_STATUSES = ("SHIPPED", "ON_HOLD", "DELIVERED", "CANCELLED", "LOCAL_PICKUP")


def _batch(arguments: Arguments) -> dict[str, Any]:
    tracker = {
        name: arguments[name]
        for name in ("transaction_id", "tracking_number", "carrier")
        if name in arguments
    }
    return {"trackers": [{**tracker, "status": arguments.get("status", "SHIPPED")}]}


TOOLS = (
    ToolDefinition(
        name="create_shipment_tracking",
        title="Add shipment tracking",
        description="Add tracking information to a payment. The buyer can see it.",
        input_schema=schema.closed(
            {
                "transaction_id": _TRANSACTION,
                "tracking_number": _NUMBER,
                "status": schema.choice(_STATUSES, "Where the shipment is. Left out: SHIPPED."),
                "carrier": schema.matching(
                    "[A-Z0-9_]{1,64}", "PayPal's code of the carrier, such as UPS.", most=64
                ),
            },
            required=("transaction_id", "tracking_number"),
        ),
        permissions=("paypal:tracking:write",),
        operation=Operation(
            method="POST",
            path="/v1/shipping/trackers-batch",
            effect="write",
            success=frozenset({200, 201}),
            body=_batch,
            answer="batch",
        ),
    ),
    ToolDefinition(
        name="get_shipment_tracking",
        title="Show shipment tracking",
        description="Show the tracking information of a payment.",
        input_schema=schema.closed(
            {"transaction_id": _TRANSACTION, "tracking_number": _NUMBER}, required=("transaction_id",)
        ),
        permissions=("paypal:tracking:read",),
        operation=Operation(
            method="GET",
            path="/v1/shipping/trackers",
            effect="read",
            success=frozenset({200}),
            query=("transaction_id", "tracking_number"),
        ),
    ),
)
