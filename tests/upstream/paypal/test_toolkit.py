"""PayPal's own toolkit behind the gateway: each of its hazards, seen once at the bare server, and stopped before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from gateway.outcome.redact import MASK, redact
from gateway.upstream.guarded import Guarded
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.simulator import seeds
from gateway.upstream.paypal.toolkit import ANNOTATIONS, Toolkit
from gateway.upstream.target import Effect, Reply
from tests.support.toolkit_server import NEWER, NO_RESPONSE, ToolkitServer, http_error, running_toolkit

CAPTURE = "2GG279541U471931P"
ORDER: dict[str, Any] = {
    "currencyCode": "USD",
    "items": [{"name": "Tea", "quantity": 3, "itemCost": 9.99, "taxPercent": 8.25, "itemTotal": 29.97}],
    "shippingCost": 5,
    "shippingAddress": None,
    "notes": None,
}
CYCLE = {"frequency": {"interval_unit": "MONTH"}, "tenure_type": "REGULAR", "sequence": 1}
PRICE = {"currency_code": "USD", "value": "1.00"}
TIERS = [{"starting_quantity": "1", "amount": {"currency_code": "EUR", "value": "9999"}}]


def plan(**scheme: Any) -> dict[str, Any]:
    """A plan with this price."""
    cycle = {**CYCLE, "pricing_scheme": {"fixed_price": PRICE, **scheme}}
    return {"product_id": "PROD-XXCD1234QWER", "name": "Gold", "billing_cycles": [cycle]}


def item(**members: Any) -> dict[str, Any]:
    """An order of one changed item."""
    return {**ORDER, "items": [{**ORDER["items"][0], **members}]}


HAZARDS: dict[str, tuple[str, dict[str, Any]]] = {
    "path traversal": (
        "accept_dispute_claim",
        {"dispute_id": f"../../../v2/payments/captures/{CAPTURE}/refund?x=", "note": "ok"},
    ),
    "path traversal, encoded": ("accept_dispute_claim", {"dispute_id": "..%2f..%2fx", "note": "ok"}),
    "a line break after an id": ("get_order", {"id": "5O190127TN364715T\n"}),
    "query injection": ("list_subscription_plans", {"product_id": "PROD-123456&page_size=20"}),
    "hidden second effect": ("create_invoice", {"detail": {"currency_code": "USD"}, "items": []}),
    "amplification": ("list_transactions", {"transaction_id": "9GS80322P28628837", "search_months": 60}),
    "amplification by default": (
        "list_transactions",
        {
            "transaction_id": "9GS80322P28628837",
            "start_date": "2026-11-01T00:00:00Z",
            "end_date": "2026-11-20T00:00:00Z",
        },
    ),
    "decoy amount": ("create_order", item(itemTotal=1, itemCost=5000)),
    "decoy amount as text": ("create_order", item(itemTotal="29.97")),
    "decoy note": ("create_order", {**ORDER, "notes": "a gift"}),
    "decoy order": (
        "create_shipment_tracking",
        {"order_id": "5O190127TN364715T", "transaction_id": CAPTURE, "tracking_number": "1Z"},
    ),
    "another payment's tracking": ("get_shipment_tracking", {"order_id": "5O190127TN364715T"}),
    "paging that does not page": ("list_disputes", {"page": 2}),
    "passthrough of a price": ("create_subscription_plan", plan(tiers=TIERS)),
    "passthrough of anything": (
        "cancel_subscription",
        {"subscription_id": "I-BW452GLLEP1G", "payload": {"reason": "x", "refund": "all"}},
    ),
    "unbounded cost": ("create_order", item(itemCost=9_999_999_999, itemTotal=29_999_999_997)),
    "unbounded quantity": ("create_order", item(quantity=10**9, itemTotal=9.99 * 10**9)),
    "a quantity by halves": ("create_order", item(quantity=0.5, itemTotal=5)),
    "negative cost": ("create_order", item(itemCost=-9.99, itemTotal=-29.97)),
    "a discount that leaves nothing": ("create_order", {**ORDER, "discount": 1000}),
    "negative discount": ("create_order", {**ORDER, "discount": -1000}),
    "fractions of a cent": ("create_order", item(itemCost=0.001, itemTotal=0.003)),
    "an empty refund": ("create_refund", {"capture_id": CAPTURE, "amount": {**PRICE, "value": "0.00"}}),
    "a price in words": (
        "update_subscription",
        {"subscription_id": "I-BW452GLLEP1G", "fixed_price": {"value": "1e9", "sequence": 1}},
    ),
    "a tool of the same name in capitals": ("Create_Refund", {"capture_id": CAPTURE}),
    **{f"an unclassified tool, {name}": (name, {}) for name in NEWER},
}


@pytest.fixture
async def pair() -> AsyncIterator[tuple[ToolkitServer, Guarded]]:
    """The server, and the upstream without bounds."""
    async with running_toolkit() as running:
        yield running


async def call(upstream: Toolkit | Guarded, tool: str, arguments: dict[str, Any]) -> Reply:
    """One call."""
    return await upstream.call(tool, arguments, transaction_id="t1", meta={})


def result_of(reply: Reply) -> dict[str, Any]:
    """The result."""
    assert reply.result is not None
    result: dict[str, Any] = msgspec.json.decode(reply.result)
    return result


async def test_the_bare_toolkit_is_as_dangerous_as_that(pair: tuple[ToolkitServer, Guarded]) -> None:
    """The control: a claim that becomes a refund, an injected query, a bill that is sent, sixty calls, a decoy."""
    toolkit, bare = pair
    wanted = ("path traversal", "query injection", "hidden second effect", "amplification", "decoy amount")
    for name in wanted:
        await call(bare, *HAZARDS[name])
    assert toolkit.requests == [
        f"POST /v2/payments/captures/{CAPTURE}/refund",
        "GET /v1/billing/plans?product_id=PROD-123456&page_size=20",
        "POST /v2/invoicing/invoices",
        "POST /v2/invoicing/invoices/X-1/send",
        *["GET /v1/reporting/transactions"] * 60,
        "POST /v2/checkout/orders 15000.00",
    ]


@pytest.mark.parametrize(("tool", "arguments"), HAZARDS.values(), ids=HAZARDS)
async def test_a_hazard_does_not_reach_the_toolkit(
    tool: str, arguments: dict[str, Any], pair: tuple[ToolkitServer, Guarded]
) -> None:
    """It is refused, and the server never hears of it."""
    toolkit, bare = pair
    reply = await call(Toolkit(bare), tool, arguments)
    assert (reply.effect, reply.is_error) == (Effect.REFUSED, True)
    assert toolkit.bodies == []


def good() -> dict[str, dict[str, Any]]:
    """Calls in the toolkit's own words, of tools whose words differ from ours."""
    shipping = {"name": {"given_name": "A", "surname": "B"}, "address": {"country_code": "US"}}
    subscription = {"subscription_id": "I-BW452GLLEP1G"}
    return {
        "create_order": ORDER,
        "cancel_subscription": {**subscription, "payload": {"reason": "moved"}},
        "show_subscription_details": {**subscription, "get_additional_details": True},
        "update_subscription": {
            **subscription,
            "fixed_price": {"value": "3.00", "sequence": 1},
            "shipping_address": shipping,
        },
        "create_subscription": {
            "plan_id": seeds.PLAN,
            "quantity": 2,
            "subscriber": {"email_address": "a@example.com", "shipping_address": shipping},
        },
        "create_subscription_plan": plan(),
        "get_shipment_tracking": {"transaction_id": CAPTURE},
        "list_transactions": {"start_date": "2026-11-01T00:00:00Z", "end_date": "2026-11-20T00:00:00Z"},
        "create_refund": {"capture_id": CAPTURE, "amount": PRICE},
        "list_disputes": {"page_size": 5},
    }


