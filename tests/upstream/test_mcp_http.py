"""Any MCP server over HTTP: the official SDK's in both eras, and servers that misbehave. What was sent and not answered
is unknown, and it was sent once."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
import pytest
from mcp.server import MCPServer
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import UpstreamUnavailable
from gateway.serving import serving
from gateway.upstream.credential import StaticBearer
from gateway.upstream.mcp import MAX_PAGES
from gateway.upstream.mcp_http import McpHttp
from gateway.upstream.target import TRANSACTION_META_KEY, Effect, Reply
from tests.support.scripted_http import Handler, read_request, serve

MODERN, LEGACY = "2026-07-28", "2025-11-25"
HOST_META = {"traceparent": "00-x", "io.modelcontextprotocol/clientCapabilities": {"sampling": {}}}
CALLERS_BEARER = "unsafe-test-token-of-the-agent-0001"


class Sdk:
    """A server on the official SDK, and every header and body that reached it."""

    def __init__(self, *, era: str, json_response: bool, stateless: bool) -> None:
        self.era = era
        self.called: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        server = MCPServer("counter")
        server.add_tool(self._note, name="note")
        server.add_tool(self._fail, name="fail")
        self._app = server.streamable_http_app(json_response=json_response, stateless_http=stateless)
        self.url = ""

    def _note(self, text: str) -> str:
        """Notes a text."""
        self.called.append(("note", text))
        return f"noted {text}"

    def _fail(self) -> str:
        """Fails."""
        self.called.append(("fail", ""))
        raise RuntimeError("out of paper")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The SDK's app; one of the old era does not know the new one's version."""
        if scope["type"] == "http":
            headers = {key.decode(): value.decode() for key, value in scope["headers"]}
            self.headers.append(headers)
            if self.era == LEGACY and headers.get("mcp-protocol-version") == MODERN:
                await send({"type": "http.response.start", "status": 400, "headers": []})
                await send({"type": "http.response.body", "body": b"Bad Request: unsupported version"})
                return
        await self._app(scope, receive, send)


@asynccontextmanager
async def connected(app: ASGIApp, **options: Any) -> AsyncIterator[McpHttp]:
    """An upstream over a real socket."""
    async with serving(app, lifespan=True) as port:
        upstream = McpHttp("other", f"http://127.0.0.1:{port}/mcp", version="0", timeout_s=20, **options)
        try:
            yield upstream
        finally:
            await upstream.aclose()


KINDS = [
    (era, json_response, stateless)
    for era in (MODERN, LEGACY)
    for json_response in (True, False)
    for stateless in (True, False)
]


@pytest.fixture(params=KINDS, ids=str)
async def sdk(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Sdk, McpHttp]]:
    """Each kind of server that the SDK can be."""
    era, json_response, stateless = request.param
    server = Sdk(era=era, json_response=json_response, stateless=stateless)
    async with connected(server, credential=StaticBearer("the-gateways-own-credential")) as upstream:
        yield server, upstream


async def test_the_sdks_tools_are_listed(sdk: tuple[Sdk, McpHttp]) -> None:
    """As it sends them."""
    _, upstream = sdk
    tools = await upstream.definitions()
    assert [tool["name"] for tool in tools] == ["note", "fail"]
    assert tools[0]["inputSchema"]["required"] == ["text"]


async def test_the_sdks_tool_is_called_once(sdk: tuple[Sdk, McpHttp]) -> None:
    """With its arguments, in whatever script; the answer is executed."""
    server, upstream = sdk
    reply = await upstream.call("note", {"text": "Grüße\n日本"}, transaction_id="t1", meta=HOST_META)
    assert server.called == [("note", "Grüße\n日本")]
    assert (reply.effect, reply.is_error, reply.status) == (Effect.EXECUTED, False, 200)
    assert reply.result is not None
    assert msgspec.json.decode(reply.result)["content"][0]["text"] == "noted Grüße\n日本"


async def test_the_sdks_own_error_was_executed(sdk: tuple[Sdk, McpHttp]) -> None:
    """A tool that fails says so in a result."""
    server, upstream = sdk
    reply = await upstream.call("fail", {}, transaction_id="t1", meta={})
    assert (reply.effect, reply.is_error) == (Effect.EXECUTED, True)
    assert server.called == [("fail", "")]


