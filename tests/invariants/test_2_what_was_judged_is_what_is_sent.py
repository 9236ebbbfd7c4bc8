"""Invariant 2. One strict parse; the forwarded bytes are serialised from the judged object."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.canonical import canonical_hash
from tests.support.answers import codes_of, status_of
from tests.support.calls import INVOICE, first_phase, invoice
from tests.support.depot import SHIP, TRACK, Depot, running_depot
from tests.support.foreign_server import definition
from tests.support.house import AGENT_TOKEN, MODERN, House, running_house
from tests.support.policy_copies import ALLOWS_ALL, judged_by, with_decision
from tests.support.traces import Trace

HEAD = (
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{'
    '"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
    '"io.modelcontextprotocol/clientCapabilities":{}},"name":"list_invoices","arguments":'
)
TWO_READINGS = {
    "a member twice": '{"page":1,"page":2}',
    "a member twice, once escaped": '{"page":1,"p\\u0061ge":2}',
    "a member twice, deep": '{"page":1,"x":[{"a":{"b":1,"b":2}}]}',
    "NaN": '{"page":NaN}',
    "infinity": '{"page":Infinity}',
    "beyond a double": '{"page":1e400}',
    "beyond 2^53": '{"page":9007199254740993}',
    "a thousand digits": '{"page":' + "1" * 1000 + "}",
    "minus zero": '{"page":-0}',
    "does not survive a double": '{"page":0.10000000000000000000000000000001}',
    "a lone surrogate": '{"page":"\\ud800"}',
    "a lone surrogate as a key": '{"\\udc00":1}',
    "a raw control character": '{"page":"\n"}',
    "too deep": '{"page":' + "[" * 70 + "]" * 70 + "}",
    "a comment": '{"page":1/*2*/}',
    "a trailing comma": '{"page":1,}',
    "single quotes": "{'page':1}",
    "a leading zero": '{"page":01}',
    "something behind": '{"page":1}}}{"page":2}',
}


@pytest.fixture(scope="module")
async def depot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Depot]:
    """A gateway with other servers behind it, which keep the bytes they were sent."""
    async with running_depot(tmp_path_factory.mktemp("depot")) as running:
        yield running


async def post(house: House, body: bytes, **headers: str) -> dict[str, Any]:
    """Exactly these bytes, with the headers of a proper call."""
    fields = {
        "authorization": f"Bearer {AGENT_TOKEN}",
        "content-type": "application/json",
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": "list_invoices",
        **headers,
    }
    answer: dict[str, Any] = (await house.http.post("/mcp", content=body, headers=fields)).json()
    return answer


@pytest.mark.parametrize("name", TWO_READINGS)
async def test_what_two_parsers_could_read_differently_is_refused(depot: Depot, name: str) -> None:
    """The body is refused before anything is judged, PayPal hears nothing, and one record tells."""
    trace = Trace(depot.house)
    answer = await post(depot.house, (HEAD + TWO_READINGS[name] + "}}").encode())
    assert answer["error"]["code"] == -32700
    assert codes_of(answer)[0].startswith("door.")
    trace.refused_unseen(*codes_of(answer))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xef\xbb\xbf" + HEAD.encode() + b'{"page":1}}}', "door.encoding"),
        (HEAD.encode() + b'{"page":"\xff"}}}', "door.encoding"),
        (HEAD.encode("utf-16"), "door.encoding"),
        (HEAD.encode() + b'{"x":"' + b"a" * (1024 * 1024) + b'"}}}', "door.too_large"),
    ],
)
async def test_what_is_no_utf_8_or_too_much_is_refused(depot: Depot, body: bytes, code: str) -> None:
    """A byte order mark, another encoding, a mebibyte and more."""
    trace = Trace(depot.house)
    assert codes_of(await post(depot.house, body)) == [code]
    trace.refused_unseen(code)


async def test_the_header_names_the_tool_that_is_judged(depot: Depot) -> None:
    """A proxy that judged by the header and a gateway that acts on the body would judge two calls."""
    body = (HEAD + '{"page":1}}}').encode()
    for headers in ({"mcp-name": "get_invoice"}, {"mcp-method": "tools/list"}):
        trace = Trace(depot.house)
        assert codes_of(await post(depot.house, body, **headers)) == ["door.header_mismatch"]
        trace.refused_unseen("door.header_mismatch")


async def test_paypal_gets_the_object_that_the_audit_names(depot: Depot) -> None:
    """The hash in the records of both phases is that of what PayPal received."""
    house, trace, arguments = depot.house, Trace(depot.house), invoice("zwölf Lampen 💡")
    token = await first_phase(house, "create_invoice", arguments)
    assert status_of(await house.call("create_invoice", arguments, state=token)) == "executed"
    (write,) = trace.writes
    assert write.body == arguments
    assert {record["arguments_hash"] for record in trace.records} == {canonical_hash(write.body)}


# NUL cannot be put to the embedded engine, which then gives no answer: deny.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=st.dictionaries(TEXTS, TEXTS, max_size=4))
async def test_any_text_arrives_as_it_was_judged(depot: Depot, arguments: dict[str, str]) -> None:
    """Whatever the characters: another server reads what the gateway hashed."""
    trace = Trace(depot.house)
    assert status_of(await depot.house.call(TRACK, arguments, server="depot")) == "executed"
    assert depot.depot.calls[-1]["arguments"] == arguments
    assert trace.record["arguments_hash"] == canonical_hash(depot.depot.calls[-1]["arguments"])


async def test_the_callers_bytes_are_not_passed_on(depot: Depot) -> None:
    """Escapes and blanks of the caller are gone: what leaves was written by the gateway."""
    body = HEAD.replace("list_invoices", TRACK) + '  {"id" :\n"\\u0050-1"}}}'
    fields = {
        "authorization": f"Bearer {AGENT_TOKEN}",
        "content-type": "application/json",
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": TRACK,
    }
    answer = await depot.house.http.post("/mcp/depot", content=body.encode(), headers=fields)
    assert status_of(answer.json()) == "executed"
    assert b'"arguments":{"id":"P-1"}' in depot.depot.raw[-1]


async def test_numbers_survive(depot: Depot) -> None:
    """Numbers that pass the door are the same numbers at the other end, or the engine could not hold them: deny."""
    loose = {**definition(TRACK), "inputSchema": {"type": "object"}}
    depot.annex.tools = [loose]
    depot.house.clock.advance(60)
    passed = []
    for number in (0, 1, -1, 2**53 - 1, 0.1, 1e-7, 1e21, 5e-324, 1.7976931348623157e308, 25.5, 1.0):
        before = len(depot.annex.raw)
        answer = await depot.house.call(TRACK, {"n": number}, server="annex")
        if status_of(answer) == "executed":
            passed.append(msgspec.json.decode(depot.annex.raw[-1])["params"]["arguments"]["n"])
            assert passed[-1] == number
        else:
            assert codes_of(answer) == ["policy.question"]
            assert len(depot.annex.raw) == before
    assert {0, 1, -1, 0.1, 25.5} <= set(passed)
    assert all(math.isfinite(number) for number in passed)
    depot.relist()


async def test_a_policy_cannot_pass_arguments_that_do_not_fit(tmp_path: Path) -> None:
    """It says yes to everything; what does not fit the tool's schema is not sent all the same."""
    policies = with_decision(tmp_path, ALLOWS_ALL)
    async with running_house(tmp_path, policy=judged_by(policies)) as house:
        for arguments in (
            {"page": "1"},
            {"page": 0},
            {"page": 1, "extra": 1},
            {"page": None},
        ):
            trace = Trace(house)
            answer = await house.call("list_invoices", arguments)
            assert (status_of(answer), codes_of(answer)) == ("refused", ["arguments.schema_invalid"])
            trace.refused_unseen("arguments.schema_invalid")
        wrong = {**INVOICE, "items": [{**INVOICE["items"][0], "unit_amount": {"value": "1e3"}}]}
        trace = Trace(house)
        assert status_of(await house.call("create_invoice", wrong)) == "refused"
        trace.refused_unseen("arguments.schema_invalid")
        assert status_of(await house.call("list_invoices", {"page": 1})) == "executed"


async def test_the_token_belongs_to_the_judged_object_not_to_its_spelling(depot: Depot) -> None:
    """Members in another order are the same call (RFC 8785); it is executed once, as judged."""
    first = {"id": "P-9", "to": "Elm Street 1"}
    token = await first_phase(depot.house, SHIP, first, server="depot")
    second = dict(reversed(first.items()))
    before = len(depot.depot.calls)
    answer = await depot.house.call(SHIP, second, state=token, server="depot")
    assert status_of(answer) == "executed"
    assert [call["arguments"] for call in depot.depot.calls[before:]] == [first]