@pytest.mark.parametrize("tool", good())
async def test_an_honest_call_goes_through_as_it_came(tool: str, pair: tuple[ToolkitServer, Guarded]) -> None:
    """What was judged is what is sent: not a member is changed on the way."""
    toolkit, bare = pair
    reply = await call(Toolkit(bare), tool, good()[tool])
    assert (reply.effect, reply.is_error) == (Effect.EXECUTED, False)
    assert toolkit.bodies == [good()[tool]]


@pytest.mark.parametrize("total", [29.97, 32.43, 32.44])
async def test_a_line_total_may_be_before_or_after_tax(
    total: float, pair: tuple[ToolkitServer, Guarded]
) -> None:
    """3 x 9.99 at 8.25 %: PayPal's rounding per unit says 32.43 (0.82 each), the toolkit's on the sum 32.44."""
    assert (await call(Toolkit(pair[1]), "create_order", item(itemTotal=total))).effect is Effect.EXECUTED


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429])
async def test_an_error_that_arrives_as_data(status: int, pair: tuple[ToolkitServer, Guarded]) -> None:
    """``isError: false`` and a refusal of PayPal's inside."""
    toolkit, bare = pair
    toolkit.answer = http_error(status)
    reply = await call(Toolkit(bare), "create_refund", good()["create_refund"])
    assert (reply.effect, reply.is_error, reply.status) == (Effect.REFUSED, True, status)
    result = result_of(reply)
    assert result["isError"] is True
    assert "could not be performed" in result["content"][0]["text"]


