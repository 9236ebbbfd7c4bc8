"""Requests that no host sends, as bytes on a real socket.

Each one is refused with the right code and never with a failure of ours, leaves an audit record, reaches nothing of
PayPal, and is told nothing that it may not know.
"""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from gateway.errors import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNSUPPORTED_PROTOCOL_VERSION,
)
from tests.properties.conftest import MAX_BODY_BYTES
from tests.support.house import AGENT_TOKEN, House
from tests.support.messages import MODERN, legacy_body, meta, modern_body
from tests.support.raw_http import Reply, exchange, head, one, request

UNTELLABLE = (AGENT_TOKEN, "simulator-secret", "Traceback", "/gateway/", "site-packages", ".py:", '.py\\"')


class Attack:
    """Sends to one house, and holds what every hostile request must keep."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.host = house.url.removeprefix("http://")

    def fields(self, body: Any = None, changed: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """The headers a good host would send with this body, then changed."""
        found: dict[str, str | None] = {
            "Host": self.host,
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "Authorization": f"Bearer {AGENT_TOKEN}",
            "MCP-Protocol-Version": "2025-11-25",
        }
        params = body.get("params") if isinstance(body, dict) else None
        if isinstance(params, dict) and "_meta" in params:
            name = params.get("name")
            found |= {
                "MCP-Protocol-Version": MODERN,
                "Mcp-Method": str(body.get("method")),
                "Mcp-Name": name if isinstance(name, str) else None,
            }
        found |= changed or {}
        return {key: value for key, value in found.items() if value is not None}

    async def send(
        self,
        body: Any,
        changed: Mapping[str, str | None] | None = None,
        *,
        method: str = "POST",
        path: str = "/mcp",
    ) -> Reply:
        """One request; body as bytes or as a document."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await one(self.house.url, request(raw, self.fields(body, changed), method=method, path=path))


@pytest.fixture
async def attack(house: House) -> AsyncIterator[Attack]:
    """Afterwards PayPal has not been contacted, and the audit has grown."""
    calls, records = house.paypal_calls, _records(house)
    yield Attack(house)
    assert house.paypal_calls == calls
    assert _records(house) > records


@pytest.fixture
async def harmless(house: House) -> AsyncIterator[Attack]:
    """The same for what is nothing to record."""
    calls = house.paypal_calls
    yield Attack(house)
    assert house.paypal_calls == calls


def _records(house: House) -> int:
    return len(house.records()) + len(house.records("list"))


def check(reply: Reply, status: int, rpc_code: int | None, code: str | None = None) -> None:
    """The refusal is the expected one and says nothing it must not."""
    assert (reply.status, reply.rpc_code) == (status, rpc_code), reply
    if code is not None:
        assert reply.code == code
    text = reply.body.decode()
    assert not [word for word in UNTELLABLE if word in text]
    assert reply.document["jsonrpc"] == "2.0"
    assert "result" not in reply.document


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "door.json"),
        (b"{", "door.json"),
        (b"nonsense", "door.json"),
        (b'{"jsonrpc":"2.0",}', "door.json"),
        (b"\x00\x01\x02", "door.json"),
        (b"\xff\xfe", "door.encoding"),
        (b"\xef\xbb\xbf{}", "door.encoding"),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', "door.duplicate_key"),
        (
            b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_invoices",'
            b'"arguments":{"page":1,"p\\u0061ge":2}}}',
            "door.duplicate_key",
        ),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":NaN}}', "door.number"),
        (b'{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', "door.number"),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":1e999}}', "door.number"),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"\\ud800"}}', "door.surrogate"),
        (b"[" * 30_000, "door.depth"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "door.depth"),
        (b'["' + b'\\"' * 30_000, "door.json"),
    ],
    ids=lambda value: repr(value[:40]),
)
async def test_what_is_no_strict_json(attack: Attack, body: bytes, code: str) -> None:
    """-32700 and which rule."""
    check(await attack.send(body), 400, PARSE_ERROR, code)


WRONG: list[Any] = [None, True, 7, 1.5, "x", [], {}, [[]], {"a": {"b": []}}]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize("member", ["jsonrpc", "id", "method", "params"])
async def test_a_wrong_type_of_every_member_of_the_message(attack: Attack, member: str, wrong: Any) -> None:
    """Where it is another good message (a text as id, an object as params) it is refused for something else."""
    reply = await attack.send({**legacy_body("nonsense"), member: wrong})
    good: dict[str, tuple[type, ...]] = {"id": (int, str), "method": (str,), "params": (dict,)}
    if type(wrong) in good.get(member, ()):
        check(reply, 200, METHOD_NOT_FOUND)
    else:
        check(reply, 400, INVALID_PARAMS if member == "params" else INVALID_REQUEST)


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize("member", ["name", "arguments", "_meta", "requestState", "inputResponses"])
@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_wrong_type_of_every_member_of_a_call(
    attack: Attack, era: str, member: str, wrong: Any
) -> None:
    """A call that would move money, with one member that is not what it must be: never a result that executed."""
    params = {"name": "create_refund", "arguments": {"capture_id": "2GG279541U471931P"}, member: wrong}
    body = modern_body(params=params) if era == "modern" else legacy_body(params=params)
    reply = await attack.send(body, {"Mcp-Name": "create_refund"} if era == "modern" else None)
    assert reply.status < 500
    assert reply.document.get("result", {}).get("_meta", {}).get("dev.countersign/decision", {}).get(
        "status"
    ) in {
        None,
        "refused",
        "handshake_required",
        "confirmation_required",
    }
    assert not [word for word in UNTELLABLE if word in reply.body.decode()]


