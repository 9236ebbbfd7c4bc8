"""Duplicate JSON keys between judge and sender: one reader takes the first, another the last. Nobody gets to choose."""

from __future__ import annotations

import pytest

from gateway.upstream.paypal.simulator.seeds import CAPTURE
from tests.support.answers import codes_of
from tests.support.house import AGENT_TOKEN, MODERN, House
from tests.support.traces import Trace

META = (
    '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
    '"io.modelcontextprotocol/clientCapabilities":{}}'
)
AMOUNT = '"amount":{"currency_code":"USD","value":"1.00"}'
ARGUMENTS = f'"arguments":{{"capture_id":"{CAPTURE}",{AMOUNT}}}'
PARAMS = f'"params":{{{META},"name":"create_refund",{ARGUMENTS}}}'
TWICE = {
    "the value": PARAMS.replace('"value":"1.00"', '"value":"1.00","value":"100.00"'),
    "the amount": PARAMS.replace(AMOUNT, f'{AMOUNT},"amount":{{"currency_code":"USD","value":"100.00"}}'),
    "the value, escaped": PARAMS.replace('"value":"1.00"', '"value":"1.00","v\\u0061lue":"100.00"'),
    "the arguments": PARAMS.replace(ARGUMENTS, f'{ARGUMENTS},"arguments":{{}}'),
    "the name": PARAMS.replace('"name":"create_refund"', '"name":"create_refund","name":"list_invoices"'),
    "the params": f'{PARAMS},"params":{{}}',
    "the token": PARAMS.replace('"name":', '"requestState":"a","requestState":"b","name":'),
    "a member of _meta": PARAMS.replace(
        '"io.modelcontextprotocol/clientCapabilities":{}',
        '"io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientCapabilities":{}',
    ),
    "the method": f'{PARAMS},"method":"tools/list"',
}


@pytest.mark.parametrize("what", TWICE)
async def test_a_key_twice(house: House, what: str) -> None:
    """Refused at the door, with one record; the same body with each key once is served."""
    headers = {
        "authorization": f"Bearer {AGENT_TOKEN}",
        "content-type": "application/json",
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": "create_refund",
    }
    head = '{"jsonrpc":"2.0","id":1,"method":"tools/call",'
    trace = Trace(house)
    answer = (await house.http.post("/mcp", content=f"{head}{TWICE[what]}}}", headers=headers)).json()
    assert codes_of(answer) == ["door.duplicate_key"]
    trace.refused_unseen("door.duplicate_key")
    honest = (await house.http.post("/mcp", content=f"{head}{PARAMS}}}", headers=headers)).json()
    assert honest["result"]["resultType"] == "input_required"


@pytest.mark.parametrize("name", ["mcp-name", "mcp-method", "mcp-protocol-version", "authorization"])
async def test_a_header_twice(house: House, name: str) -> None:
    """The same for header fields that decide something."""
    headers = [
        ("authorization", f"Bearer {AGENT_TOKEN}"),
        ("content-type", "application/json"),
        ("mcp-protocol-version", MODERN),
        ("mcp-method", "tools/call"),
        ("mcp-name", "create_refund"),
    ]
    headers += [(name, dict(headers)[name])]
    trace = Trace(house)
    body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call",{PARAMS}}}'
    answer = (await house.http.post("/mcp", content=body, headers=headers)).json()
    assert codes_of(answer)[0].split(".")[0] in ("door", "identity")
    trace.refused_unseen(*codes_of(answer))
