"""The MCP endpoint as an ASGI application over a real house."""

import asyncio
import dataclasses
import logging
from collections.abc import MutableMapping
from typing import Any

import msgspec
import pytest
from mcp_types import DiscoverResult, InitializeResult, JSONRPCError, ListToolsResult

from gateway.door.endpoint import STRANGER_BODY_BYTES, McpEndpoint
from gateway.door.http import Guard
from gateway.door.protocol import LEGACY, META_CAPABILITIES, META_PROTOCOL
from gateway.errors import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNSUPPORTED_PROTOCOL_VERSION,
)
from gateway.identity.challenge import Access
from gateway.identity.verifier import Identity
from gateway.walk import House as Rooms
from tests.support.house import AGENT_TOKEN, House
from tests.support.messages import MODERN, legacy_body, meta, modern_body

Event = MutableMapping[str, Any]
GUARD = Guard(hosts=frozenset({"127.0.0.1"}), origins=frozenset())


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back; ``status`` 0 when nothing did."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body as JSON."""
        read: dict[str, Any] = msgspec.json.decode(self.body)
        return read


def endpoint_of(
    rooms: Rooms, *, max_body_bytes: int = 1024 * 1024, metadata: str | None = None
) -> McpEndpoint:
    """An endpoint of its own over these rooms."""
    return McpEndpoint(
        rooms,
        GUARD,
        default_server="paypal",
        version="1.2.3",
        max_body_bytes=max_body_bytes,
        access=Access(metadata={"": metadata} if metadata else {}),
    )


async def post(
    endpoint: McpEndpoint,
    body: Any,
    *,
    path: str = "/mcp",
    method: str = "POST",
    token: str | None = AGENT_TOKEN,
    era: str = "modern",
    name: str | None = None,
    changed: dict[bytes, bytes | None] | None = None,
    gone: bool = False,
) -> Answer:
    """One request through ASGI, with the headers that belong to its body unless changed."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    fields: dict[bytes, bytes | None] = {
        b"host": b"127.0.0.1",
        b"content-type": b"application/json",
        b"authorization": f"Bearer {token}".encode() if token else None,
        b"mcp-protocol-version": MODERN.encode() if era == "modern" else LEGACY[0].encode(),
    }
    if era == "modern" and isinstance(body, dict):
        fields[b"mcp-method"] = str(body.get("method")).encode()
        called = name or body.get("params", {}).get("name")
        fields[b"mcp-name"] = str(called).encode() if called else None
    fields |= changed or {}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(key, value) for key, value in fields.items() if value is not None],
    }
    events: list[Event] = [
        {"type": "http.disconnect"} if gone else {"type": "http.request", "body": raw, "more_body": False}
    ]
    sent: list[Event] = []

    async def receive() -> Event:
        return events.pop(0)

    async def send(event: Event) -> None:
        sent.append(event)

    await endpoint(scope, receive, send)
    if not sent:
        return Answer(status=0, headers={}, body=b"")
    start, content = sent
    return Answer(status=start["status"], headers=dict(start["headers"]), body=content["body"])


@pytest.fixture(scope="module")
def endpoint(house: House) -> McpEndpoint:
    """An endpoint over the running house's rooms."""
    return endpoint_of(house.gateway.house)


def error_of(answer: Answer) -> tuple[int, str]:
    """JSON-RPC code and our own code, of an answer that is a valid JSON-RPC error with a call id."""
    error = JSONRPCError.model_validate_json(answer.body).error
    assert isinstance(error.data, dict)
    assert len(error.data["call_id"]) == 36
    return error.code, error.data["code"]


def last_record(house: House, phase: str = "call") -> dict[str, Any]:
    """The newest audit record of a phase."""
    return house.records(phase)[-1]


async def test_a_call_goes_through(house: House, endpoint: McpEndpoint) -> None:
    """200, the id echoed, and a record of it."""
    body = modern_body(params={"name": "list_invoices", "arguments": {}}, id="call-é")
    answer = await post(endpoint, body)
    assert (answer.status, answer.document["id"]) == (200, "call-é")
    assert answer.document["result"]["resultType"] == "complete"
    record = last_record(house)
    assert (record["tool"], record["status"], record["outcome"]) == ("list_invoices", "executed", "allow")


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/mcp/paypal"])
async def test_the_first_server_has_no_name_to_be_called_by(endpoint: McpEndpoint, path: str) -> None:
    """And its name all the same."""
    assert endpoint.serves(path)
    answer = await post(endpoint, modern_body("tools/list"), path=path)
    assert ListToolsResult.model_validate(answer.document["result"]).tools


