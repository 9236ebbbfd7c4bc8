"""Smuggled arguments: members that the tool does not know, at any depth, and ids that are more than ids."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from gateway.upstream.paypal.simulator.seeds import CAPTURE
from tests.support.answers import codes_of, status_of
from tests.support.calls import INVOICE, ORDER, refund
from tests.support.house import AGENT_TOKEN, MODERN, MODERN_META, House
from tests.support.traces import Trace


def smuggled() -> list[tuple[str, dict[str, Any]]]:
    """Calls with one member too many, one for each object in their arguments."""
    found: list[tuple[str, dict[str, Any]]] = []

    def inside(tool: str, whole: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
        if isinstance(value, list):
            for index, one in enumerate(value):
                inside(tool, whole, (*path, index), one)
        if isinstance(value, dict):
            changed = copy.deepcopy(whole)
            place: Any = changed
            for step in path:
                place = place[step]
            place["payee"] = {"email_address": "mallory@example.com"}
            found.append((tool, changed))
            for key, one in value.items():
                inside(tool, whole, (*path, key), one)

    for tool, arguments in (
        ("create_refund", refund()),
        ("create_invoice", INVOICE),
        ("create_order", ORDER),
        ("list_invoices", {"page": 1}),
    ):
        inside(tool, arguments, (), arguments)
    return found


@pytest.mark.parametrize(("tool", "arguments"), smuggled())
async def test_an_unknown_member(house: House, tool: str, arguments: dict[str, Any]) -> None:
    """Refused in phase 1 already; the refusal names the place and not the value."""
    trace = Trace(house)
    answer = await house.call(tool, arguments)
    assert status_of(answer) == "refused"
    assert "arguments.schema_invalid" in codes_of(answer)
    assert "mallory" not in str(answer)
    trace.refused_unseen("arguments.schema_invalid")


@pytest.mark.parametrize(
    "capture",
    [
        "../../../v1/payments/payouts",
        f"{CAPTURE}/refund?x=",
        f"{CAPTURE}%2Frefund",
        f"{CAPTURE}#",
        f"{CAPTURE}\n",
        f" {CAPTURE}",
        f"{CAPTURE};admin=1",
        "..",
        ".",
        "",
        CAPTURE.lower(),
        "\uff13C679366HH908993F",
        ["3C679366HH908993F"],
        {"id": CAPTURE},
        None,
        3,
        True,
    ],
)
async def test_an_id_that_is_more_than_an_id(house: House, capture: Any) -> None:
    """Path traversal, query injection, another digit alphabet, another type: refused before anything is sent."""
    trace = Trace(house)
    answer = await house.call("create_refund", {**refund(), "capture_id": capture})
    assert status_of(answer) == "refused"
    trace.refused_unseen("arguments.schema_invalid", "arguments.unsafe_identifier")


NO_AMOUNTS: list[Any] = [
    "-1.00",
    "+1.00",
    "1e2",
    "0",
    "0.00",
    "1.001",
    "1,00",
    "\u0661.00",
    "0x10",
    "1.",
    ".5",
]
NO_AMOUNTS += ["NaN", " 1.00", "1.00 ", "9" * 40, 1, 1.0, None, True, ["1.00"]]


@pytest.mark.parametrize("value", NO_AMOUNTS)
async def test_an_amount_that_is_more_than_an_amount(house: House, value: Any) -> None:
    """Signs, exponents, other digits, other types, too many decimals: refused, not rounded."""
    trace = Trace(house)
    answer = await house.call(
        "create_refund", {**refund(), "amount": {"currency_code": "USD", "value": value}}
    )
    assert status_of(answer) == "refused"
    assert trace.paypal == []
    assert trace.record["status"] == "refused"


async def test_beside_the_arguments(house: House) -> None:
    """Members of ``params`` that MCP does not have are not passed on, and change nothing."""
    trace = Trace(house)
    more = {"arguments2": refund("9.00"), "payee": "mallory", "server": "annex", "tool": "create_refund"}
    answer = await house.call("list_invoices", {"page": 1}, more=more)
    assert status_of(answer) == "executed"
    assert [(call.method, call.body) for call in trace.paypal] == [("GET", None)]


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_call_that_wants_no_answer(house: House, era: str) -> None:
    """Sent as a notification, or inside a batch: nobody would learn its outcome, so it is not carried out."""
    params: dict[str, Any] = {"name": "list_invoices", "arguments": {"page": 1}}
    headers = {"authorization": f"Bearer {AGENT_TOKEN}", "content-type": "application/json"}
    if era == "modern":
        params["_meta"] = MODERN_META
        headers |= {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": "list_invoices"}
    call = {"jsonrpc": "2.0", "method": "tools/call", "params": params}
    trace = Trace(house)
    for body in (call, {**call, "id": None}, [{**call, "id": 1}]):
        response = await house.http.post("/mcp", content=msgspec.json.encode(body), headers=headers)
        assert response.status_code in (202, 400) or "error" in response.json()
    assert trace.paypal == []