@pytest.mark.parametrize(
    ("changed", "status", "rpc_code", "code"),
    [
        ({"Content-Type": None}, 415, INVALID_REQUEST, "door.media_type"),
        ({"Content-Type": "text/plain"}, 415, INVALID_REQUEST, "door.media_type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, INVALID_REQUEST, "door.media_type"),
        ({"Content-Encoding": "gzip"}, 415, INVALID_REQUEST, "door.media_type"),
        ({"Accept": "text/event-stream"}, 406, INVALID_REQUEST, "door.not_acceptable"),
        ({"Host": "evil.example"}, 403, 4030, "door.host"),
        ({"Host": "127.0.0.1.evil.example"}, 403, 4030, "door.host"),
        ({"Host": ""}, 403, 4030, "door.host"),
        ({"Origin": "https://evil.example"}, 403, 4030, "door.origin"),
        ({"Origin": "null"}, 403, 4030, "door.origin"),
        ({"Authorization": None}, 401, 4010, "identity.token_missing"),
        ({"Authorization": "Bearer unsafe-wrong-token-of-nobody-01"}, 401, 4010, "identity.token_invalid"),
        ({"Authorization": "Basic dTpw"}, 401, 4010, "identity.token_malformed"),
        ({"Authorization": "Bearer a, Bearer b"}, 401, 4010, "identity.token_malformed"),
        ({"Authorization": f"Bearer {'x' * 20_000}"}, 401, 4010, "identity.token_malformed"),
        (
            {"MCP-Protocol-Version": "2099-01-01"},
            400,
            UNSUPPORTED_PROTOCOL_VERSION,
            "door.unsupported_version",
        ),
        ({"MCP-Protocol-Version": "\xff"}, 400, UNSUPPORTED_PROTOCOL_VERSION, "door.unsupported_version"),
    ],
    ids=str,
)
async def test_headers_that_are_not_welcome(
    attack: Attack, changed: dict[str, str | None], status: int, rpc_code: int, code: str
) -> None:
    """Each by its own code, on an otherwise good call."""
    reply = await attack.send(legacy_body(), changed)
    check(reply, status, rpc_code, code)
    assert ("www-authenticate" in reply.headers) == (status == 401)


@pytest.mark.parametrize(
    "name",
    ["Host", "Authorization", "Content-Type", "Origin", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"],
)
async def test_a_header_that_comes_twice(attack: Attack, name: str) -> None:
    """Which of the two another hop believed is a guess; also when both say the same."""
    body = modern_body()
    fields = {**attack.fields(body), "Origin": attack.house.url}
    raw = json.dumps(body).encode()
    fields["Content-Length"] = str(len(raw))
    reply = await one(attack.house.url, head(fields, more=f"{name.lower()}: {fields[name]}\r\n") + raw)
    check(reply, *((401, 4010) if name == "Authorization" else (400, HEADER_MISMATCH)))


@pytest.mark.parametrize(
    "changed",
    [
        {"Mcp-Method": "tools/list"},
        {"Mcp-Method": None},
        {"Mcp-Name": "create_refund"},
        {"Mcp-Name": None},
        {"MCP-Protocol-Version": "2025-11-25"},
        {"MCP-Protocol-Version": None},
    ],
    ids=str,
)
async def test_headers_that_contradict_the_body(attack: Attack, changed: dict[str, str | None]) -> None:
    """-32020: somebody on the way may have judged by the header."""
    check(await attack.send(modern_body(), changed), 400, HEADER_MISMATCH, "door.header_mismatch")


@pytest.mark.parametrize("missing", list(meta()))
async def test_a_modern_request_without_its_meta(harmless: Attack, missing: str) -> None:
    """-32602 for the required pair; who the client is may stay unsaid."""
    given = {key: value for key, value in meta().items() if key != missing}
    reply = await harmless.send(modern_body("tools/list", params={"_meta": given}))
    if missing.endswith("clientInfo"):
        assert reply.status == 200
    else:
        check(reply, 400, INVALID_PARAMS)


@pytest.mark.parametrize("body", [[], [legacy_body()], [legacy_body(), modern_body()]], ids=repr)
async def test_a_batch(attack: Attack, body: list[Any]) -> None:
    """One request, one call, one record."""
    check(await attack.send(body), 400, INVALID_REQUEST, "door.batch")


async def test_too_much_that_is_announced(attack: Attack) -> None:
    """413 before a byte of it was sent, and the connection is closed."""
    fields = {**attack.fields(), "Content-Length": str(MAX_BODY_BYTES + 1)}
    reply = await one(attack.house.url, head(fields))
    check(reply, 413, INVALID_REQUEST, "door.too_large")
    assert reply.headers["connection"] == "close"


async def test_too_much_that_is_not_announced(attack: Attack) -> None:
    """Chunk by chunk; 413 at the first byte beyond the limit, while more would come."""
    chunk = b"%x\r\n%s\r\n" % (4096, b" " * 4096)
    pieces = [chunk] * (MAX_BODY_BYTES // 4096) + [b"1\r\nx\r\n"]
    reply = await one(attack.house.url, head({**attack.fields(), "Transfer-Encoding": "chunked"}), *pieces)
    check(reply, 413, INVALID_REQUEST, "door.too_large")


async def test_a_good_call_in_single_bytes_is_a_good_call(house: House) -> None:
    """However the bytes are cut: one call."""
    attack = Attack(house)
    body = json.dumps(legacy_body("tools/list")).encode()
    raw = request(body, attack.fields())
    reply = await one(house.url, *(raw[n : n + 1] for n in range(len(raw))))
    assert reply.status == 200
    assert reply.document["result"]["tools"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PUT", "PATCH", "HEAD", "TRACE"])
async def test_other_http_methods(harmless: Attack, method: str) -> None:
    """405, no body, nothing is opened or kept."""
    fields = harmless.fields()
    (reply,) = await exchange(
        harmless.house.url, head({**fields, "Content-Length": "0", "Connection": "close"}, method=method)
    )
    assert reply.status == 405
    assert reply.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "path", ["/mcp/nowhere", "/mcp/%2e%2e/paypal", "/mcp/paypal%2f", "/mcp/" + "x" * 5_000, "/mcp/%00"]
)
async def test_servers_that_are_not_there(attack: Attack, path: str) -> None:
    """-32602; a legacy host reads it from a 200."""
    check(await attack.send(legacy_body(), path=path), 200, INVALID_PARAMS)
    check(await attack.send(modern_body(), path=path), 400, INVALID_PARAMS)


@pytest.mark.parametrize("path", ["/", "/MCP", "/mcpx", "//mcp", "/console/../mcp", "/%6dcp"])
async def test_other_paths_are_not_a_way_around(harmless: Attack, path: str) -> None:
    """Not found, or the endpoint itself with all of its rules."""
    reply = await harmless.send(legacy_body(), {"Authorization": None}, path=path)
    assert reply.status in {401, 404, 405}


@pytest.mark.parametrize(
    "tool", ["pay_me", "CREATE_REFUND", "create_refund ", "create_refund\u0000", "x" * 128, "*", "../x"]
)
async def test_tools_that_are_not_there(attack: Attack, tool: str) -> None:
    """An unknown name is a protocol error, not a result that a model could take for an outcome."""
    params = {"name": tool, "arguments": {}}
    check(await attack.send(legacy_body(params=params)), 200, INVALID_PARAMS, "catalog.unknown_tool")


@pytest.mark.parametrize(
    "method", ["tasks/get", "resources/Read", "tools/Call", "sampling/createMessage", "x\u0000", "__init__"]
)
async def test_methods_that_are_not_served(attack: Attack, method: str) -> None:
    """-32601."""
    check(await attack.send(legacy_body(method, params={})), 200, METHOD_NOT_FOUND, "door.unknown_method")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"capture_id": 7},
        {"capture_id": None},
        {"capture_id": "2GG279541U471931P", "amount": "all of it"},
        {"capture_id": "2GG279541U471931P", "amount": {"value": -1, "currency_code": "USD"}},
        {"capture_id": ["2GG279541U471931P"]},
        {"capture_id": "../../v1/payments/payouts"},
    ],
    ids=repr,
)
async def test_arguments_that_do_not_fit(attack: Attack, arguments: dict[str, Any]) -> None:
    """Refused as a result that says why; nothing is sent, nothing is asked of a person."""
    reply = await attack.send(modern_body(params={"name": "create_refund", "arguments": arguments}))
    assert reply.status == 200
    result = reply.document["result"]
    assert result["isError"] is True
    assert result["_meta"]["dev.countersign/decision"]["status"] == "refused"
    assert not [word for word in UNTELLABLE if word in reply.body.decode()]


