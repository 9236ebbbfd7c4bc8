"""The simulated PayPal: its seeds, its issues, its replay, its controls. It must not be kinder than PayPal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from gateway.upstream.paypal.simulator import PayPalSimulator, create_simulator, seeds
from tests.support.openapi import paypal_openapi, paypal_openapi_if_here
from tests.upstream.paypal.conversation import NOON, Conversation


class Api:
    """Raw requests, as any HTTP client would make them."""

    def __init__(self, simulator: PayPalSimulator) -> None:
        self.simulator = simulator
        transport = httpx.ASGITransport(create_simulator(simulator))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://paypal.example")
        self.token = simulator.tokens.issue()

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One authorised request."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"authorization": f"Bearer {self.token}", **given}
        return await self.http.request(method, path, json=body, headers=sent)


@pytest.fixture
async def api(anyio_backend: str) -> AsyncIterator[Api]:
    """The simulator and a way to speak to it."""
    api = Api(PayPalSimulator(clock=lambda: NOON))
    yield api
    await api.http.aclose()


def issue(answer: httpx.Response) -> str:
    """The first issue of an error answer, which must be one that PayPal declares, in PayPal's words."""
    openapi = paypal_openapi_if_here()
    if openapi is not None:
        request = answer.request
        faults = openapi.answer_faults(request.method, request.url.path, answer.status_code, answer.json())
        assert faults == []
    found: str = answer.json()["details"][0]["issue"]
    return found


def order(value: str = "10.00", **breakdown: str) -> dict[str, Any]:
    """An order of one thing that costs 10.00."""
    money = {"currency_code": "USD", "value": "10.00"}
    parts = {"item_total": "10.00", **breakdown}
    amount = {
        "currency_code": "USD",
        "value": value,
        "breakdown": {name: {"currency_code": "USD", "value": part} for name, part in parts.items()},
    }
    item = {"name": "Tea", "quantity": "1", "unit_amount": money}
    return {"intent": "CAPTURE", "purchase_units": [{"amount": amount, "items": [item]}]}


@pytest.mark.parametrize(
    "path",
    [
        f"/v2/checkout/orders/{seeds.COMPLETED_ORDER}",
        f"/v2/checkout/orders/{seeds.APPROVED_ORDER}",
        f"/v1/customer/disputes/{seeds.OPEN_DISPUTE}",
        f"/v2/invoicing/invoices/{seeds.DRAFT_INVOICE}",
        f"/v2/invoicing/invoices/{seeds.SENT_INVOICE}",
        f"/v1/catalogs/products/{seeds.PRODUCT}",
        f"/v1/billing/plans/{seeds.PLAN}",
        f"/v1/billing/subscriptions/{seeds.ACTIVE_SUBSCRIPTION}",
    ],
)
async def test_plants_seeds_that_paypal_could_have_sent(api: Api, path: str) -> None:
    """Every seed fits PayPal's OpenAPI files."""
    answer = await api.ask("GET", path)
    assert answer.status_code == 200
    assert paypal_openapi().answer_faults("GET", path, 200, answer.json()) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (order("11.00"), "AMOUNT_MISMATCH"),
        (order("9.00", item_total="9.00"), "ITEM_TOTAL_MISMATCH"),
        (order("11.00", tax_total="1.00"), "TAX_TOTAL_MISMATCH"),
        (order("10.001"), "DECIMAL_PRECISION"),
        (order("0.00"), "CANNOT_BE_ZERO_OR_NEGATIVE"),
        (order("abc"), "INVALID_PARAMETER_SYNTAX"),
        ({"intent": "CAPTURE"}, "MISSING_REQUIRED_PARAMETER"),
        ([], "MALFORMED_REQUEST_JSON"),
    ],
)
async def test_checks_the_sums_of_an_order(api: Api, body: Any, expected: str) -> None:
    """Orders that do not add up get PayPal's issue, in an error of PayPal's shape."""
    answer = await api.ask("POST", "/v2/checkout/orders", body)
    assert issue(answer) == expected
    assert answer.headers["paypal-debug-id"] == answer.json()["debug_id"]


async def test_answers_in_short_unless_asked_for_more(api: Api) -> None:
    """Prefer: return=representation brings the whole order; the default is id, status and links."""
    short = await api.ask("POST", "/v2/checkout/orders", order())
    assert set(short.json()) == {"id", "status", "links"}
    full = await api.ask("POST", "/v2/checkout/orders", order(), prefer="return=representation")
    assert full.json()["purchase_units"][0]["amount"]["value"] == "10.00"


