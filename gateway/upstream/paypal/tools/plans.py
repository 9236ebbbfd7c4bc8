"""Billing plans (subscriptions v1): three tools."""

from __future__ import annotations

from typing import Any

from gateway.upstream.paypal import rules, schema
from gateway.upstream.paypal.operation import Arguments, Operation, ToolDefinition, pick

_PLANS = "/v1/billing/plans"
_READ = ("paypal:plans:read",)
_FREQUENCY = schema.closed(
    {
        "interval_unit": schema.choice(("DAY", "WEEK", "MONTH", "YEAR"), "The unit of one cycle."),
        "interval_count": schema.whole(1, 365, "How many units one cycle lasts. Left out: one."),
    },
    required=("interval_unit",),
    description="How long one cycle lasts.",
)
_CYCLE = schema.closed(
    {
        "frequency": _FREQUENCY,
        "tenure_type": schema.choice(("REGULAR", "TRIAL"), "Whether this is a trial."),
        "sequence": schema.whole(1, 99, "The place of this cycle among the plan's cycles."),
        "total_cycles": schema.whole(0, 999, "How often it runs; 0 is without end."),
        "pricing_scheme": schema.closed(
            {"fixed_price": schema.money("What one cycle costs.")},
            required=("fixed_price",),
            description="The price. Tiers are not offered: their amounts would escape a limit.",
        ),
    },
    required=("frequency", "tenure_type", "sequence"),
)
_PREFERENCES = schema.closed(
    {
        "auto_bill_outstanding": schema.flag("Bill what is outstanding with the next cycle."),
        "setup_fee": schema.money("Charged once, at the start."),
        "setup_fee_failure_action": schema.choice(
            ("CONTINUE", "CANCEL"), "If the setup fee cannot be charged."
        ),
        "payment_failure_threshold": schema.whole(
            0, 999, "Failed payments before a subscription is suspended."
        ),
    },
    description="How payments are taken.",
)


def _plan(arguments: Arguments) -> dict[str, Any]:
    """PayPal requires payment_preferences; an empty object means its defaults."""
    body = pick("product_id", "name", "description", "billing_cycles", "taxes")(arguments)
    return {**body, "payment_preferences": arguments.get("payment_preferences", {})}


TOOLS = (
    ToolDefinition(
        name="create_subscription_plan",
        title="Create a subscription plan",
        description="Create a plan: the terms on which a product can be subscribed to. It charges nobody.",
        input_schema=schema.closed(
            {
                "product_id": schema.identifier(schema.PRODUCT_ID, "The product that is subscribed to."),
                "name": schema.line(127, "The plan's name."),
                "description": schema.lines(127, "More about it."),
                "billing_cycles": schema.listed(
                    _CYCLE, most=12, description="Trials first, then the regular cycle."
                ),
                "payment_preferences": _PREFERENCES,
                "taxes": schema.closed(
                    {
                        "percentage": schema.percentage("The rate."),
                        "inclusive": schema.flag("Whether prices already contain the tax."),
                    },
                    required=("percentage",),
                    description="Tax on every charge.",
                ),
            },
            required=("product_id", "name", "billing_cycles"),
        ),
        rules=(rules.plan_has_one_currency,),
        permissions=("paypal:plans:write",),
        operation=Operation(
            method="POST",
            path=_PLANS,
            effect="write",
            success=frozenset({200, 201}),
            body=_plan,
            idempotent=True,
            prefer=True,
        ),
    ),
    ToolDefinition(
        name="list_subscription_plans",
        title="List subscription plans",
        description="List plans, page by page.",
        input_schema=schema.closed(
            {
                "product_id": schema.identifier(schema.PRODUCT_ID, "Only plans of this product."),
                **schema.paging(20, most_pages=100_000),
                "total_required": schema.flag("Also count all plans."),
            }
        ),
        permissions=_READ,
        operation=Operation(
            method="GET",
            path=_PLANS,
            effect="read",
            success=frozenset({200}),
            query=("product_id", "page", "page_size", "total_required"),
        ),
    ),
    ToolDefinition(
        name="show_subscription_plan_details",
        title="Show a subscription plan",
        description="Show one plan with its cycles and prices.",
        input_schema=schema.closed(
            {"plan_id": schema.identifier(schema.PLAN_ID, "The plan's id.")}, required=("plan_id",)
        ),
        permissions=_READ,
        operation=Operation(
            method="GET", path=_PLANS + "/{plan_id}", effect="read", success=frozenset({200})
        ),
    ),
)