@pytest.mark.parametrize("path", ["/", "/mcpx", "/console", "/MCP", "/mc"])
async def test_other_paths_are_not_for_it(endpoint: McpEndpoint, path: str) -> None:
    """The console's and the health checks'."""
    assert not endpoint.serves(path)


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PUT", "HEAD"])
async def test_only_post_is_served(endpoint: McpEndpoint, method: str) -> None:
    """405, as both eras allow; no stream is opened, no session ended."""
    answer = await post(endpoint, b"", method=method)
    assert answer.status == 405
    assert answer.headers[b"allow"] == b"POST"


@pytest.mark.parametrize("tool", ["tools/call", "tools/list", "server/discover", "nonsense"])
@pytest.mark.parametrize("path", ["/mcp/nowhere", "/mcp//", "/mcp/paypal/", "/mcp/../paypal"])
async def test_a_server_that_is_not_there(house: House, endpoint: McpEndpoint, tool: str, path: str) -> None:
    """-32602 in every method, and recorded."""
    answer = await post(endpoint, modern_body(tool), path=path)
    assert answer.status == 400
    assert error_of(answer)[0] == INVALID_PARAMS
    assert last_record(house, "list" if tool == "tools/list" else "call")["status"] == "refused"


async def test_a_tool_that_is_not_there(house: House, endpoint: McpEndpoint) -> None:
    """A protocol error, not a result (2025-11-25/server/tools)."""
    answer = await post(endpoint, modern_body(params={"name": "pay_me", "arguments": {}}))
    assert (answer.status, error_of(answer)) == (400, (INVALID_PARAMS, "catalog.unknown_tool"))
    assert last_record(house)["error"] == "catalog.unknown_tool"


async def test_discover_and_initialize_and_ping(endpoint: McpEndpoint) -> None:
    """Each in its era."""
    discovered = await post(endpoint, modern_body("server/discover"))
    DiscoverResult.model_validate(discovered.document["result"])
    body = legacy_body("initialize", params={"protocolVersion": "2025-06-18", "capabilities": {}})
    initialized = await post(endpoint, body, era="legacy", changed={b"mcp-protocol-version": None})
    result = InitializeResult.model_validate(initialized.document["result"])
    assert result.protocol_version == "2025-06-18"
    assert len(initialized.headers[b"mcp-session-id"]) >= 43
    assert (await post(endpoint, legacy_body("ping"), era="legacy")).document["result"] == {}


@pytest.mark.parametrize(
    ("era", "method"),
    [
        ("modern", "initialize"),
        ("modern", "ping"),
        ("legacy", "server/discover"),
        ("modern", "resources/subscribe"),
        ("modern", "logging/setLevel"),
        ("legacy", "subscriptions/listen"),
        ("legacy", "tasks/list"),
        ("modern", "notifications/cancelled"),
        ("legacy", "x" * 5_000),
    ],
)
async def test_unknown_methods(house: House, endpoint: McpEndpoint, era: str, method: str) -> None:
    """404 with -32601; an older host reads an error only from a 200. Recorded, and the name is cut."""
    body = modern_body(method) if era == "modern" else legacy_body(method)
    answer = await post(endpoint, body, era=era)
    assert answer.status == (404 if era == "modern" else 200)
    assert error_of(answer) == (METHOD_NOT_FOUND, "door.unknown_method")
    assert len(answer.body) < 500
    assert last_record(house)["error"] == "door.unknown_method"


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_notification_is_accepted_and_does_nothing(
    house: House, endpoint: McpEndpoint, era: str
) -> None:
    """202, no body."""
    before = house.paypal_calls
    message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    answer = await post(endpoint, message, era=era)
    assert (answer.status, answer.body) == (202, b"")
    assert house.paypal_calls == before


async def test_an_answer_to_a_question_nobody_asked_is_refused(house: House, endpoint: McpEndpoint) -> None:
    """400 to a host of the older era, whether or not it has a session, and a record of it."""
    reply = {"jsonrpc": "2.0", "id": "countersign-1", "result": {"action": "accept"}}
    body = legacy_body("initialize", params={"protocolVersion": LEGACY[0], "capabilities": {}})
    opened = await post(endpoint, body, era="legacy")
    sessions: list[dict[bytes, bytes | None]] = [{}, {b"mcp-session-id": opened.headers[b"mcp-session-id"]}]
    for changed in sessions:
        answer = await post(endpoint, reply, era="legacy", changed=changed)
        assert answer.status == 400
        assert answer.document["error"]["data"]["code"] == "door.response_unknown"
        assert last_record(house)["error"] == "door.response_unknown"


