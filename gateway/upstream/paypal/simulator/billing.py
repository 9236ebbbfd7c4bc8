"""Catalog products, billing plans and subscriptions v1."""

from __future__ import annotations

import re
from typing import Any

from gateway.upstream.paypal.simulator.exchange import (
    Answer,
    Asked,
    body_object,
    invalid,
    not_found,
    required,
    unprocessable,
)
from gateway.upstream.paypal.simulator.ledger import Ledger, Resource, link, page_of

_PRODUCTS = "/v1/catalogs/products"
_PLANS = "/v1/billing/plans"
_SUBSCRIPTIONS = "/v1/billing/subscriptions"
_MINIMAL_PRODUCT = frozenset({"id", "name", "description", "create_time", "links"})
_MINIMAL_PLAN = frozenset({"id", "product_id", "name", "status", "description", "create_time", "links"})
_MINIMAL_SUBSCRIPTION = frozenset({"id", "status", "links"})
_CANCEL_NEEDS_ACTIVE = (
    "Invalid subscription status for cancel action; subscription status should be active or suspended."
)
_CYCLE_PRICE = re.compile(r"/plan/billing_cycles/@sequence==(\d+)/pricing_scheme/fixed_price")
_PLAIN_PATHS = frozenset(
    {
        "/custom_id",
        "/shipping_amount",
        "/subscriber/shipping_address",
        "/billing_info/outstanding_balance",
        "/plan/taxes/percentage",
        "/plan/taxes/inclusive",
        "/plan/payment_preferences/payment_failure_threshold",
        "/plan/payment_preferences/auto_bill_outstanding",
    }
)


def create_product(ledger: Ledger, asked: Asked) -> Answer:
    """POST /v1/catalogs/products."""
    body = body_object(asked)
    required(body, "name", "type")
    product_id = "PROD-" + ledger.new_id()
    links = [link(asked.base_url, f"{_PRODUCTS}/{product_id}")]
    product = {
        "id": product_id,
        **body,
        "create_time": ledger.now(),
        "update_time": ledger.now(),
        "links": links,
    }
    ledger.products[product_id] = product
    return Answer(status=201, resource=product, repeat_status=200, minimal=_MINIMAL_PRODUCT)