async def test_repeats_the_first_answer_for_the_same_request_id(api: Api) -> None:
    """201 first, then 200 with the same order in its latest state, whatever the new body says."""
    first = await api.ask("POST", "/v2/checkout/orders", order(), paypal_request_id="r1")
    api.simulator.approve_order(first.json()["id"])
    again = await api.ask("POST", "/v2/checkout/orders", {"other": 1}, paypal_request_id="r1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["id"], again.json()["status"]) == (first.json()["id"], "APPROVED")


async def test_repeats_no_refusal(api: Api) -> None:
    """A request that was refused may be tried again under its id."""
    path = f"/v2/payments/captures/{seeds.CAPTURE}/refund"
    too_much = {"amount": {"currency_code": "USD", "value": "500.00"}}
    assert issue(await api.ask("POST", path, too_much, paypal_request_id="r1")) == "REFUND_AMOUNT_EXCEEDED"
    assert (await api.ask("POST", path, {}, paypal_request_id="r1")).status_code == 201


async def test_makes_two_orders_without_a_request_id(api: Api) -> None:
    """PayPal duplicates a request that has no id."""
    ids = {(await api.ask("POST", "/v2/checkout/orders", order())).json()["id"] for _ in range(2)}
    assert len(ids) == 2


async def test_wants_a_request_id_when_it_is_strict() -> None:
    """A payment source without a PayPal-Request-Id is refused as the live API is said to do."""
    api = Api(PayPalSimulator(strict_request_id=True))
    body = {**order(), "payment_source": {"paypal": {}}}
    assert issue(await api.ask("POST", "/v2/checkout/orders", body)) == "PAYPAL_REQUEST_ID_REQUIRED"
    assert (await api.ask("POST", "/v2/checkout/orders", body, paypal_request_id="r1")).status_code == 201
    await api.http.aclose()


@pytest.mark.parametrize(
    ("invoice", "action", "expected"),
    [
        (seeds.DRAFT_INVOICE, "remind", "CANNOT_REMIND_INVOICE"),
        (seeds.DRAFT_INVOICE, "cancel", "CANNOT_CANCEL_DRAFT_INVOICE"),
        (seeds.SENT_INVOICE, "send", "CANNOT_SEND_INVOICE"),
    ],
)
async def test_keeps_the_states_of_an_invoice(api: Api, invoice: str, action: str, expected: str) -> None:
    """An invoice can only do what its state allows."""
    assert issue(await api.ask("POST", f"/v2/invoicing/invoices/{invoice}/{action}", {})) == expected


async def test_cancels_once(api: Api) -> None:
    """The second cancellation of an invoice, a subscription or a dispute says that it is over."""
    for path, body, expected in (
        (f"/v2/invoicing/invoices/{seeds.SENT_INVOICE}/cancel", {}, "INVOICE_CANCELED_ALREADY"),
        (
            f"/v1/billing/subscriptions/{seeds.ACTIVE_SUBSCRIPTION}/cancel",
            {"reason": "x"},
            "SUBSCRIPTION_STATUS_INVALID",
        ),
        (
            f"/v1/customer/disputes/{seeds.OPEN_DISPUTE}/accept-claim",
            {"note": "x"},
            "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE",
        ),
    ):
        assert (await api.ask("POST", path, body)).status_code in (200, 204)
        assert issue(await api.ask("POST", path, body)) == expected


async def test_knows_what_a_plan_and_a_patch_must_be(api: Api) -> None:
    """Plans need a regular cycle and one currency; patches need a path that PayPal allows."""
    plan = {"product_id": seeds.PRODUCT, "name": "x", "payment_preferences": {}, "billing_cycles": []}
    assert issue(await api.ask("POST", "/v1/billing/plans", plan)) == "MISSING_REGULAR_BILLING_CYCLE"
    path = f"/v1/billing/subscriptions/{seeds.ACTIVE_SUBSCRIPTION}"
    patch = [{"op": "replace", "path": "/status", "value": "SUSPENDED"}]
    assert issue(await api.ask("PATCH", path, patch)) == "INVALID_PATCH_PATH"
    missing = await api.ask("POST", "/v1/billing/subscriptions", {"plan_id": "P-NONE"})
    assert (missing.status_code, missing.json()["name"]) == (404, "RESOURCE_NOT_FOUND")


async def test_gives_tokens_for_the_right_secret_only(api: Api) -> None:
    """Basic with the right secret brings a bearer token; anything else PayPal's second error shape."""
    url, form = "/v1/oauth2/token", {"grant_type": "client_credentials"}
    wrong = await api.http.post(url, data=form, auth=("simulator-client", "x"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    for header in ("", "Basic !", "Bearer x"):
        assert (await api.http.post(url, data=form, headers={"authorization": header})).status_code == 401
    right = await api.http.post(url, data=form, auth=("simulator-client", "simulator-secret"))
    assert (right.json()["token_type"], right.json()["expires_in"]) == ("Bearer", 32400)
    odd = await api.http.post(
        url, data={"grant_type": "password"}, auth=("simulator-client", "simulator-secret")
    )
    assert odd.status_code == 400


async def test_ends_a_token() -> None:
    """A token is good for its lifetime and no longer; one that was never issued is good for nothing."""
    now = [NOON]
    api = Api(PayPalSimulator(clock=lambda: now[0], lifetime=100))
    path = f"/v2/checkout/orders/{seeds.COMPLETED_ORDER}"
    assert (await api.ask("GET", path)).status_code == 200
    now[0] += 100
    ended = await api.ask("GET", path)
    assert (ended.status_code, ended.json()["error"]) == (401, "invalid_token")
    await api.http.aclose()


async def test_matches_paths_as_they_were_sent(api: Api) -> None:
    """An encoded slash is not a slash, and a traversal is recorded as it came."""
    path = f"/v1/customer/disputes/x%2F..%2F..%2F{seeds.OPEN_DISPUTE}"
    assert (await api.ask("GET", path)).status_code == 404
    assert api.simulator.calls[-1].path == path


async def test_is_controlled_over_http(api: Api) -> None:
    """Faults are set, counted and cleared; calls are shown; a reset brings the seeds back."""
    path = f"/v2/checkout/orders/{seeds.COMPLETED_ORDER}"
    bad = await api.http.post("/_simulator/faults", json={"kind": "explode"})
    assert bad.status_code == 400
    twice = {"kind": "status", "status": 503, "times": 2, "match": {"method": "GET", "path": "/v2/.*"}}
    assert (await api.http.post("/_simulator/faults", json=twice)).status_code == 204
    assert [(await api.ask("GET", path)).status_code for _ in range(3)] == [503, 503, 200]
    await api.http.post("/_simulator/faults", json={"kind": "status", "status": 429})
    await api.http.delete("/_simulator/faults")
    await api.ask("POST", f"/v2/payments/captures/{seeds.CAPTURE}/refund", {}, paypal_request_id="r1")
    calls = (await api.http.get("/_simulator/calls")).json()["calls"]
    assert [call["status"] for call in calls] == [503, 503, 200, 201]
    assert (calls[-1]["request_id"], calls[-1]["method"]) == ("r1", "POST")
    assert api.token not in json.dumps(calls)
    await api.http.post("/_simulator/reset")
    assert (await api.http.get("/_simulator/calls")).json() == {"calls": []}
    assert (await api.ask("POST", f"/v2/payments/captures/{seeds.CAPTURE}/refund", {})).status_code == 201


async def test_lets_the_buyer_approve_over_http(api: Api) -> None:
    """The demo's buyer approves orders and subscriptions; unknown ids are 404."""
    made = (await api.ask("POST", "/v2/checkout/orders", order())).json()["id"]
    assert (await api.http.post(f"/_simulator/orders/{made}/approve")).json()["status"] == "APPROVED"
    started = await api.ask("POST", "/v1/billing/subscriptions", {"plan_id": seeds.PLAN})
    approved = await api.http.post(f"/_simulator/subscriptions/{started.json()['id']}/approve")
    assert approved.json()["status"] == "ACTIVE"
    assert (await api.http.post("/_simulator/orders/NONE/approve")).status_code == 404
    assert (await api.http.get("/_simulator/seeds")).json()["capture"] == seeds.CAPTURE


async def test_gives_out_ids_like_paypals_and_never_twice(api: Api) -> None:
    """17 characters, a digit first, and no repetition; the same in every run."""
    ids = [api.simulator.ledger.new_id() for _ in range(5000)]
    assert len(set(ids)) == 5000
    assert all(len(one) == 17 and one.isalnum() and one.isupper() and one[0].isdigit() for one in ids)
    assert ids[:3] == [PayPalSimulator().ledger.new_id() if i == 0 else ids[i] for i in range(3)]


async def test_shows_pages_and_totals(api: Api) -> None:
    """A page holds so many entries, and total_required adds the counts."""
    for _ in range(3):
        await api.ask("POST", "/v1/catalogs/products", {"name": "x", "type": "DIGITAL"})
    page = (await api.ask("GET", "/v1/catalogs/products?page=2&page_size=3&total_required=true")).json()
    assert (len(page["products"]), page["total_items"], page["total_pages"]) == (1, 4, 2)


async def test_reports_what_moved() -> None:
    """A refund appears in the transaction report."""
    paypal = Conversation()
    refund = await paypal.call("create_refund", {"capture_id": seeds.CAPTURE})
    wanted = {"start_date": "2026-11-01T00:00:00Z", "end_date": "2026-11-30T00:00:00Z"}
    report = await paypal.call(
        "list_transactions", {**wanted, "transaction_id": refund["structuredContent"]["id"]}
    )
    (line,) = report["structuredContent"]["transaction_details"]
    assert line["transaction_info"]["transaction_amount"] == {"currency_code": "USD", "value": "100.00"}
    assert dict(parse_qsl(paypal.simulator.calls[-1].query))["fields"] == "transaction_info"
    await paypal.aclose()