@pytest.mark.parametrize("method", ["tools/call", "tools/list"])
async def test_a_call_without_an_id_is_refused_and_recorded(
    house: House, endpoint: McpEndpoint, method: str
) -> None:
    """Not accepted in silence, and not left out of the audit."""
    body = legacy_body(method)
    del body["id"]
    before = len(house.records())
    assert (await post(endpoint, body, era="legacy")).status == 400
    assert [one["error"] for one in house.records()[before:]] == ["door.malformed"]


@pytest.mark.parametrize(
    "body",
    [
        modern_body("tools/list"),
        modern_body(),
        modern_body("server/discover"),
        {"jsonrpc": "2.0", "method": "notifications/x"},
    ],
)
async def test_nothing_is_answered_to_strangers(
    house: House, endpoint: McpEndpoint, body: dict[str, Any]
) -> None:
    """401 with a challenge, whatever is asked; one record each."""
    before = len(house.records()) + len(house.records("list"))
    for token in (None, "unsafe-wrong-token-of-nobody-0009"):
        answer = await post(endpoint, body, token=token)
        assert answer.status == 401
        assert answer.headers[b"www-authenticate"].startswith(b"Bearer")
        assert error_of(answer)[0] == 4010
        assert (token or "Bearer x").encode() not in answer.body
    assert len(house.records()) + len(house.records("list")) == before + 2


async def test_the_challenge_points_to_the_metadata(house: House) -> None:
    """RFC 9728, where there is an authorization server to point to."""
    url = "https://gateway.example/.well-known/oauth-protected-resource/mcp"
    endpoint = endpoint_of(house.gateway.house, metadata=url)
    answer = await post(endpoint, modern_body("tools/list"), token=None)
    assert answer.headers[b"www-authenticate"] == f'Bearer resource_metadata="{url}"'.encode()
    answer = await post(endpoint, modern_body("tools/list"), token="unsafe-wrong-token-of-nobody-0009")
    assert b'error="invalid_token"' in answer.headers[b"www-authenticate"]


@pytest.mark.parametrize(
    "value", [b"Basic dTpw", b"Bearer", b"Bearer a b", b"Bearer \xff", b"", b"Bearer a,Bearer b"]
)
async def test_a_malformed_credential_is_refused_before_the_body_is_read(
    house: House, endpoint: McpEndpoint, value: bytes
) -> None:
    """And the connection with the unread body is closed."""
    answer = await post(endpoint, modern_body("tools/list"), changed={b"authorization": value})
    assert (answer.status, error_of(answer)) == (401, (4010, "identity.token_malformed"))
    assert answer.headers[b"connection"] == b"close"
    assert last_record(house)["error"] == "identity.token_malformed"


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({b"host": b"evil.example"}, 403, "door.host"),
        ({b"origin": b"https://evil.example"}, 403, "door.origin"),
        ({b"content-type": b"text/plain"}, 415, "door.media_type"),
        ({b"content-encoding": b"gzip"}, 415, "door.media_type"),
        ({b"accept": b"text/event-stream"}, 406, "door.not_acceptable"),
        ({b"content-length": b"9999999"}, 413, "door.too_large"),
    ],
)
async def test_what_is_refused_unread_is_recorded_and_closes(
    house: House, endpoint: McpEndpoint, changed: dict[bytes, bytes | None], status: int, code: str
) -> None:
    """Before parsing, with an id of null, and nothing left on the connection to be read as a next request."""
    answer = await post(endpoint, modern_body("tools/list"), changed=changed)
    assert (answer.status, error_of(answer)[1], answer.document["id"]) == (status, code, None)
    assert answer.headers[b"connection"] == b"close"
    assert last_record(house)["error"] == code


async def test_a_large_body_of_a_stranger_is_not_parsed(house: House, endpoint: McpEndpoint) -> None:
    """Strict parsing costs processor time; a stranger gets a little of it and not half a second."""
    broken = b"[" + b" " * STRANGER_BODY_BYTES
    answer = await post(endpoint, broken, token=None)
    assert (answer.status, error_of(answer)[1]) == (401, "identity.token_missing")
    assert last_record(house)["error"] == "identity.token_missing"
    assert error_of(await post(endpoint, broken))[0] == PARSE_ERROR
    assert error_of(await post(endpoint, b"[", token=None))[0] == PARSE_ERROR