def list_products(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v1/catalogs/products."""
    shown, totals = page_of(asked.query, list(ledger.products.values()), default=10)
    names = ("id", "name", "description", "create_time", "links")
    items = [{name: product[name] for name in names if name in product} for product in shown]
    return Answer(
        status=200, resource={"products": items, **totals, "links": [link(asked.base_url, _PRODUCTS)]}
    )


def show_product(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v1/catalogs/products/{product_id}."""
    return Answer(status=200, resource=_known(ledger.products, asked.id("product_id")))


def create_plan(ledger: Ledger, asked: Asked) -> Answer:
    """POST /v1/billing/plans."""
    body = body_object(asked)
    required(body, "product_id", "name", "billing_cycles", "payment_preferences")
    if body["product_id"] not in ledger.products:
        raise not_found()
    cycles = body["billing_cycles"]
    if not any(cycle["tenure_type"] == "REGULAR" for cycle in cycles):
        raise unprocessable("MISSING_REGULAR_BILLING_CYCLE")
    prices = [cycle["pricing_scheme"]["fixed_price"] for cycle in cycles if "pricing_scheme" in cycle]
    fee = body["payment_preferences"].get("setup_fee")
    if len({price["currency_code"] for price in [*prices, *([fee] if fee else [])]}) > 1:
        raise unprocessable("CURRENCY_MISMATCH")
    plan_id = "P-" + ledger.new_id(24)
    plan = {
        "id": plan_id,
        "status": "ACTIVE",
        "quantity_supported": False,
        **body,
        "create_time": ledger.now(),
        "update_time": ledger.now(),
        "links": [link(asked.base_url, f"{_PLANS}/{plan_id}")],
    }
    ledger.plans[plan_id] = plan
    return Answer(status=201, resource=plan, repeat_status=200, minimal=_MINIMAL_PLAN)


def list_plans(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v1/billing/plans."""
    product = asked.query.get("product_id")
    found = [plan for plan in ledger.plans.values() if product in (None, plan["product_id"])]
    shown, totals = page_of(asked.query, found, default=10)
    plans = [{name: value for name, value in plan.items() if name in _MINIMAL_PLAN} for plan in shown]
    return Answer(status=200, resource={"plans": plans, **totals, "links": [link(asked.base_url, _PLANS)]})


def show_plan(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v1/billing/plans/{plan_id}."""
    return Answer(status=200, resource=_known(ledger.plans, asked.id("plan_id")))


def create_subscription(ledger: Ledger, asked: Asked) -> Answer:
    """POST /v1/billing/subscriptions."""
    body = body_object(asked)
    required(body, "plan_id")
    plan = _known(ledger.plans, body["plan_id"])
    if plan["status"] != "ACTIVE":
        raise unprocessable("PLAN_STATUS_INVALID")
    subscription_id = "I-" + ledger.new_id(12)
    path = f"{_SUBSCRIPTIONS}/{subscription_id}"
    subscription: Resource = {
        **{name: value for name, value in body.items() if name != "application_context"},
        "id": subscription_id,
        "status": "APPROVAL_PENDING",
        "status_update_time": ledger.now(),
        "quantity": body.get("quantity", "1"),
        "create_time": ledger.now(),
        "links": [
            link(asked.base_url, f"/webapps/billing/subscriptions?ba_token=BA-{subscription_id}", "approve"),
            link(asked.base_url, path),
        ],
    }
    ledger.subscriptions[subscription_id] = subscription
    return Answer(status=201, resource=subscription, repeat_status=200, minimal=_MINIMAL_SUBSCRIPTION)


def approve_subscription(ledger: Ledger, subscription_id: str) -> Resource:
    """What the subscriber does at PayPal's own page. :raises KeyError:"""
    subscription = ledger.subscriptions[subscription_id]
    subscription["status"] = "ACTIVE"
    subscription["status_update_time"] = ledger.now()
    return subscription


def show_subscription(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v1/billing/subscriptions/{id}."""
    return Answer(status=200, resource=_known(ledger.subscriptions, asked.id("subscription_id")))


def patch_subscription(ledger: Ledger, asked: Asked) -> Answer:
    """PATCH /v1/billing/subscriptions/{id}."""
    subscription = _known(ledger.subscriptions, asked.id("subscription_id"))
    if subscription["status"] not in ("ACTIVE", "SUSPENDED"):
        raise unprocessable("SUBSCRIPTION_STATUS_INVALID")
    if not isinstance(asked.body, list) or not asked.body:
        raise invalid("MALFORMED_REQUEST_JSON")
    for operation in asked.body:
        if operation.get("op") not in ("add", "replace") or not _patchable(operation.get("path")):
            raise invalid("INVALID_PATCH_PATH", operation.get("path"))
    for operation in asked.body:
        _apply(ledger, subscription, operation["path"], operation["value"])
    subscription["update_time"] = ledger.now()
    return Answer(status=204)


def cancel_subscription(ledger: Ledger, asked: Asked) -> Answer:
    """POST /v1/billing/subscriptions/{id}/cancel."""
    subscription = _known(ledger.subscriptions, asked.id("subscription_id"))
    required(body_object(asked), "reason")
    if subscription["status"] not in ("ACTIVE", "SUSPENDED"):
        raise unprocessable("SUBSCRIPTION_STATUS_INVALID", description=_CANCEL_NEEDS_ACTIVE)
    subscription["status"] = "CANCELLED"
    subscription["status_change_note"] = asked.body["reason"]
    return Answer(status=204)


def _known(resources: dict[str, Resource], resource_id: str) -> Resource:
    if resource_id not in resources:
        raise not_found()
    return resources[resource_id]


def _patchable(path: Any) -> bool:
    return isinstance(path, str) and (path in _PLAIN_PATHS or _CYCLE_PRICE.fullmatch(path) is not None)


def _apply(ledger: Ledger, subscription: Resource, path: str, value: Any) -> None:
    if (price := _CYCLE_PRICE.fullmatch(path)) is not None:
        plan = subscription.setdefault("plan", {})
        template = ledger.plans[subscription["plan_id"]]["billing_cycles"]
        cycles = plan.setdefault("billing_cycles", [dict(cycle) for cycle in template])
        for cycle in cycles:
            if cycle["sequence"] == int(price.group(1)):
                cycle["pricing_scheme"] = {"fixed_price": value}
        subscription["plan_overridden"] = True
        return
    *parents, last = path.strip("/").split("/")
    holder = subscription
    if parents == ["billing_info"]:
        holder.setdefault("billing_info", {"failed_payments_count": 0})
    for parent in parents:
        holder = holder.setdefault(parent, {})
    holder[last] = value
