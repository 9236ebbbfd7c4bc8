"""Every tool, once around: arguments -> request -> simulator -> result, judged by PayPal's OpenAPI files."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qsl

import pytest

from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.simulator import seeds
from tests.support.openapi import paypal_openapi
from tests.upstream.paypal.conversation import ARGUMENTS, MONEY, Conversation, outcome, upstream


async def prepared(paypal: Conversation, tool: str) -> dict[str, Any]:
    """The tool's arguments, once the simulator holds what they speak of."""
    arguments = ARGUMENTS[tool]
    if tool == "get_refund":
        refund = await paypal.call("create_refund", ARGUMENTS["create_refund"])
        arguments = {"refund_id": refund["structuredContent"]["id"]}
    if tool == "get_shipment_tracking":
        await paypal.call("create_shipment_tracking", ARGUMENTS["create_shipment_tracking"])
    paypal.simulator.calls.clear()
    return arguments


@pytest.mark.parametrize("tool", TOOLS)
async def test_carries_out_each_tool_with_one_request(paypal: Conversation, tool: str) -> None:
    """Every tool makes exactly one request and says that it was executed."""
    result = await paypal.call(tool, await prepared(paypal, tool), "tx-1")
    assert result["isError"] is False, result
    assert outcome(result) == "executed"
    assert len(paypal.simulator.calls) == 1
    assert upstream(result)["debug_id"].startswith("f")
    call = paypal.simulator.calls[0]
    writes = TOOLS[tool].operation.effect == "write"
    assert call.request_id == ("tx-1" if writes and call.method == "POST" else None)
    assert upstream(result)["request_id"] == call.request_id


@pytest.mark.parametrize("tool", TOOLS)
async def test_speaks_as_the_openapi_files_say(paypal: Conversation, tool: str) -> None:
    """Request and answer of every tool fit PayPal's own files, down to the last member."""
    openapi = paypal_openapi()
    await paypal.call(tool, await prepared(paypal, tool), "tx-1")
    call = paypal.simulator.calls[0]
    # the declared accept-claim takes only a multipart document; PayPal's current docs and toolkit send JSON
    body = None if tool == "accept_dispute_claim" else call.body
    assert openapi.request_faults(call.method, call.path, dict(parse_qsl(call.query)), body) == []
    assert call.status is not None
    answer = None if tool == "generate_invoice_qr_code" else call.answer
    assert openapi.answer_faults(call.method, call.path, call.status, answer) == []
    assert openapi.idempotent(call.method, call.path) is TOOLS[tool].operation.idempotent


async def test_a_capture_is_read_as_the_openapi_files_say(paypal: Conversation) -> None:
    """The gateway's own read, before and after refunds, and the order that shows them."""
    openapi = paypal_openapi()
    await paypal.call("create_refund", ARGUMENTS["create_refund"])
    for read, arguments in (
        ("get_capture", {"capture_id": seeds.CAPTURE}),
        ("get_order", ARGUMENTS["get_order"]),
    ):
        paypal.simulator.calls.clear()
        assert outcome(await paypal.call(read, arguments, "tx-1")) == "executed"
        (call,) = paypal.simulator.calls
        assert (call.method, call.request_id) == ("GET", None)
        assert openapi.request_faults(call.method, call.path, {}, call.body) == []
        assert call.status is not None
        assert openapi.answer_faults(call.method, call.path, call.status, call.answer) == []


async def test_what_only_the_gateway_reads_is_not_listed(paypal: Conversation) -> None:
    """So no catalog has it, and no caller can ask for it."""
    listed = {tool["name"] for tool in (await paypal.ask("tools/list"))["result"]["tools"]}
    assert listed == set(TOOLS)
    assert "get_capture" not in listed
    assert outcome(await paypal.call("get_capture", {"capture_id": "../../x"})) == "refused"
    assert paypal.simulator.calls == []


async def test_creates_a_draft_and_sends_nothing(paypal: Conversation) -> None:
    """create_invoice makes one draft; no e-mail leaves."""
    result = await paypal.call("create_invoice", ARGUMENTS["create_invoice"])
    assert result["structuredContent"]["status"] == "DRAFT"
    assert [call.path for call in paypal.simulator.calls] == ["/v2/invoicing/invoices"]


async def test_computes_the_order_as_paypal_does(paypal: Conversation) -> None:
    """Tax is rounded per unit, and all parts add up to the total that PayPal accepts."""
    result = await paypal.call("create_order", ARGUMENTS["create_order"])
    amount = paypal.simulator.calls[0].body["purchase_units"][0]["amount"]
    assert amount["breakdown"]["tax_total"]["value"] == "2.46"  # 3 x 0.82, not 2.47
    assert amount["value"] == "40.33"
    assert result["structuredContent"]["purchase_units"][0]["amount"]["value"] == "40.33"


async def test_takes_an_order_from_creation_to_refund(paypal: Conversation) -> None:
    """Created, refused before approval, approved by the buyer, captured, refunded in two parts, then exhausted."""
    order = (await paypal.call("create_order", ARGUMENTS["create_order"]))["structuredContent"]
    early = await paypal.call("pay_order", {"id": order["id"]})
    assert outcome(early) == "refused"
    assert early["structuredContent"]["error"]["details"][0]["issue"] == "ORDER_NOT_APPROVED"
    paypal.simulator.approve_order(order["id"])
    paid = (await paypal.call("pay_order", {"id": order["id"]}))["structuredContent"]
    capture = paid["purchase_units"][0]["payments"]["captures"][0]["id"]
    part = await paypal.call("create_refund", {"capture_id": capture, "amount": MONEY})
    assert part["structuredContent"]["amount"] == MONEY
    rest = await paypal.call("create_refund", {"capture_id": capture})
    assert rest["structuredContent"]["amount"]["value"] == "27.83"
    more = await paypal.call("create_refund", {"capture_id": capture})
    assert more["structuredContent"]["error"]["details"][0]["issue"] == "CAPTURE_FULLY_REFUNDED"


