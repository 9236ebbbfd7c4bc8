"""Talking to the PayPal server in tests: one simulator, one server, and arguments that work for every tool."""

from __future__ import annotations

from typing import Any

import httpx

from gateway.upstream.paypal.client import connect
from gateway.upstream.paypal.server import MODERN_VERSION, VERSION_META_KEY, PayPalServer
from gateway.upstream.paypal.simulator import PayPalSimulator, create_simulator, seeds
from gateway.upstream.paypal.token import ClientCredentials
from gateway.upstream.target import OUTCOME_META_KEY, TRANSACTION_META_KEY

BASE_URL = "https://paypal.example"
CREDENTIALS = ClientCredentials("simulator-client", "simulator-secret")
NOON = 1_795_176_000.0
"""20 November 2026, 12:00 UTC."""

MONEY = {"currency_code": "USD", "value": "12.50"}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "create_invoice": {
        "detail": {
            "currency_code": "USD",
            "invoice_date": "2026-11-20",
            "invoice_number": "7",
            "note": "Thanks",
        },
        "invoicer": {
            "business_name": "Shop",
            "name": {"full_name": "A B"},
            "email_address": "shop@example.com",
        },
        "primary_recipients": [
            {"billing_info": {"name": {"given_name": "Al"}, "email_address": "al@example.com"}}
        ],
        "items": [
            {
                "name": "Tea",
                "description": "Green",
                "quantity": "3",
                "unit_amount": {"currency_code": "USD", "value": "9.99"},
                "tax": {"name": "VAT", "percent": "8.25"},
                "unit_of_measure": "QUANTITY",
            }
        ],
    },
    "list_invoices": {"page": 1, "page_size": 10, "total_required": True},
    "get_invoice": {"invoice_id": seeds.DRAFT_INVOICE},
    "send_invoice": {
        "invoice_id": seeds.DRAFT_INVOICE,
        "subject": "Your invoice",
        "note": "Thank you",
        "send_to_recipient": True,
        "additional_recipients": ["copy@example.com"],
    },
    "send_invoice_reminder": {"invoice_id": seeds.SENT_INVOICE, "note": "Please pay"},
    "cancel_sent_invoice": {"invoice_id": seeds.SENT_INVOICE, "note": "Sorry", "send_to_recipient": False},
    "generate_invoice_qr_code": {"invoice_id": seeds.SENT_INVOICE, "width": 300, "height": 300},
    "create_order": {
        "currencyCode": "USD",
        "items": [
            {"name": "Tea", "description": "Green", "quantity": 3, "itemCost": "9.99", "taxPercent": "8.25"},
            {"name": "Cup", "itemCost": "5"},
        ],
        "discount": "2.00",
        "shippingCost": "4.90",
        "shippingAddress": {"address_line_1": "1 Main St", "admin_area_2": "San Jose", "country_code": "US"},
        "returnUrl": "https://shop.example/done",
        "cancelUrl": "https://shop.example/never-mind",
    },
    "get_order": {"id": seeds.COMPLETED_ORDER},
    "pay_order": {"id": seeds.APPROVED_ORDER},
    "create_refund": {
        "capture_id": seeds.CAPTURE,
        "amount": MONEY,
        "invoice_id": "R-1",
        "note_to_payer": "Sorry",
    },
    "get_refund": {"refund_id": "REPLACED00000000"},
    "list_disputes": {"dispute_state": "REQUIRED_ACTION", "page_size": 5},
    "get_dispute": {"dispute_id": seeds.OPEN_DISPUTE},
    "accept_dispute_claim": {"dispute_id": seeds.OPEN_DISPUTE, "note": "We lost the parcel."},
    "create_shipment_tracking": {
        "transaction_id": seeds.CAPTURE,
        "tracking_number": "1Z999AA10123456784",
        "status": "SHIPPED",
        "carrier": "UPS",
    },
    "get_shipment_tracking": {"transaction_id": seeds.CAPTURE},
    "create_product": {
        "name": "Coffee club",
        "type": "PHYSICAL",
        "description": "Beans",
        "category": "SOFTWARE",
        "image_url": "https://shop.example/beans.png",
        "home_url": "https://shop.example/",
    },
    "list_products": {"page": 1, "page_size": 5, "total_required": True},
    "show_product_details": {"product_id": seeds.PRODUCT},
    "create_subscription_plan": {
        "product_id": seeds.PRODUCT,
        "name": "Yearly",
        "description": "Once a year",
        "billing_cycles": [
            {
                "frequency": {"interval_unit": "YEAR", "interval_count": 1},
                "tenure_type": "REGULAR",
                "sequence": 1,
                "total_cycles": 0,
                "pricing_scheme": {"fixed_price": {"currency_code": "USD", "value": "99.00"}},
            }
        ],
        "payment_preferences": {
            "auto_bill_outstanding": True,
            "setup_fee": {"currency_code": "USD", "value": "10.00"},
            "setup_fee_failure_action": "CANCEL",
            "payment_failure_threshold": 2,
        },
        "taxes": {"percentage": "10", "inclusive": False},
    },
    "list_subscription_plans": {
        "product_id": seeds.PRODUCT,
        "page": 1,
        "page_size": 5,
        "total_required": True,
    },
    "show_subscription_plan_details": {"plan_id": seeds.PLAN},
    "create_subscription": {
        "plan_id": seeds.PLAN,
        "quantity": "2",
        "shipping_amount": {"currency_code": "USD", "value": "3.00"},
        "subscriber": {
            "name": {"given_name": "Al", "surname": "Bo"},
            "email_address": "al@example.com",
            "shipping_address": {
                "name": {"full_name": "Al Bo"},
                "address": {"address_line_1": "1 Main St", "country_code": "US"},
            },
        },
        "application_context": {
            "brand_name": "Shop",
            "shipping_preference": "SET_PROVIDED_ADDRESS",
            "user_action": "SUBSCRIBE_NOW",
            "return_url": "https://shop.example/done",
            "cancel_url": "https://shop.example/never-mind",
        },
    },
    "show_subscription_details": {"subscription_id": seeds.ACTIVE_SUBSCRIPTION},
    "update_subscription": {
        "subscription_id": seeds.ACTIVE_SUBSCRIPTION,
        "currency_code": "USD",
        "fixed_price": {"sequence": 1, "value": "11.5"},
        "outstanding_balance": "5.00",
        "shipping_amount": "2.00",
        "shipping_address": {
            "name": {"full_name": "Al Bo"},
            "address": {"address_line_1": "2 Main St", "country_code": "US"},
        },
        "taxes_percentage": "7.5",
        "taxes_inclusive": False,
        "custom_id": "c-1",
        "payment_failure_threshold": 3,
        "auto_bill_outstanding": True,
    },
    "cancel_subscription": {"subscription_id": seeds.ACTIVE_SUBSCRIPTION, "reason": "Asked to"},
    "list_transactions": {
        "start_date": "2026-11-01T00:00:00Z",
        "end_date": "2026-11-30T00:00:00Z",
        "transaction_status": "S",
        "page_size": 50,
        "page": 1,
    },
}
"""For every tool, every argument it takes (but for ``transaction_id`` filters), fit for the seeds."""