EXCEPTION = {"error": {"message": "timeout of 0ms exceeded", "type": "paypal_error"}}


@pytest.mark.parametrize(
    "answer", [NO_RESPONSE, http_error(500), http_error(503), http_error(408), http_error(409), EXCEPTION]
)
async def test_a_lost_reply_is_unknown(answer: Any, pair: tuple[ToolkitServer, Guarded]) -> None:
    """Money may have moved; it is sent once, and never called a failure. A read has simply failed."""
    toolkit, bare = pair
    toolkit.answer = answer
    reply = await call(Toolkit(bare), "create_refund", good()["create_refund"])
    assert (reply.effect, reply.result) == (Effect.UNKNOWN, None)
    assert reply.error is not None
    assert len(toolkit.requests) == 1
    read = await call(Toolkit(bare), "get_order", {"id": "5O190127TN364715T"})
    assert (read.effect, read.is_error) == (Effect.REFUSED, True)


async def test_what_passes_through(pair: tuple[ToolkitServer, Guarded]) -> None:
    """Definitions as they are, and a call that cannot be stopped half-way."""
    _, bare = pair
    upstream = Toolkit(bare)
    assert await upstream.definitions() == await bare.definitions()
    assert (upstream.name, upstream.cancels) == ("pp", False)
    assert await upstream.about() == await bare.about()
    assert (await upstream.request("resources/list", {})).error is not None
    assert ANNOTATIONS["create_refund"]["destructiveHint"] is True
    assert set(ANNOTATIONS) == set(TOOLS)


async def test_a_paid_order_has_its_payer_where_the_policy_masks_it(
    pair: tuple[ToolkitServer, Guarded],
) -> None:
    """The toolkit wraps the order in ``{status, response}``, where no pointer of the policy would find the payer."""
    toolkit, bare = pair
    order = {"id": "5O190127TN364715T", "payer": {"email_address": "ann@example.com"}}
    toolkit.answer = {"status": 201, "response": order}
    result = result_of(await call(Toolkit(bare), "pay_order", {"id": "5O190127TN364715T"}))
    assert result["structuredContent"] == order
    masked = redact(result, ("/payer/email_address",))
    assert masked["structuredContent"]["payer"] == {"email_address": MASK}
    assert "ann@example.com" not in msgspec.json.encode(masked).decode()
