"""A request as bytes, in the server's era; it never saw the caller's token."""

from typing import Any

import msgspec
import pytest

from gateway.door.call import Era
from gateway.upstream.mcp_request import (
    MAX_SESSION_BYTES,
    Talk,
    body_of,
    fixed_headers,
    headers_of,
    param_headers_of,
    params_of,
    passed_on,
    session_of,
)

NEW = Talk(era=Era.MODERN, protocol="2026-07-28")
OLD = Talk(era=Era.LEGACY, protocol="2025-11-25", session=b"s1")
CLIENT = {"name": "countersign", "version": "0"}


def test_the_only_authorization_is_the_gateways_own() -> None:
    """Where it has one."""
    assert (b"authorization", b"Bearer ours") in fixed_headers("ours")
    assert b"authorization" not in dict(fixed_headers(None))
    with pytest.raises(UnicodeEncodeError):
        fixed_headers("\u20ac")


def test_headers_of_the_new_era() -> None:
    """Method and name are headers too, the name encoded where it would break one."""
    headers = dict(headers_of(NEW, "tools/call", fixed=[], name="pay", params={"Mcp-Param-Region": "eu"}))
    assert headers == {
        b"mcp-method": b"tools/call",
        b"mcp-name": b"pay",
        b"Mcp-Param-Region": b"eu",
        b"mcp-protocol-version": b"2026-07-28",
    }
    odd = dict(headers_of(NEW, "tools/call", fixed=[], name="pay\r\nx: \u20ac"))
    assert odd[b"mcp-name"].startswith(b"=?base64?")


def test_headers_of_the_old_era() -> None:
    """Version and session, but for the very first request, which agrees on them."""
    assert dict(headers_of(OLD, "tools/call", fixed=[], name="pay")) == {
        b"mcp-protocol-version": b"2025-11-25",
        b"mcp-session-id": b"s1",
    }
    assert headers_of(Talk(era=Era.LEGACY, protocol="x"), "initialize", fixed=[]) == []


def test_the_fixed_headers_are_not_touched() -> None:
    """One list serves all requests."""
    fixed = fixed_headers(None)
    headers_of(OLD, "ping", fixed=fixed)
    assert fixed == fixed_headers(None)


def test_a_modern_body_says_who_we_are() -> None:
    """And that we can do nothing for the upstream; what a host attached does not override it."""
    forged = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}, "a": 1}
    params = {"name": "pay", "_meta": forged}
    body = msgspec.json.decode(body_of(NEW, "tools/call", params, rpc_id=3, client=CLIENT))
    assert (body["id"], body["method"], body["params"]["name"]) == (3, "tools/call", "pay")
    assert body["params"]["_meta"] == {
        "a": 1,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": CLIENT,
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    }
    assert params == {"name": "pay", "_meta": forged}


def test_an_old_body_is_what_was_asked() -> None:
    """A notification has no id."""
    body = msgspec.json.decode(body_of(OLD, "notifications/initialized", {}, rpc_id=None, client=CLIENT))
    assert body == {"jsonrpc": "2.0", "method": "notifications/initialized", "params": {}}


def test_of_the_hosts_meta_only_the_applications_passes() -> None:
    """What MCP defines describes the host's connection: its capabilities, its progress token, its log level."""
    meta = {
        "traceparent": "00-x",
        "com.example/a": 1,
        "progressToken": 5,
        "io.modelcontextprotocol/clientCapabilities": {"sampling": {}},
        "io.modelcontextprotocol/logLevel": "debug",
    }
    assert passed_on(meta) == {"traceparent": "00-x", "com.example/a": 1}


@pytest.mark.parametrize("value", [None, b""])
def test_no_session_is_none(value: bytes | None) -> None:
    """A server need not have any."""
    assert session_of(value) is None


@pytest.mark.parametrize("value", [b"a b", b"a\tb", b"\xe9", b"x" * (MAX_SESSION_BYTES + 1), b"a\x7f"])
def test_a_session_that_is_none_is_refused(value: bytes) -> None:
    """It would go into every later request."""
    with pytest.raises(ValueError, match="session"):
        session_of(value)
    assert session_of(b"!~" * 10) == b"!~" * 10


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "deep": {"type": "object", "properties": {"n": {"type": "integer", "x-mcp-header": "N"}}},
    },
}


def test_arguments_that_a_server_wants_as_headers() -> None:
    """Those that are there, encoded where they would break a header."""
    wanted = param_headers_of(SCHEMA)
    assert params_of(wanted, {"region": "eu", "deep": {"n": 5}}) == {
        "Mcp-Param-Region": "eu",
        "Mcp-Param-N": "5",
    }
    assert params_of(wanted, {"region": None}) == {}
    assert params_of(wanted, {"region": "a\r\nb"})["Mcp-Param-Region"].startswith("=?base64?")
    assert params_of(None, {"region": "eu"}) == {}


@pytest.mark.parametrize(
    "schema",
    [
        None,
        True,
        {"properties": {"a": {"type": "string", "x-mcp-header": "a b"}}},
        {"properties": {"a": {"type": "string", "x-mcp-header": "a\r\nb"}}},
        {"properties": {"a": {"type": "object", "x-mcp-header": "A"}}},
        {"properties": {"a": {"type": "string", "x-mcp-header": 5}}},
        {"x-mcp-header": "A"},
    ],
)
def test_a_wrong_wish_is_none(schema: Any) -> None:
    """No header of an upstream's making breaks a request."""
    assert param_headers_of(schema) == {}
