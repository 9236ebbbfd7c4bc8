"""Orders v2 and Payments v2: five tools. ``create_order`` takes the toolkit's argument names."""

from __future__ import annotations

from typing import Any

from gateway.upstream.paypal import rules, schema
from gateway.upstream.paypal.amounts import OrderTotals, order_totals, rendered
from gateway.upstream.paypal.operation import Arguments, Operation, ToolDefinition, pick

_ORDERS = "/v2/checkout/orders"
_ORDER_ID = {"id": schema.identifier(schema.ORDER_ID, "The order's id, for example 5O190127TN364715T.")}
_ITEM = schema.closed(
    {
        "name": schema.line(127, "What is sold."),
        "quantity": schema.whole(1, 10_000, "How many. Left out: one."),
        "description": schema.line(127, "More about it."),
        "itemCost": schema.amount("The price of one, before tax."),
        "taxPercent": schema.percentage("The tax rate. Rounded per unit, as PayPal does."),
    },
    required=("name", "itemCost"),
)


def _order_body(arguments: Arguments) -> dict[str, Any]:
    """The order whose parts add up by PayPal's own rules; every amount is computed here, none is copied."""
    currency = arguments["currencyCode"]
    totals = order_totals(arguments)
    lines = zip(arguments["items"], totals.lines, strict=True)

    def money(amount: Any) -> dict[str, str]:
        return {"currency_code": currency, "value": rendered(amount, currency)}

    unit: dict[str, Any] = {
        "amount": {**money(totals.total), "breakdown": _breakdown(totals, money)},
        "items": [
            {
                "name": item["name"],
                **({"description": item["description"]} if "description" in item else {}),
                "quantity": str(line.quantity),
                "unit_amount": money(line.unit),
                "tax": money(line.tax),
            }
            for item, line in lines
        ],
    }
    if "shippingAddress" in arguments:
        unit["shipping"] = {"address": arguments["shippingAddress"]}
    body: dict[str, Any] = {"intent": "CAPTURE", "purchase_units": [unit]}
    context = {
        theirs: arguments[ours]
        for ours, theirs in (("returnUrl", "return_url"), ("cancelUrl", "cancel_url"))
        if ours in arguments
    }
    if context:
        body["payment_source"] = {"paypal": {"experience_context": context}}
    return body


def _breakdown(totals: OrderTotals, money: Any) -> dict[str, Any]:
    parts = {"item_total": money(totals.item_total), "tax_total": money(totals.tax_total)}
    if totals.shipping:
        parts["shipping"] = money(totals.shipping)
    if totals.discount:
        parts["discount"] = money(totals.discount)
    return parts


TOOLS = (
    ToolDefinition(
        name="create_order",
        title="Create an order",
        description="Create an order that a buyer can approve. No money moves until pay_order captures it.",
        input_schema=schema.closed(
            {
                "currencyCode": schema.currency("The currency of the whole order."),
                "items": schema.listed(_ITEM, most=50, description="What is ordered."),
                "discount": schema.amount("Taken off the whole order."),
                "shippingCost": schema.amount("Added to the whole order."),
                "shippingAddress": schema.address("Where it is sent."),
                "returnUrl": schema.web_address("Where the buyer goes after approving."),
                "cancelUrl": schema.web_address("Where the buyer goes after declining."),
            },
            required=("currencyCode", "items"),
        ),
        rules=(rules.order_adds_up,),
        permissions=("paypal:orders:write",),
        operation=Operation(
            method="POST",
            path=_ORDERS,
            effect="write",
            success=frozenset({200, 201}),
            body=_order_body,
            idempotent=True,
            prefer=True,
        ),
    ),
    ToolDefinition(
        name="get_order",
        title="Show an order",
        description="Show one order with its amounts, status, payer and captures.",
        input_schema=schema.closed({**_ORDER_ID}, required=("id",)),
        permissions=("paypal:orders:read",),
        operation=Operation(method="GET", path=_ORDERS + "/{id}", effect="read", success=frozenset({200})),
    ),
    ToolDefinition(
        name="pay_order",
        title="Capture an order's payment",
        description="Capture the payment of an order the buyer has approved. Money moves to us.",
        input_schema=schema.closed({**_ORDER_ID}, required=("id",)),
        permissions=("paypal:orders:capture",),
        destructive=True,
        repeatable=True,
        operation=Operation(
            method="POST",
            path=_ORDERS + "/{id}/capture",
            effect="write",
            success=frozenset({200, 201}),
            body=pick(),
            idempotent=True,
            prefer=True,
        ),
    ),
    ToolDefinition(
        name="create_refund",
        title="Refund a captured payment",
        description=(
            "Give money of a captured payment back to the buyer. Without amount, all that is left goes. "
            "This cannot be undone."
        ),
        input_schema=schema.closed(
            {
                "capture_id": schema.identifier(schema.PAYMENT_ID, "The capture to refund."),
                "amount": schema.money("How much to refund. Left out: all that is left of the capture."),
                "invoice_id": schema.line(127, "Your own invoice number for this refund."),
                "note_to_payer": schema.line(255, "A note to the buyer, shown in their account."),
            },
            required=("capture_id",),
        ),
        rules=(rules.refund_is_positive,),
        permissions=("paypal:refunds:write",),
        destructive=True,
        operation=Operation(
            method="POST",
            path="/v2/payments/captures/{capture_id}/refund",
            effect="write",
            success=frozenset({200, 201}),
            body=pick("amount", "invoice_id", "note_to_payer"),
            idempotent=True,
            prefer=True,
        ),
    ),
    ToolDefinition(
        name="get_refund",
        title="Show a refund",
        description="Show one refund with its amount and status.",
        input_schema=schema.closed(
            {"refund_id": schema.identifier(schema.PAYMENT_ID, "The refund's id.")}, required=("refund_id",)
        ),
        permissions=("paypal:refunds:read",),
        operation=Operation(
            method="GET", path="/v2/payments/refunds/{refund_id}", effect="read", success=frozenset({200})
        ),
    ),
)