class Conversation:
    """A server that talks to a simulator in the same process."""

    def __init__(self, **simulator: Any) -> None:
        self.simulator = PayPalSimulator(**{"clock": lambda: NOON, **simulator})
        transport = httpx.ASGITransport(create_simulator(self.simulator))
        self.server = PayPalServer(connect(BASE_URL, credentials=lambda: CREDENTIALS, transport=transport))

    async def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """One legacy request and its whole response."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        response = await self.server.handle(message)
        assert response is not None
        return response

    async def ask_modern(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request of 2026-07-28 and its whole response."""
        given = params or {}
        meta = {VERSION_META_KEY: MODERN_VERSION, **given.get("_meta", {})}
        return await self.ask(method, {**given, "_meta": meta})

    async def call(self, tool: str, arguments: dict[str, Any], transaction: object = None) -> dict[str, Any]:
        """One tool call and its result."""
        params: dict[str, Any] = {"name": tool, "arguments": arguments}
        if transaction is not None:
            params["_meta"] = {TRANSACTION_META_KEY: transaction}
        result: dict[str, Any] = (await self.ask("tools/call", params))["result"]
        return result

    async def aclose(self) -> None:
        """Close the server's connections."""
        await self.server.aclose()


def upstream(result: dict[str, Any]) -> dict[str, Any]:
    """What the result says about PayPal."""
    facts: dict[str, Any] = result["_meta"][OUTCOME_META_KEY]
    return facts


def outcome(result: dict[str, Any]) -> str:
    """executed, refused or unknown."""
    said: str = upstream(result)["outcome"]
    return said