async def test_many_calls_share_one_opening(sdk: tuple[Sdk, McpHttp]) -> None:
    """Twenty at once on a server that nobody has talked to yet: each of them arrives, in the era that was agreed."""
    server, upstream = sdk
    calls = [upstream.call("note", {"text": str(i)}, transaction_id=f"t{i}", meta={}) for i in range(20)]
    replies = await asyncio.gather(*calls)
    assert {reply.effect for reply in replies} == {Effect.EXECUTED}
    assert sorted(text for _, text in server.called) == sorted(str(i) for i in range(20))
    versions = [one.get("mcp-protocol-version") for one in server.headers]
    assert versions.count(MODERN) == (21 if server.era == MODERN else 1)


async def test_the_callers_credentials_never_get_there(sdk: tuple[Sdk, McpHttp]) -> None:
    """The one Authorization is the gateway's own, on every request."""
    server, upstream = sdk
    await upstream.definitions()
    await upstream.call("note", {"text": "x"}, transaction_id="t1", meta=HOST_META)
    assert {one["authorization"] for one in server.headers} == {"Bearer the-gateways-own-credential"}
    assert CALLERS_BEARER not in json.dumps(server.headers)


async def test_a_session_that_ended_is_opened_anew() -> None:
    """The call that met the end was not looked at, and says so; it is not sent again by us, the next one works."""
    first = Sdk(era=LEGACY, json_response=True, stateless=False)
    second = Sdk(era=LEGACY, json_response=True, stateless=False)
    current = first

    async def restarting(scope: Scope, receive: Receive, send: Send) -> None:
        await current(scope, receive, send)

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(lifespan_of(first._app))
        await stack.enter_async_context(lifespan_of(second._app))
        port = await stack.enter_async_context(serving(restarting))
        upstream = McpHttp("other", f"http://127.0.0.1:{port}/mcp", version="0", timeout_s=20)
        stack.push_async_callback(upstream.aclose)
        await upstream.call("note", {"text": "a"}, transaction_id="t1", meta={})
        current = second
        with pytest.raises(UpstreamUnavailable):
            await upstream.call("note", {"text": "b"}, transaction_id="t2", meta={})
        assert second.called == []
        reply = await upstream.call("note", {"text": "c"}, transaction_id="t3", meta={})
        assert reply.effect is Effect.EXECUTED
        assert second.called == [("note", "c")]


@asynccontextmanager
async def lifespan_of(app: Any) -> AsyncIterator[None]:
    """The app's own start and end, without a server."""
    async with app.router.lifespan_context(app):
        yield


# From here on servers of raw bytes: they open properly, and what they do to a call the test writes.

Answering = Callable[[dict[str, Any], asyncio.StreamWriter], Awaitable[None]]


def http(
    body: bytes, *, status: bytes = b"200 OK", kind: bytes = b"application/json", more: bytes = b""
) -> bytes:
    """A whole response."""
    return (
        b"HTTP/1.1 "
        + status
        + b"\r\ncontent-type: "
        + kind
        + b"\r\n"
        + more
        + b"content-length: %d\r\n\r\n" % len(body)
        + body
    )