@pytest.mark.parametrize(
    ("body", "changed", "code"),
    [
        (modern_body("tools/list", params={"_meta": {}}), {}, INVALID_PARAMS),
        (modern_body("tools/list"), {b"mcp-method": b"tools/call"}, HEADER_MISMATCH),
        (modern_body("tools/list"), {b"mcp-protocol-version": b"2025-11-25"}, HEADER_MISMATCH),
        (
            modern_body("tools/list", params={"_meta": {META_PROTOCOL: "2099-01-01", META_CAPABILITIES: {}}}),
            {b"mcp-protocol-version": b"2099-01-01"},
            UNSUPPORTED_PROTOCOL_VERSION,
        ),
        (modern_body(params={"name": "list_invoices", "arguments": 5}), {}, INVALID_PARAMS),
        (modern_body("tools/list", params={"_meta": meta()}, id=77), {b"mcp-method": None}, HEADER_MISMATCH),
    ],
)
async def test_the_id_of_a_refused_request_is_echoed(
    house: House, endpoint: McpEndpoint, body: dict[str, Any], changed: dict[bytes, bytes | None], code: int
) -> None:
    """JSON-RPC 2.0 section 5: null only where the id cannot be told."""
    answer = await post(endpoint, body, changed=changed)
    assert (answer.status, error_of(answer)[0], answer.document["id"]) == (400, code, body["id"])
    assert last_record(house)["status"] == "refused"


async def test_bad_params_of_a_call_are_recorded_once(house: House, endpoint: McpEndpoint) -> None:
    """The walk never began; the door writes the record."""
    before = len(house.records())
    await post(endpoint, legacy_body(params={"name": "list_invoices", "arguments": []}), era="legacy")
    assert [one["error"] for one in house.records()[before:]] == ["door.params"]


async def test_a_client_that_hangs_up_gets_nothing(house: House, endpoint: McpEndpoint) -> None:
    """There is nobody to answer, and it was no request yet."""
    before = len(house.records())
    assert (await post(endpoint, modern_body(), gone=True)).status == 0
    assert len(house.records()) == before


class Broken:
    """A verifier with a defect."""

    async def verify(self, token: Any, server: str) -> None:
        """Fails as a programming mistake does."""
        raise ZeroDivisionError("secret-of-the-operator")


@pytest.mark.parametrize("method", ["tools/call", "tools/list", "server/discover"])
async def test_a_defect_of_ours_is_answered_and_not_leaked(
    house: House, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """500 with the call id; the log has the rest; the audit has exactly one record."""
    rooms = dataclasses.replace(house.gateway.house, identity=Identity([Broken()]))
    before = len(house.records()) + len(house.records("list"))
    with caplog.at_level(logging.ERROR, logger="countersign.door"):
        answer = await post(endpoint_of(rooms), modern_body(method, params={"name": "list_invoices"}))
    assert (answer.status, error_of(answer)) == (500, (INTERNAL_ERROR, "internal"))
    assert b"secret" not in answer.body
    assert b"ZeroDivision" not in answer.body
    assert answer.document["error"]["data"]["call_id"] in caplog.text
    assert len(house.records()) + len(house.records("list")) == before + 1


async def test_a_cancelled_request_answers_nothing(house: House) -> None:
    """The server takes the task down at shutdown: nothing is swallowed."""

    class Stuck:
        async def verify(self, token: Any, server: str) -> None:
            raise asyncio.CancelledError

    rooms = dataclasses.replace(house.gateway.house, identity=Identity([Stuck()]))
    with pytest.raises(asyncio.CancelledError):
        await post(endpoint_of(rooms), modern_body("tools/list"))


async def test_a_list_is_private_to_who_asked(endpoint: McpEndpoint) -> None:
    """Filtered lists are never shared between access tokens (server/utilities/caching)."""
    result = (await post(endpoint, modern_body("tools/list"))).document["result"]
    assert (result["cacheScope"], result["resultType"]) == ("private", "complete")
    assert result["ttlMs"] > 0
    legacy = (await post(endpoint, legacy_body("tools/list"), era="legacy")).document["result"]
    assert set(legacy) == {"tools"}
    assert legacy["tools"] == result["tools"]