@pytest.mark.parametrize(
    "method", ["notifications/cancelled", "notifications/initialized", "notifications/nonsense"]
)
async def test_notifications_do_nothing(harmless: Attack, method: str) -> None:
    """202 and silence."""
    reply = await harmless.send({"jsonrpc": "2.0", "method": method, "params": {"requestId": 1}})
    assert (reply.status, reply.body) == (202, b"")


@pytest.mark.parametrize(
    "outcome", [{"result": {"action": "accept"}}, {"error": {"code": 1, "message": "x"}}], ids=str
)
async def test_answers_that_nobody_asked_for_do_nothing(harmless: Attack, outcome: dict[str, Any]) -> None:
    """An accepted elicitation that was never sent confirms nothing, and is refused."""
    reply = await harmless.send({"jsonrpc": "2.0", "id": "dev.countersign/confirm", **outcome})
    assert reply.status == 400
    assert reply.document["error"]["data"]["code"] == "door.response_unknown"


async def test_a_call_that_calls_itself_a_notification(attack: Attack) -> None:
    """No id, no call."""
    body = legacy_body(params={"name": "create_refund", "arguments": {}})
    del body["id"]
    check(await attack.send(body), 400, INVALID_REQUEST)


async def test_a_strangers_token_of_a_phase_is_worth_nothing(attack: Attack) -> None:
    """A guessed requestState is refused, and burns nobody else's."""
    params = {
        "name": "create_refund",
        "arguments": {"capture_id": "2GG279541U471931P"},
        "requestState": "0" * 64,
    }
    reply = await attack.send(modern_body(params=params))
    check(reply, 400, INVALID_PARAMS, "handshake.token_unknown")