@pytest.mark.parametrize(
    ("amount", "issue"),
    [
        ({"currency_code": "USD", "value": "100.01"}, "REFUND_AMOUNT_EXCEEDED"),
        ({"currency_code": "EUR", "value": "1.00"}, "REFUND_CAPTURE_CURRENCY_MISMATCH"),
    ],
)
async def test_keeps_paypals_issue_of_a_refused_refund(
    paypal: Conversation, amount: dict[str, str], issue: str
) -> None:
    """A refused refund keeps PayPal's name, issue and debug id."""
    result = await paypal.call("create_refund", {"capture_id": seeds.CAPTURE, "amount": amount})
    assert result["isError"] is True
    assert outcome(result) == "refused"
    error = result["structuredContent"]["error"]
    assert (error["name"], error["status"]) == ("UNPROCESSABLE_ENTITY", 422)
    assert error["details"][0]["issue"] == issue
    assert error["debug_id"] == upstream(result)["debug_id"]


@pytest.mark.parametrize("tool", [name for name, tool in TOOLS.items() if tool.operation.idempotent])
async def test_has_one_effect_per_transaction(paypal: Conversation, tool: str) -> None:
    """A repeat with the same transaction id is answered with the first result and does nothing more."""
    arguments = await prepared(paypal, tool)
    first = await paypal.call(tool, arguments, "tx-9")
    held = len(paypal.simulator.ledger.transactions), paypal.simulator.ledger.issued
    again = await paypal.call(tool, arguments, "tx-9")
    assert outcome(again) == "executed"
    assert again["structuredContent"] == first["structuredContent"]
    assert (len(paypal.simulator.ledger.transactions), paypal.simulator.ledger.issued) == held


async def test_answers_a_reused_transaction_with_the_first_result(paypal: Conversation) -> None:
    """As PayPal does: another body under the same id gets the first answer, and no second order exists."""
    first = await paypal.call("create_order", ARGUMENTS["create_order"], "tx-9")
    other = {"currencyCode": "USD", "items": [{"name": "Boat", "itemCost": "999.00"}]}
    second = await paypal.call("create_order", other, "tx-9")
    assert second["structuredContent"]["id"] == first["structuredContent"]["id"]


async def test_makes_an_id_of_its_own_without_a_transaction() -> None:
    """PayPal's strict rule on payment sources is met also by a client that names no transaction."""
    paypal = Conversation(strict_request_id=True)
    result = await paypal.call("create_order", ARGUMENTS["create_order"])
    assert outcome(result) == "executed"
    assert len(paypal.simulator.calls[0].request_id or "") == 36
    await paypal.aclose()


async def test_sees_the_error_inside_a_200(paypal: Conversation) -> None:
    """A tracker that PayPal did not take is refused, although the status is 200."""
    arguments = {"transaction_id": "0000000000000000X", "tracking_number": "1Z9"}
    result = await paypal.call("create_shipment_tracking", arguments)
    assert outcome(result) == "refused"
    assert upstream(result)["status"] == 200
    assert result["structuredContent"]["error"]["name"] == "RESOURCE_NOT_FOUND"


async def test_returns_the_qr_code_as_a_picture(paypal: Conversation) -> None:
    """The text is base64 of a PNG, without PayPal's multipart frame."""
    result = await paypal.call("generate_invoice_qr_code", {"invoice_id": seeds.SENT_INVOICE})
    assert base64.b64decode(result["content"][0]["text"], validate=True).startswith(b"\x89PNG\r\n")
    assert "structuredContent" not in result


async def test_says_ok_where_paypal_says_nothing(paypal: Conversation) -> None:
    """A 204 becomes a small document that names the resource."""
    result = await paypal.call("send_invoice_reminder", {"invoice_id": seeds.SENT_INVOICE})
    assert result["structuredContent"] == {"status": "ok", "invoice_id": seeds.SENT_INVOICE}


async def test_schedules_an_invoice_of_the_future(paypal: Conversation) -> None:
    """PayPal's 202 for an invoice dated ahead counts as executed."""
    future = {**ARGUMENTS["create_invoice"], "detail": {"currency_code": "USD", "invoice_date": "2026-12-24"}}
    draft = (await paypal.call("create_invoice", future))["structuredContent"]
    sent = await paypal.call("send_invoice", {"invoice_id": draft["id"]})
    assert (outcome(sent), upstream(sent)["status"]) == ("executed", 202)


async def test_changes_a_subscription_with_one_patch(paypal: Conversation) -> None:
    """All changes travel in one PATCH, and show in the subscription afterwards."""
    await paypal.call("update_subscription", ARGUMENTS["update_subscription"])
    (call,) = paypal.simulator.calls
    assert call.method == "PATCH"
    assert call.body[0] == {
        "op": "replace",
        "path": "/plan/billing_cycles/@sequence==1/pricing_scheme/fixed_price",
        "value": {"currency_code": "USD", "value": "11.50"},
    }
    shown = await paypal.call("show_subscription_details", ARGUMENTS["show_subscription_details"])
    assert shown["structuredContent"]["custom_id"] == "c-1"
