"""A tools/call message -> one frozen call."""

from typing import Any

import pytest

from gateway.canonical import canonical_hash
from gateway.door.call import Client, Era, ToolCall
from gateway.door.message import read_message
from gateway.door.tool_call import MAX_NAME_CHARS, MAX_STATE_CHARS, read_tool_call
from gateway.errors import INVALID_PARAMS, MalformedRequest
from gateway.identity.credentials import NO_CREDENTIALS
from tests.support.messages import legacy_body, legacy_headers, modern_body, modern_headers


def call_of(params: dict[str, Any]) -> ToolCall:
    """The call of a legacy message with these params: that era has fewer rules in the way."""
    body = legacy_body()
    body["params"] = params
    return read_tool_call(
        read_message(legacy_headers(), body),
        server="paypal",
        call_id="call-1",
        received_at=7.5,
        credentials=NO_CREDENTIALS,
        client=Client(),
        param_headers={},
    )


def test_a_call_has_what_was_asked_and_its_hash() -> None:
    """The arguments are the parsed object itself; the hash is RFC 8785's."""
    arguments = {"b": [1, 2.5], "a": None}
    call = call_of({"name": "create_order", "arguments": arguments})
    assert call.tool == "create_order"
    assert call.arguments is arguments
    assert call.arguments_hash == canonical_hash(arguments)
    assert (call.server, call.call_id, call.received_at) == ("paypal", "call-1", 7.5)
    assert (call.era, call.token, call.input_responses, call.rpc_id) == (Era.LEGACY, None, {}, 1)


def test_no_arguments_are_empty_arguments() -> None:
    """``arguments`` is optional in MCP; both spellings hash alike."""
    absent, empty = call_of({"name": "x"}), call_of({"name": "x", "arguments": {}})
    assert absent.arguments_hash == empty.arguments_hash == canonical_hash({})


def test_a_modern_call_carries_its_token_and_answers() -> None:
    """MRTR: requestState and inputResponses (2026-07-28/basic/patterns/mrtr)."""
    params = {"name": "x", "requestState": "s", "inputResponses": {"k": {"action": "accept"}}}
    message = read_message(modern_headers(name="x"), modern_body(params=params))
    call = read_tool_call(
        message,
        server="s",
        call_id="1",
        received_at=0,
        credentials=NO_CREDENTIALS,
        client=message.client,
        param_headers={},
    )
    assert call.token == "s"
    assert call.input_responses == {"k": {"action": "accept"}}
    assert call.meta == message.meta


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"name": None},
        {"name": ""},
        {"name": 1},
        {"name": ["x"]},
        {"name": "x" * (MAX_NAME_CHARS + 1)},
        {"name": "x", "arguments": None},
        {"name": "x", "arguments": []},
        {"name": "x", "arguments": "{}"},
        {"name": "x", "requestState": 1},
        {"name": "x", "requestState": {}},
        {"name": "x", "requestState": "s" * (MAX_STATE_CHARS + 1)},
        {"name": "x", "inputResponses": None},
        {"name": "x", "inputResponses": []},
        {"name": "x", "arguments": {"n": 2**53}},
        {"name": "x", "arguments": {"n": float("nan")}},
        {"name": "x", "arguments": {"\ud800": 1}},
    ],
    ids=repr,
)
def test_what_is_no_proper_call_is_refused(params: dict[str, Any]) -> None:
    """One code, -32602; the last three cannot come from the strict parser and are refused all the same."""
    with pytest.raises(MalformedRequest) as caught:
        call_of(params)
    assert (caught.value.code, caught.value.rpc_code) == ("door.params", INVALID_PARAMS)


def test_an_empty_token_is_a_token() -> None:
    """It is looked up, and found by nobody; it does not mean that none was presented."""
    assert call_of({"name": "x", "requestState": ""}).token == ""


def test_a_null_token_is_none() -> None:
    """A host that writes all members presents nothing with null."""
    assert call_of({"name": "x", "requestState": None}).token is None