async def test_requests_in_a_row_on_one_connection(house: House) -> None:
    """Pipelined: as many answers, in order, each to its own request."""
    attack = Attack(house)
    bodies: list[Any] = [
        legacy_body("tools/list", id="a"),
        legacy_body("nonsense", id="b"),
        legacy_body("ping", id="c"),
    ]
    raw = b"".join(request(json.dumps(body).encode(), attack.fields()) for body in bodies)
    replies = await exchange(house.url, raw, replies=3)
    assert [reply.document["id"] for reply in replies] == ["a", "b", "c"]
    assert ["error" in reply.document for reply in replies] == [False, True, False]


async def test_an_unread_body_is_never_the_next_request(harmless: Attack) -> None:
    """What follows a refusal that did not read the body is not answered: the connection is closed."""
    inner = request(json.dumps(legacy_body("tools/list", id="smuggled")).encode(), harmless.fields())
    fields = {**harmless.fields(), "Host": "evil.example", "Content-Length": str(len(inner) + 10)}
    replies = await exchange(harmless.house.url, head(fields) + inner, replies=2)
    assert [reply.status for reply in replies] == [403]


SMUGGLING = [
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "Content-Length: 5\r\nContent-Length: 6\r\n",
    "Content-Length: 5, 6\r\n",
    "Content-Length: +5\r\n",
    "Content-Length: -1\r\n",
    "Content-Length: 0x5\r\n",
    "Content-Length: 99999999999999999999999\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding:\x0bchunked\r\n",
    "X: a\r\n Transfer-Encoding: chunked\r\n",
    "X: a\nTransfer-Encoding: chunked\r\n",
    "X\x00: a\r\n",
]


@pytest.mark.parametrize("framing", SMUGGLING, ids=repr)
async def test_framings_that_two_servers_would_read_differently(harmless: Attack, framing: str) -> None:
    """Refused by the HTTP parser or answered as one request; the call that was smuggled in is never made."""
    smuggled = request(json.dumps(legacy_body(id="smuggled")).encode(), harmless.fields())
    raw = head(harmless.fields(), more=framing) + b"0\r\n\r\n" + smuggled
    before = len([record for record in harmless.house.records() if record["status"] == "executed"])
    replies = await exchange(harmless.house.url, raw + b"\r\n\r\n", replies=3)
    assert all(reply.status < 500 for reply in replies)
    assert all(b"smuggled" not in reply.body for reply in replies)
    assert len([record for record in harmless.house.records() if record["status"] == "executed"]) == before


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /mcp\r\n\r\n",
        b"POST /mcp HTTP/9.9\r\n\r\n",
        b"POST  /mcp HTTP/1.1\r\n\r\n",
        b"POST http://evil.example/mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
        b"POST /mcp HTTP/1.1\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
    ids=lambda raw: repr(raw[:30]),
)
async def test_bytes_that_are_hardly_http(harmless: Attack, raw: bytes) -> None:
    """Closed or refused, never a failure of ours; and the next client is served."""
    replies = await exchange(harmless.house.url, raw + b"\x00\r\n\r\n")
    assert all(400 <= reply.status < 500 for reply in replies)
    assert (await harmless.send(legacy_body("ping"))).status == 200