def said(message: dict[str, Any], **members: Any) -> bytes:
    """The JSON-RPC response to a message."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": message.get("id"), **members})


class Raw:
    """A server of raw bytes that keeps the calls it was sent. ``called`` answers a call, ``listed`` a listing."""

    def __init__(
        self, *, called: Answering | None = None, listed: Answering | None = None, era: str = MODERN
    ) -> None:
        self.calls: list[dict[str, Any]] = []
        self.lists: list[dict[str, Any]] = []
        self.heads: list[bytes] = []
        self._called, self._listed, self._era = called, listed, era

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        while True:
            head, _, body = (await read_request(reader)).partition(b"\r\n\r\n")
            self.heads.append(head)
            message = msgspec.json.decode(body) if body else {}
            match message.get("method"):
                case "tools/call":
                    self.calls.append(message)
                    assert self._called is not None
                    await self._called(message, writer)
                case "tools/list":
                    self.lists.append(message)
                    assert self._listed is not None
                    await self._listed(message, writer)
                case "server/discover" if self._era == MODERN:
                    writer.write(http(said(message, result={"supportedVersions": [MODERN]})))
                case "initialize":
                    result = {"protocolVersion": LEGACY, "capabilities": {}, "serverInfo": {}}
                    writer.write(http(said(message, result=result), more=b"Mcp-Session-Id: s1\r\n"))
                case "notifications/initialized":
                    writer.write(http(b"", status=b"202 Accepted"))
                case _:
                    writer.write(http(b"", status=b"404 Not Found"))
            await writer.drain()


@asynccontextmanager
async def raw_upstream(handler: Handler, *, timeout_s: float = 20) -> AsyncIterator[McpHttp]:
    """An upstream of that server."""
    async with serve(handler) as server:
        upstream = McpHttp("other", f"{server.url}/mcp", version="0", timeout_s=timeout_s)
        try:
            yield upstream
        finally:
            await upstream.aclose()


async def called(raw: Raw, *, timeout_s: float = 20) -> Reply:
    """One call at that server."""
    async with raw_upstream(raw.handle, timeout_s=timeout_s) as upstream:
        return await upstream.call("pay", {"a": 1}, transaction_id="t1", meta={})


def writing(make: Callable[[dict[str, Any]], bytes], *, close: bool = False) -> Answering:
    """Answers with these bytes."""

    async def answer(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(make(message))
        await writer.drain()
        if close:
            writer.close()

    return answer


def stream(*data: bytes) -> bytes:
    """Events."""
    return b"".join(b"event: message\ndata: " + one + b"\n\n" for one in data)


RESULT: dict[str, Any] = {"content": []}
HTML = b"<html>It works!</html>"
SSE = b"text/event-stream"
MISBEHAVING: dict[str, Answering] = {
    "closes at once": writing(lambda _: b"", close=True),
    "closes in the head": writing(lambda _: b"HTTP/1.1 200 OK\r\ncontent-", close=True),
    "closes in the body": writing(lambda m: http(said(m, result=RESULT))[:-3], close=True),
    "speaks no HTTP": writing(lambda _: b"SSH-2.0-OpenSSH_9\r\n", close=True),
    "another id": writing(lambda m: http(said({"id": m["id"] + 1}, result=RESULT))),
    "the id as text": writing(lambda m: http(said({"id": str(m["id"])}, result=RESULT))),
    "no id": writing(lambda m: http(said({}, result=RESULT))),
    "two responses in one body": writing(lambda m: http(said(m, result=RESULT) * 2)),
    "a batch": writing(lambda m: http(b"[" + said(m, result=RESULT) + b"]")),
    "two answers in a stream": writing(lambda m: http(stream(*[said(m, result=RESULT)] * 2), kind=SSE)),
    "a stream without an answer": writing(lambda m: http(stream(said({"id": 999}, result=RESULT)), kind=SSE)),
    "a stream cut short": writing(lambda m: http(stream(said(m, result=RESULT))[:-1], kind=SSE)),
    "an empty stream": writing(lambda m: http(b"", kind=SSE)),
    "an empty body": writing(lambda _: http(b"")),
    "accepted": writing(lambda _: http(b"", status=b"202 Accepted")),
    "a page": writing(lambda _: http(HTML, kind=b"text/html")),
    "a page that says it is JSON": writing(lambda _: http(HTML)),
    "500": writing(lambda _: http(HTML, status=b"500 Internal Server Error", kind=b"text/html")),
    "502 without a body": writing(lambda _: http(b"", status=b"502 Bad Gateway")),
    "503": writing(lambda _: http(b"", status=b"503 Service Unavailable", more=b"retry-after: 1\r\n")),
    "404 without a session": writing(lambda _: http(b"", status=b"404 Not Found")),
    "307 to itself": writing(
        lambda _: http(b"", status=b"307 Temporary Redirect", more=b"location: /mcp\r\n")
    ),
    "302 elsewhere": writing(
        lambda _: http(b"", status=b"302 Found", more=b"location: http://127.0.0.1:1/\r\n")
    ),
    "compressed": writing(lambda m: http(said(m, result=RESULT), more=b"content-encoding: gzip\r\n")),
    "both result and error": writing(
        lambda m: http(said(m, result=RESULT, error={"code": -32602, "message": ""}))
    ),
    "an internal error": writing(lambda m: http(said(m, error={"code": -32603, "message": "half-way"}))),
    "an error with a list for a code": writing(lambda m: http(said(m, error={"code": [], "message": ""}))),
    "asks back": writing(
        lambda m: http(said(m, result={"resultType": "input_required", "requestState": "x"}))
    ),
    "broken text": writing(lambda m: http(said(m, result={"a": "X"}).replace(b"X", b"\xff"))),
    "depth": writing(lambda m: http(said(m, result={"a": 0}).replace(b":0", b":" + b"[" * 50_000))),
    "a request of its own": writing(lambda m: http(said(m, method="sampling/createMessage", params={}))),
}


# In the old era, with a session, 404 says that the session ended: the one status that means "not looked at".
BOTH_ERAS = [
    (how, era) for how in MISBEHAVING for era in (MODERN, LEGACY) if (how[:3], era) != ("404", LEGACY)
]


@pytest.mark.parametrize(("how", "era"), BOTH_ERAS)
async def test_what_was_sent_and_not_answered_is_unknown(how: str, era: str) -> None:
    """It raises nothing, and the call reached the server exactly once (invariant 4)."""
    raw = Raw(called=MISBEHAVING[how], era=era)
    reply = await called(raw)
    assert reply.effect is Effect.UNKNOWN
    assert reply.result is None
    assert len(raw.calls) == 1


async def test_a_server_that_hangs_is_unknown() -> None:
    """At the deadline; the connection is not used again."""

    async def hang(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    raw = Raw(called=hang)
    reply = await called(raw, timeout_s=0.3)
    assert (reply.effect, reply.status) == (Effect.UNKNOWN, None)
    assert len(raw.calls) == 1


async def test_a_stream_that_is_held_open_is_answered() -> None:
    """The server should have closed it after its answer (transports, streamable HTTP); nobody waits for that long."""

    async def hold(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        body = stream(said(message, result=RESULT))
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        writer.write(b"%x\r\n" % len(body) + body + b"\r\n")
        await writer.drain()
        await asyncio.Event().wait()

    raw = Raw(called=hold)
    assert (await called(raw)).effect is Effect.EXECUTED
    assert len(raw.calls) == 1


async def test_whoever_hangs_up_does_not_send_twice() -> None:
    """The caller is gone in the middle; the call stays one."""
    reached = asyncio.Event()

    async def hang(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        reached.set()
        await asyncio.Event().wait()

    raw = Raw(called=hang)
    async with raw_upstream(raw.handle) as upstream:
        task = asyncio.create_task(upstream.call("pay", {}, transaction_id="t1", meta={}))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(raw.calls) == 1


async def test_nobody_there_is_not_sent() -> None:
    """Certain: nothing left."""
    async with serve(Raw().handle) as server:
        url = server.url
    upstream = McpHttp("other", url, version="0", timeout_s=5)
    try:
        for asking in (upstream.definitions(), upstream.call("pay", {}, transaction_id="t", meta={})):
            with pytest.raises(UpstreamUnavailable) as problem:
                await asking
            assert problem.value.code == "upstream.not_sent"
    finally:
        await upstream.aclose()


async def test_a_refusal_before_the_start_passes_on() -> None:
    """With any HTTP status: the server says that the call's form was wrong."""
    error = {"code": -32602, "message": "no such tool", "data": {"x": 1}}
    raw = Raw(called=writing(lambda m: http(said(m, error=error), status=b"400 Bad Request")))
    reply = await called(raw)
    assert (reply.effect, reply.error, reply.status) == (Effect.REFUSED, error, 400)


