"""The headers that mirror a message, compared with the SDK's own codec."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.inbound import decode_header_value, encode_header_value

from gateway.client.headers import Mirror, encoded
from gateway.client.message import read_message
from tests.support.house import MODERN_META


@given(st.text(max_size=30))
def test_values_are_encoded_as_the_sdk_does(value: str) -> None:
    """And the SDK reads back what was meant."""
    if any("\ud800" <= char <= "\udfff" for char in value):
        return
    assert encoded(value) == encode_header_value(value)
    assert decode_header_value(encoded(value)) == value


def headers(schema: dict[str, Any], arguments: dict[str, Any]) -> dict[str, str]:
    """The Mcp-Param headers of a call, after its tool was listed with this schema."""
    mirror = Mirror()
    mirror.learn({"tools": [{"name": "t", "inputSchema": schema}]})
    params = {"name": "t", "arguments": arguments, "_meta": MODERN_META}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    made = mirror.headers(read_message(msgspec.json.encode(body)))
    return {name: value for name, value in made.items() if name.startswith("mcp-param-")}


def _property(kind: str, header: str) -> dict[str, Any]:
    return {"type": kind, "x-mcp-header": header}


def test_annotated_arguments_are_mirrored() -> None:
    """Nested ones too; what is absent is left out."""
    schema = {
        "properties": {
            "a": _property("string", "A"),
            "b": {"properties": {"c": _property("boolean", "C"), "d": _property("integer", "D")}},
        }
    }
    assert headers(schema, {"a": "é", "b": {"c": True}}) == {
        "mcp-param-a": encode_header_value("é"),
        "mcp-param-c": "true",
    }


def test_a_schema_that_is_not_proper_mirrors_nothing() -> None:
    """Two of one name, a name that is no token, a kind that has no one spelling."""
    assert (
        headers({"properties": {"a": _property("string", "X"), "b": _property("string", "x")}}, {"a": "1"})
        == {}
    )
    assert headers({"properties": {"a": _property("string", "bad name")}}, {"a": "1"}) == {}
    assert headers({"properties": {"a": _property("number", "N")}}, {"a": 1.5}) == {}


def test_an_older_message_gets_none() -> None:
    """They belong to 2026-07-28."""
    assert Mirror().headers(read_message(b'{"jsonrpc":"2.0","id":1,"method":"ping"}')) == {}
