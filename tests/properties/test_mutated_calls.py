"""A good second phase with something changed on the way: it is carried out as it was granted, or not at all."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.house import AGENT_TOKEN, House
from tests.support.messages import MODERN, modern_body
from tests.support.raw_http import exchange, head

TOOL = "create_order"
ORDER: dict[str, Any] = {
    "currencyCode": "USD",
    "items": [
        {"name": "Desk lamp", "quantity": 2, "description": "Brass", "itemCost": "24.50", "taxPercent": "10"}
    ],
    "discount": "1.00",
    "shippingCost": "4.00",
    "returnUrl": "https://shop.example.com/done",
    "cancelUrl": "https://shop.example.com/back",
}
NASTY = [
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"NaN",
    b"0.1",
    b'"',
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"}",
    b"[",
    b"{",
    b",",
    b"]}",
    b'"arguments":{},',
    b'"itemCost":"9999.00",',
    b'"itemCost":"9999.00"},{',
    b'"quantity":9,',
    b'"name":"create_refund",',
    b'"_meta":{},',
    b'"requestState":"0",',
    b'"inputResponses":{"dev.countersign/confirm":{"action":"accept","content":{"approve":true}}},',
]
HEADERS = [
    "Host",
    "Content-Type",
    "Accept",
    "Authorization",
    "MCP-Protocol-Version",
    "Mcp-Method",
    "Mcp-Name",
]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["replace", "insert", "delete", "repeat", "digit"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(1, 12),
        st.sampled_from(NASTY) | st.binary(min_size=1, max_size=3),
    ),
    max_size=2,
)
HEADER_EDITS = st.none() | st.tuples(
    st.sampled_from(HEADERS),
    st.sampled_from(["drop", "twice", "value"]),
    st.text("aZ0/*;,=? \t\xe9", max_size=12),
)


def edited(body: bytes, edits: list[tuple[str, float, int, bytes]]) -> bytes:
    """The body after the edits; ``digit`` turns one digit of it into another."""
    for kind, where, length, put in edits:
        at = int(where * len(body))
        if kind == "digit":
            digits = [index for index, byte in enumerate(body) if chr(byte).isdigit()]
            at = digits[int(where * len(digits))] if digits else 0
            body = body[:at] + str(length % 10).encode() + body[at + 1 :]
        else:
            middle = {"replace": put, "insert": put + body[at : at + length], "delete": b""}.get(
                kind, body[at : at + length] * 2
            )
            body = body[:at] + middle + body[at + length :]
    return body


async def second_phase(house: House) -> dict[str, Any]:
    """The request that would carry an order out."""
    first = await house.call(TOOL, ORDER)
    token = first["result"]["requestState"]
    return modern_body(params={"name": TOOL, "arguments": ORDER, "requestState": token})


async def send(house: House, body: bytes, change: tuple[str, str, str] | None) -> list[int]:
    """The status of whatever came back."""
    fields = {
        "Host": house.url.removeprefix("http://"),
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Authorization": f"Bearer {AGENT_TOKEN}",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": "tools/call",
        "Mcp-Name": TOOL,
        "Connection": "close",
        "Content-Length": str(len(body)),
    }
    more = ""
    if change is not None:
        name, kind, value = change
        if kind == "twice":
            more = f"{name}: {value}\r\n"
        elif kind == "drop":
            del fields[name]
        else:
            fields[name] = value
    replies = await exchange(house.url, head(fields, more=more) + body)
    for reply in replies:
        assert AGENT_TOKEN.encode() not in reply.body
        assert b"Traceback" not in reply.body
    return [reply.status for reply in replies]


def what_paypal_saw(house: House, since: int) -> list[tuple[str, str, Any]]:
    """Everything that arrived there, without what differs from call to call."""
    return [(call.method, call.path, call.body) for call in house.paypal_seen[since:]]


@pytest.fixture(scope="module")
async def granted(house: House) -> list[tuple[str, str, Any]]:
    """What PayPal sees of the unchanged call."""
    before = house.paypal_calls
    assert await send(house, json.dumps(await second_phase(house)).encode(), None) == [200]
    seen = what_paypal_saw(house, before)
    assert [method for method, _, _ in seen] == ["POST"]
    return seen


@given(edits=EDITS, change=HEADER_EDITS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_what_arrives_at_paypal_is_what_was_granted(
    house: House,
    granted: list[tuple[str, str, Any]],
    edits: list[tuple[str, float, int, bytes]],
    change: tuple[str, str, str] | None,
) -> None:
    """Whatever is changed in body and headers: no failure of ours, and either the granted order or nothing."""
    body = edited(json.dumps(await second_phase(house)).encode(), edits)
    before = house.paypal_calls
    statuses = await send(house, body, change)
    assert all(status < 500 for status in statuses)
    assert what_paypal_saw(house, before) in ([], granted)


@pytest.mark.parametrize(
    "changed",
    [
        {"discount": "2.00"},
        {"currencyCode": "EUR"},
        {"items": [{**ORDER["items"][0], "quantity": 3}]},
        {"items": [*ORDER["items"], *ORDER["items"]]},
        {"returnUrl": "https://evil.example/done"},
        {"notes": "x"},
    ],
    ids=str,
)
async def test_a_changed_argument_burns_the_token(
    house: House, granted: list[tuple[str, str, Any]], changed: dict[str, Any]
) -> None:
    """Refused, and the unchanged call afterwards is refused too (invariant 3)."""
    body = await second_phase(house)
    honest = json.dumps(body).encode()
    body["params"]["arguments"] = {**ORDER, **changed}
    before = house.paypal_calls
    assert await send(house, json.dumps(body).encode(), None) == [400]
    assert await send(house, honest, None) == [400]
    assert house.paypal_calls == before
