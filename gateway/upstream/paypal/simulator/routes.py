"""Which operation of the simulated PayPal answers a method and a path. Paths are matched undecoded."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from gateway.upstream.paypal.simulator import (
    billing,
    disputes,
    invoices,
    orders,
    payments,
    reporting,
    shipping,
)
from gateway.upstream.paypal.simulator.exchange import Answer, Asked
from gateway.upstream.paypal.simulator.ledger import Ledger

Handler = Callable[[Ledger, Asked], Answer]


class Route(NamedTuple):
    """One operation. ``replays``: PayPal declares PayPal-Request-Id here."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    replays: bool


def _route(method: str, template: str, handler: Handler, *, replays: bool = False) -> Route:
    pattern = re.sub(r"\{([a-z_]+)\}", r"(?P<\1>[A-Za-z0-9_.~-]+)", template)
    return Route(method, re.compile(pattern, re.ASCII), handler, replays)


ROUTES = (
    _route("POST", "/v2/invoicing/invoices", invoices.create),
    _route("GET", "/v2/invoicing/invoices", invoices.listed),
    _route("GET", "/v2/invoicing/invoices/{invoice_id}", invoices.show),
    _route("POST", "/v2/invoicing/invoices/{invoice_id}/send", invoices.send),
    _route("POST", "/v2/invoicing/invoices/{invoice_id}/remind", invoices.remind),
    _route("POST", "/v2/invoicing/invoices/{invoice_id}/cancel", invoices.cancel),
    _route("POST", "/v2/invoicing/invoices/{invoice_id}/generate-qr-code", invoices.qr_code),
    _route("POST", "/v2/checkout/orders", orders.create, replays=True),
    _route("GET", "/v2/checkout/orders/{id}", orders.show),
    _route("POST", "/v2/checkout/orders/{id}/capture", orders.capture, replays=True),
    _route("GET", "/v2/payments/captures/{capture_id}", payments.show_capture),
    _route("POST", "/v2/payments/captures/{capture_id}/refund", payments.refund, replays=True),
    _route("GET", "/v2/payments/refunds/{refund_id}", payments.show),
    _route("GET", "/v1/customer/disputes", disputes.listed),
    _route("GET", "/v1/customer/disputes/{dispute_id}", disputes.show),
    _route("POST", "/v1/customer/disputes/{dispute_id}/accept-claim", disputes.accept_claim),
    _route("POST", "/v1/shipping/trackers-batch", shipping.create_batch),
    _route("GET", "/v1/shipping/trackers", shipping.show),
    _route("POST", "/v1/catalogs/products", billing.create_product, replays=True),
    _route("GET", "/v1/catalogs/products", billing.list_products),
    _route("GET", "/v1/catalogs/products/{product_id}", billing.show_product),
    _route("POST", "/v1/billing/plans", billing.create_plan, replays=True),
    _route("GET", "/v1/billing/plans", billing.list_plans),
    _route("GET", "/v1/billing/plans/{plan_id}", billing.show_plan),
    _route("POST", "/v1/billing/subscriptions", billing.create_subscription, replays=True),
    _route("GET", "/v1/billing/subscriptions/{subscription_id}", billing.show_subscription),
    _route("PATCH", "/v1/billing/subscriptions/{subscription_id}", billing.patch_subscription),
    _route("POST", "/v1/billing/subscriptions/{subscription_id}/cancel", billing.cancel_subscription),
    _route("GET", "/v1/reporting/transactions", reporting.search),
)


def route_of(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The operation and the ids in its path."""
    for route in ROUTES:
        if route.method == method and (match := route.pattern.fullmatch(path)) is not None:
            return route, match.groupdict()
    return None
