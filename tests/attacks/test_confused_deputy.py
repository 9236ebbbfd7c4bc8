"""Confused deputy: the caller borrows the gateway's standing: its class table, lookups, credentials, name."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.upstream.paypal.simulator.seeds import APPROVED_ORDER, COMPLETED_ORDER
from tests.support.answers import codes_of, said, status_of
from tests.support.calls import PAY, invoice, refund
from tests.support.depot import PARCEL, TRACK, Depot
from tests.support.house import AGENT_TOKEN, House
from tests.support.traces import Trace

SAYS: dict[str, Any] = {
    "data_class": 5,
    "tier": "public",
    "caller": {"issuer": "urn:countersign:static", "subject": "approver-one", "roles": ["approver", "pii"]},
    "approval": {"revoked": False, "definition_hash": "0" * 64},
    "money": {"amount": "0.01", "currency": "USD", "source": "arguments"},
    "env": {"paypal": "sandbox", "now": 0, "state": "ok"},
}


@pytest.mark.parametrize("member", SAYS)
async def test_the_question_is_not_the_callers_to_write(house: House, member: str) -> None:
    """Parts of the policy's question in ``_meta``, beside the arguments and among them: not one is read."""
    trace = Trace(house)
    for more in ({"_meta": {member: SAYS[member]}}, {member: SAYS[member]}, {"_meta": {"input": SAYS}}):
        answer = await house.call("create_refund", refund("9.00"), more=more)
        assert (status_of(answer), said(answer)["data_class"]) == ("handshake_required", 2)
    refused = await house.call("create_refund", {**refund("9.00"), member: SAYS[member]})
    assert "arguments.schema_invalid" in codes_of(refused)
    assert trace.paypal == []
    assert {record["caller"]["subject"] for record in trace.records} == {"agent-one"}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-user": "approver-one"},
        {"x-remote-user": "admin", "x-authenticated-roles": "approver"},
        {"forwarded": "for=127.0.0.1;by=admin"},
        {"x-original-url": "/mcp/annex"},
        {"x-http-method-override": "DELETE"},
    ],
)
async def test_headers_of_a_proxy_that_is_not_there(house: House, headers: dict[str, str]) -> None:
    """Who asks is who the token says, and what is asked is in the body."""
    trace = Trace(house)
    answer = await house.call("create_invoice", invoice("proxy"), headers=headers)
    assert status_of(answer) == "handshake_required"
    assert trace.record["caller"]["subject"] == "agent-one"
    assert trace.record["server"] == "paypal"


async def test_the_amount_is_looked_up_not_believed(house: House) -> None:
    """``pay_order`` takes no amount: one that the caller adds is refused, and the order's own is shown."""
    trace = Trace(house)
    lied = await house.call("pay_order", {**PAY, "amount": {"currency_code": "USD", "value": "0.01"}})
    assert "arguments.schema_invalid" in codes_of(lied)
    assert trace.writes == []
    assert status_of(await house.call("pay_order", PAY)) == "handshake_required"
    assert [(call.method, call.path) for call in trace.paypal] == [
        ("GET", f"/v2/checkout/orders/{APPROVED_ORDER}")
    ]


async def test_a_lookup_gives_nothing_away(house: House) -> None:
    """The gateway reads an order with its own rights; the caller who may not see the payer does not see it by this."""
    answer = await house.call("pay_order", {"id": COMPLETED_ORDER})
    payer = house.simulator.ledger.orders[COMPLETED_ORDER]["payer"]
    assert payer["email_address"] not in str(answer)
    read = await house.call("get_order", {"id": COMPLETED_ORDER})
    assert status_of(read) == "executed"
    assert payer["email_address"] not in str(read)


async def test_the_callers_token_opens_nothing_upstream(depot: Depot) -> None:
    """Neither PayPal nor another server ever gets to see it, so it cannot be spent there."""
    house, seen = depot.house, len(depot.depot.headers)
    await house.call("list_invoices", {"page": 1})
    await house.call(TRACK, PARCEL, server="depot")
    heads = [dict(call.headers) for call in house.simulator.calls] + depot.depot.headers[seen:]
    assert len(heads) >= 2
    assert AGENT_TOKEN not in str(heads)


@pytest.mark.parametrize(
    "capabilities", [{}, {"elicitation": {"form": {}}}, {"sampling": {}, "roots": {}}], ids=str
)
async def test_an_upstream_is_told_what_this_host_declared_and_no_more(
    depot: Depot, capabilities: dict[str, Any]
) -> None:
    """It may ask a host what that very request declares; who it talks to is the gateway, by its own name."""
    seen = len(depot.depot.calls)
    await depot.house.call(TRACK, PARCEL, server="depot", capabilities=capabilities)
    (call,) = depot.depot.calls[seen:]
    assert call["_meta"]["io.modelcontextprotocol/clientCapabilities"] == capabilities
    assert call["_meta"]["io.modelcontextprotocol/clientInfo"]["name"] == "countersign"