async def test_a_call_is_written_as_its_era_wants() -> None:
    """Method, name and version as headers in the new era; the session in the old one; the transaction in both."""
    new = Raw(called=writing(lambda m: http(said(m, result=RESULT))))
    await called(new)
    old = Raw(called=writing(lambda m: http(said(m, result=RESULT))), era=LEGACY)
    await called(old)
    assert {b"mcp-method: tools/call", b"mcp-name: pay", b"mcp-protocol-version: 2026-07-28"} <= set(
        new.heads[-1].split(b"\r\n")
    )
    assert {b"mcp-session-id: s1", b"mcp-protocol-version: 2025-11-25"} <= set(old.heads[-1].split(b"\r\n"))
    for raw in (new, old):
        assert raw.calls[0]["params"]["_meta"][TRANSACTION_META_KEY] == "t1"
        assert raw.calls[0]["params"]["arguments"] == {"a": 1}


async def test_arguments_a_server_wants_as_headers_are_sent_as_such() -> None:
    """Once its listing has said so; otherwise a server that checks them refuses every call."""
    schema = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
    tools = [{"name": "pay", "inputSchema": schema}]
    raw = Raw(
        called=writing(lambda m: http(said(m, result=RESULT))),
        listed=writing(lambda m: http(said(m, result={"tools": tools}))),
    )
    async with raw_upstream(raw.handle) as upstream:
        await upstream.definitions()
        await upstream.call("pay", {"region": "eu"}, transaction_id="t1", meta={})
    assert re.search(rb"(?i)\r\nmcp-param-region: eu(\r\n|$)", raw.heads[-1])


