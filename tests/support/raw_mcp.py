"""An MCP server over HTTP whose answers to calls are raw bytes that the test writes; opening and listing are proper."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from gateway.upstream.http_wire import Patience
from gateway.upstream.mcp_http import McpHttp
from tests.support.scripted_http import read_request, serve

MODERN, LEGACY = "2026-07-28", "2025-11-25"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"

Answering = Callable[["Exchange"], Awaitable[None]]


def plain(
    body: bytes, *, status: bytes = b"200 OK", kind: bytes = b"application/json", more: bytes = b""
) -> bytes:
    """A whole response."""
    head = b"HTTP/1.1 " + status + b"\r\ncontent-type: " + kind + b"\r\n" + more
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def event(message: Any, *, head: bytes = b"") -> bytes:
    """One event; bytes are its data as they are."""
    data = message if isinstance(message, bytes) else msgspec.json.encode(message)
    return head + b"data: " + data + b"\n\n"


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n" % len(data) + data + b"\r\n"


class Exchange:
    """One request that arrived, and the way to answer it."""

    def __init__(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.verb = head.split(b" ", 1)[0].decode()
        self.message: dict[str, Any] = msgspec.json.decode(body) if body else {}
        self._writer = writer

    def header(self, name: str) -> str | None:
        """One header, by its lower-case name."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b": ")
            if key.decode().lower() == name:
                return value.decode()
        return None

    async def write(self, data: bytes) -> None:
        """These bytes, now."""
        self._writer.write(data)
        await self._writer.drain()

    async def stream(self, *events: bytes, end: bool = True) -> None:
        """An event stream."""
        await self.write(STREAM + b"".join(chunk(one) for one in events) + (END if end else b""))

    def said(self, **members: Any) -> dict[str, Any]:
        """The JSON-RPC response to it."""
        return {"jsonrpc": "2.0", "id": self.message.get("id"), **members}

    async def answer(self, **members: Any) -> None:
        """Properly."""
        await self.write(plain(msgspec.json.encode(self.said(**members))))

    def hang_up(self) -> None:
        """Without a goodbye."""
        self._writer.transport.abort()


class RawServer:
    """``called`` answers each ``tools/call``, ``got`` each GET. Everything that arrived is in ``seen``."""

    def __init__(self, called: Answering, *, got: Answering | None = None, era: str = LEGACY) -> None:
        self.called, self.got, self.era = called, got, era
        self.seen: list[Exchange] = []
        self.sessions = 0
        self.status = b""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        while True:
            head, _, body = (await read_request(reader)).partition(b"\r\n\r\n")
            one = Exchange(head, body, writer)
            self.seen.append(one)
            await self._answered(one)

    async def _answered(self, one: Exchange) -> None:
        method = one.message.get("method")
        if one.verb == "GET" and self.got is not None:
            await self.got(one)
        elif one.verb != "POST":
            await one.write(plain(b"", status=b"405 Method Not Allowed"))
        elif method == "tools/call":
            await self.called(one)
        elif method == "server/discover" and self.era == MODERN:
            await one.answer(result={"supportedVersions": [MODERN], "capabilities": {}})
        elif method == "initialize":
            self.sessions += 1
            result = {"protocolVersion": self.era, "capabilities": {"logging": {}}, "serverInfo": {}}
            session = b"mcp-session-id: s%d\r\n" % self.sessions
            await one.write(plain(msgspec.json.encode(one.said(result=result)), more=session))
        elif "id" not in one.message or method is None:
            await one.write(plain(b"", status=b"202 Accepted"))
        elif method == "com.example/any":
            await self.called(one)
        else:
            await one.answer(error={"code": -32601, "message": "no"})

    def of(self, method: str | None) -> list[Exchange]:
        """What arrived with that method; None: responses."""
        return [one for one in self.seen if one.message and one.message.get("method") == method]

    @property
    def calls(self) -> list[Exchange]:
        """The calls that arrived."""
        return self.of("tools/call")

    def verbs(self, verb: str) -> list[Exchange]:
        """What arrived by that verb."""
        return [one for one in self.seen if one.verb == verb]


@asynccontextmanager
async def raw_mcp(server: RawServer, **options: Any) -> AsyncIterator[McpHttp]:
    """An upstream of it."""
    async with serve(server.handle) as listening:
        upstream = McpHttp("raw", f"{listening.url}/mcp", version="0", **{"timeout_s": 20, **options})
        try:
            yield upstream
        finally:
            await upstream.aclose()


def impatient(silence_s: float = 0.3, whole_s: float = 20, after_answer_s: float = 5) -> Patience:
    """For servers that hang."""
    return Patience(silence_s=silence_s, whole_s=whole_s, after_answer_s=after_answer_s)
