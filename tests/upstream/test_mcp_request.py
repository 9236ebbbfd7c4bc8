"""A request as bytes, in the server's era; it never saw the caller's token."""

from typing import Any

import msgspec
import pytest

from gateway.door.call import Era
from gateway.upstream.mcp_request import (
    MAX_SESSION_BYTES,
    Talk,
    body_of,
    capabilities_of,
    headers_of,
    meta_of,
    name_of,
    opened_with,
    param_headers_of,
    params_of,
    session_of,
    stream_headers_of,
)

NEW = Talk(era=Era.MODERN, protocol="2026-07-28")
OLD = Talk(era=Era.LEGACY, protocol="2025-11-25", session=b"s1")
CLIENT = {"name": "countersign", "version": "0"}


FIXED = {b"content-type": b"application/json", b"accept": b"application/json, text/event-stream"}


def test_the_only_authorization_is_the_gateways_own() -> None:
    """Where it has one."""
    assert dict(headers_of(OLD, "ping", authorization=b"Bearer ours"))[b"authorization"] == b"Bearer ours"
    assert b"authorization" not in dict(headers_of(OLD, "ping"))
    assert dict(stream_headers_of(OLD, authorization=b"x"))[b"authorization"] == b"x"
    assert b"authorization" not in dict(stream_headers_of(OLD, authorization=None))


def test_headers_of_the_new_era() -> None:
    """Method and name are headers too, the name encoded where it would break one."""
    headers = dict(headers_of(NEW, "tools/call", name="pay", params={"Mcp-Param-Region": "eu"}))
    assert headers == {
        **FIXED,
        b"mcp-method": b"tools/call",
        b"mcp-name": b"pay",
        b"Mcp-Param-Region": b"eu",
        b"mcp-protocol-version": b"2026-07-28",
    }
    odd = dict(headers_of(NEW, "tools/call", name="pay\r\nx: \u20ac"))
    assert odd[b"mcp-name"].startswith(b"=?base64?")


def test_headers_of_the_old_era() -> None:
    """Version and session, but for the very first request, which agrees on them."""
    assert dict(headers_of(OLD, "tools/call", name="pay")) == {
        **FIXED,
        b"mcp-protocol-version": b"2025-11-25",
        b"mcp-session-id": b"s1",
    }
    assert dict(headers_of(Talk(era=Era.LEGACY, protocol="x"), "initialize")) == FIXED
    assert dict(stream_headers_of(OLD, authorization=None, last_id=b"e1")) == {
        b"accept": b"text/event-stream",
        b"mcp-protocol-version": b"2025-11-25",
        b"mcp-session-id": b"s1",
        b"last-event-id": b"e1",
    }


def test_a_modern_body_says_who_we_are() -> None:
    """And what the host can do, as it was declared; what a host attached does not override it."""
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
    declared: dict[str, Any] = {"elicitation": {}}
    body = msgspec.json.decode(
        body_of(NEW, "tools/call", params, rpc_id=3, client=CLIENT, capabilities=declared)
    )
    assert body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] == declared


def test_an_old_body_is_what_was_asked() -> None:
    """A notification has no id."""
    body = msgspec.json.decode(body_of(OLD, "notifications/initialized", {}, rpc_id=None, client=CLIENT))
    assert body == {"jsonrpc": "2.0", "method": "notifications/initialized", "params": {}}


def test_of_the_hosts_meta_what_describes_its_connection_stays() -> None:
    """And what only the gateway says; an older server knows nothing of the rest that MCP defines."""
    meta = {
        "traceparent": "00-x",
        "com.example/a": 1,
        "progressToken": 5,
        "dev.countersign/decision": 1,
        "io.modelcontextprotocol/clientCapabilities": {"sampling": {}},
        "io.modelcontextprotocol/clientInfo": {},
        "io.modelcontextprotocol/protocolVersion": "x",
        "io.modelcontextprotocol/logLevel": "debug",
    }
    old = {"traceparent": "00-x", "com.example/a": 1, "progressToken": 5}
    assert meta_of(meta, Era.LEGACY) == old
    assert meta_of(meta, Era.MODERN) == {**old, "io.modelcontextprotocol/logLevel": "debug"}
    assert meta_of(None, Era.MODERN) == meta_of([], Era.LEGACY) == {}


def test_capabilities_less_what_would_outlive_the_call() -> None:
    """A task goes on after what was judged is over."""
    tasks = "io.modelcontextprotocol/tasks"
    declared: dict[str, Any] = {
        "elicitation": {},
        "tasks": {},
        "extensions": {tasks: {}, "com.example/x": {}},
        "other": 1,
    }
    assert capabilities_of(declared) == {
        "elicitation": {},
        "extensions": {"com.example/x": {}},
        "other": 1,
    }
    assert tasks in declared["extensions"]
    assert capabilities_of({}) == {}
    assert capabilities_of({"extensions": []}) == {"extensions": []}


def test_an_older_server_is_told_what_it_may_ask() -> None:
    """And nothing else."""
    declared = {
        "elicitation": {"form": {}},
        "roots": {"listChanged": True},
        "sampling": None,
        "experimental": {},
    }
    assert opened_with(declared) == {"elicitation": {"form": {}}, "roots": {"listChanged": True}}


@pytest.mark.parametrize(
    ("method", "params", "name"),
    [
        ("tools/call", {"name": "a", "uri": "b"}, "a"),
        ("prompts/get", {"name": "a"}, "a"),
        ("resources/read", {"name": "a", "uri": "b"}, "b"),
        ("tasks/get", {"taskId": "t"}, "t"),
        ("tools/list", {"name": "a"}, None),
        ("tools/call", {"name": 5}, None),
        ("tools/call", {}, None),
    ],
)
def test_the_name_that_a_method_bears(method: str, params: dict[str, Any], name: str | None) -> None:
    """As the server compares it with the body."""
    assert name_of(method, params) == name


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