def pages(make: Callable[[int], dict[str, Any]]) -> Raw:
    """A server whose n-th page is ``make(n)``."""
    raw = Raw()

    async def listed(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(http(said(message, result=make(len(raw.lists)))))

    raw._listed = listed
    return raw


async def test_pages_are_followed_to_their_end() -> None:
    """By the server's own cursors; what is no definition is left out."""
    made: list[dict[str, Any]] = [
        {"tools": [{"name": "a"}, "x", None], "nextCursor": "2"},
        {"tools": [], "nextCursor": "3"},
        {"tools": [{"name": "b"}], "nextCursor": ""},
    ]
    raw = pages(lambda n: made[n - 1])
    async with raw_upstream(raw.handle) as upstream:
        assert [tool["name"] for tool in await upstream.definitions()] == ["a", "b"]
    assert [one["params"].get("cursor") for one in raw.lists] == [None, "2", "3"]


async def test_a_cursor_without_an_end_is_not_followed_for_ever() -> None:
    """Nor is a list without an end kept."""
    endless = pages(lambda n: {"tools": [], "nextCursor": "again"})
    async with raw_upstream(endless.handle) as upstream:
        with pytest.raises(UpstreamUnavailable):
            await upstream.definitions()
    assert len(endless.lists) == MAX_PAGES
    growing = pages(lambda n: {"tools": [{"name": str(i)} for i in range(3000)], "nextCursor": "more"})
    async with raw_upstream(growing.handle) as upstream:
        with pytest.raises(UpstreamUnavailable):
            await upstream.definitions()
    assert len(growing.lists) == 2


@pytest.mark.parametrize("how", [*MISBEHAVING, "no tools", "tools that are none"])
async def test_a_listing_that_is_none_is_unavailable(how: str) -> None:
    """And nothing else is raised."""
    more = {
        "no tools": writing(lambda m: http(said(m, result={}))),
        "tools that are none": writing(lambda m: http(said(m, result={"tools": {"a": 1}}))),
    }
    raw = Raw(listed=more.get(how) or MISBEHAVING[how])
    async with raw_upstream(raw.handle) as upstream:
        with pytest.raises(UpstreamUnavailable):
            await upstream.definitions()


OPENINGS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "a page": lambda _: http(HTML, kind=b"text/html"),
    "an error": lambda m: http(said(m, error={"code": -32601, "message": "no"})),
    "no version": lambda m: http(said(m, result={})),
    "another version": lambda m: http(
        said(m, result={"protocolVersion": "2030-01-01", "supportedVersions": []})
    ),
    "a list for a version": lambda m: http(
        said(m, result={"protocolVersion": [], "supportedVersions": "all"})
    ),
    "depth": lambda m: http(said(m, result={"a": 0}).replace(b":0", b":" + b"[" * 50_000)),
    "a session that breaks headers": lambda m: http(
        said(m, result={"protocolVersion": LEGACY}), more=b"mcp-session-id: a b\r\n"
    ),
    "a long session": lambda m: http(
        said(m, result={"protocolVersion": LEGACY}), more=b"mcp-session-id: " + b"x" * 5000 + b"\r\n"
    ),
}


@pytest.mark.parametrize("how", OPENINGS)
async def test_a_server_that_cannot_be_opened_is_unavailable(how: str) -> None:
    """No call leaves before it is agreed how to talk, and the next one tries again."""
    seen: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            message = msgspec.json.decode((await read_request(reader)).partition(b"\r\n\r\n")[2])
            seen.append(message["method"])
            writer.write(OPENINGS[how](message))
            await writer.drain()

    async with raw_upstream(handle) as upstream:
        for _ in range(2):
            with pytest.raises(UpstreamUnavailable):
                await upstream.call("pay", {}, transaction_id="t", meta={})
    assert seen == ["server/discover", "initialize"] * 2


async def test_no_call_leaves_while_another_opens() -> None:
    """Attack on the order: a call that overtakes the opening would go out in an era that was only guessed."""
    go_on, opening = asyncio.Event(), asyncio.Event()
    raw = Raw(called=writing(lambda m: http(said(m, result=RESULT))), era=LEGACY)
    plain = raw.handle

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opening.set()
        await go_on.wait()
        await plain(reader, writer)

    async with raw_upstream(slow) as upstream:
        tasks = [
            asyncio.create_task(upstream.call("pay", {"n": i}, transaction_id=f"t{i}", meta={}))
            for i in range(5)
        ]
        await opening.wait()
        await asyncio.sleep(0)
        go_on.set()
        replies = await asyncio.gather(*tasks)
    assert {reply.effect for reply in replies} == {Effect.EXECUTED}
    assert len(raw.calls) == 5
    calls = [head for head in raw.heads if b"mcp-session-id: s1" in head]
    assert len(calls) == 7  # the notification, each call, and the end of the session


async def test_no_credential_means_no_header() -> None:
    """Where the gateway has none for this server."""
    raw = Raw(called=writing(lambda m: http(said(m, result=RESULT))))
    await called(raw)
    assert not any(b"authorization" in head.lower() for head in raw.heads)
