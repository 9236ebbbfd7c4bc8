"""Subscriptions v1: four tools. ``update_subscription`` is one PATCH; it never reads first."""

from __future__ import annotations

from typing import Any

from gateway.upstream.paypal import rules, schema
from gateway.upstream.paypal.amounts import decimal_of, rendered
from gateway.upstream.paypal.operation import Arguments, Operation, ToolDefinition, pick

_SUBSCRIPTIONS = "/v1/billing/subscriptions"
_SUBSCRIPTION = _SUBSCRIPTIONS + "/{subscription_id}"
_ID = {
    "subscription_id": schema.identifier(
        schema.SUBSCRIPTION_ID, "The subscription's id, for example I-BW452GLLEP1G."
    )
}
_WRITE = ("paypal:subscriptions:write",)
_SHIPPING = schema.closed(
    {
        "name": schema.closed({"full_name": schema.line(300, "Full name.")}, description="Who gets it."),
        "address": schema.address("Where it goes."),
    },
    description="Name and address for shipping.",
)
_SUBSCRIBER = schema.closed(
    {
        "name": schema.closed(
            {"given_name": schema.line(140, "Given name."), "surname": schema.line(140, "Surname.")},
            description="The subscriber's name.",
        ),
        "email_address": schema.email("The subscriber's e-mail address."),
        "shipping_address": _SHIPPING,
    },
    description="Who subscribes.",
)
_CONTEXT = schema.closed(
    {
        "brand_name": schema.line(127, "The name shown to the subscriber."),
        "shipping_preference": schema.choice(
            ("GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"), "Which shipping address counts."
        ),
        "user_action": schema.choice(("CONTINUE", "SUBSCRIBE_NOW"), "What the last button says."),
        "return_url": schema.web_address("Where the subscriber goes after approving."),
        "cancel_url": schema.web_address("Where the subscriber goes after declining."),
    },
    required=("return_url", "cancel_url"),
    description="What the subscriber sees while approving.",
)
_CHANGES = {
    "fixed_price": schema.closed(
        {
            "sequence": schema.whole(1, 99, "Which billing cycle."),
            "value": schema.amount("The new price of that cycle."),
        },
        required=("sequence", "value"),
        description="A new price for one billing cycle.",
    ),
    "outstanding_balance": schema.amount("The new outstanding balance."),
    "shipping_amount": schema.amount("The new shipping cost of every cycle."),
    "shipping_address": _SHIPPING,
    "taxes_percentage": schema.percentage("The new tax rate."),
    "taxes_inclusive": schema.flag("Whether prices already contain the tax."),
    "custom_id": schema.line(127, "Your own id for the subscription."),
    "payment_failure_threshold": schema.whole(
        0, 999, "Failed payments before the subscription is suspended."
    ),
    "auto_bill_outstanding": schema.flag("Bill what is outstanding with the next cycle."),
}
_PATHS = {
    "outstanding_balance": "/billing_info/outstanding_balance",
    "shipping_amount": "/shipping_amount",
    "shipping_address": "/subscriber/shipping_address",
    "taxes_percentage": "/plan/taxes/percentage",
    "taxes_inclusive": "/plan/taxes/inclusive",
    "custom_id": "/custom_id",
    "payment_failure_threshold": "/plan/payment_preferences/payment_failure_threshold",
    "auto_bill_outstanding": "/plan/payment_preferences/auto_bill_outstanding",
}
_AMOUNTS = frozenset({"outstanding_balance", "shipping_amount"})


def _patch(arguments: Arguments) -> list[dict[str, Any]]:
    """The changes as a JSON Patch (RFC 6902) in PayPal's dialect, which finds a cycle by its sequence."""

    def money(value: str) -> dict[str, str]:
        currency = arguments["currency_code"]
        return {"currency_code": currency, "value": rendered(decimal_of(value, ""), currency)}

    operations: list[dict[str, Any]] = []
    if (price := arguments.get("fixed_price")) is not None:
        path = f"/plan/billing_cycles/@sequence=={int(price['sequence'])}/pricing_scheme/fixed_price"
        operations.append({"op": "replace", "path": path, "value": money(price["value"])})
    for name, path in _PATHS.items():
        if name in arguments:
            value = money(arguments[name]) if name in _AMOUNTS else arguments[name]
            operations.append({"op": "replace", "path": path, "value": value})
    return operations


TOOLS = (
    ToolDefinition(
        name="create_subscription",
        title="Create a subscription",
        description="Start a subscription to a plan. The subscriber approves it and is charged each cycle.",
        input_schema=schema.closed(
            {
                "plan_id": schema.identifier(schema.PLAN_ID, "The plan to subscribe to."),
                "quantity": schema.matching("[1-9][0-9]{0,5}", 'How many, such as "1".', most=6),
                "shipping_amount": schema.money("Shipping cost of every cycle."),
                "subscriber": _SUBSCRIBER,
                "application_context": _CONTEXT,
            },
            required=("plan_id",),
        ),
        permissions=_WRITE,
        operation=Operation(
            method="POST",
            path=_SUBSCRIPTIONS,
            effect="write",
            success=frozenset({200, 201}),
            body=pick("plan_id", "quantity", "shipping_amount", "subscriber", "application_context"),
            idempotent=True,
            prefer=True,
        ),
    ),
    ToolDefinition(
        name="show_subscription_details",
        title="Show a subscription",
        description="Show one subscription with its subscriber and billing state.",
        input_schema=schema.closed({**_ID}, required=("subscription_id",)),
        permissions=("paypal:subscriptions:read",),
        operation=Operation(method="GET", path=_SUBSCRIPTION, effect="read", success=frozenset({200})),
    ),
    ToolDefinition(
        name="update_subscription",
        title="Change a subscription",
        description="Change price, balance, shipping, tax or payment rules of an active subscription.",
        input_schema=schema.closed(
            {**_ID, "currency_code": schema.currency("The currency of every amount given here."), **_CHANGES},
            required=("subscription_id",),
            anyOf=[{"required": [name]} for name in _CHANGES],
            dependentRequired={
                name: ["currency_code"] for name in ("fixed_price", "outstanding_balance", "shipping_amount")
            },
        ),
        rules=(rules.changes_fit_currency,),
        permissions=_WRITE,
        destructive=True,
        repeatable=True,
        operation=Operation(
            method="PATCH", path=_SUBSCRIPTION, effect="write", success=frozenset({204}), body=_patch
        ),
    ),
    ToolDefinition(
        name="cancel_subscription",
        title="Cancel a subscription",
        description="End a subscription. This cannot be undone.",
        input_schema=schema.closed(
            {**_ID, "reason": schema.lines(128, "Why. The subscriber may read it.")},
            required=("subscription_id", "reason"),
        ),
        permissions=_WRITE,
        destructive=True,
        repeatable=True,
        operation=Operation(
            method="POST",
            path=_SUBSCRIPTION + "/cancel",
            effect="write",
            success=frozenset({204}),
            body=pick("reason"),
        ),
    ),
)
