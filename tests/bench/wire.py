"""A minimal HTTP/1.1 client on httptools, for the yardsticks and the load generator.

A limit, not a product: no TLS, no body limits, no redirects, no answers framed by end of file. One
exchange at a time per connection; the pool hands out the most recently used idle connection and opens
another when none is idle.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import httptools

HOP_BY_HOP = frozenset(
    (b"connection", b"content-length", b"host", b"keep-alive", b"te", b"transfer-encoding", b"upgrade")
)

Headers = list[tuple[bytes, bytes]]


class ConnectionLostError(ConnectionError):
    """The peer closed, or broke HTTP, before the answer was complete."""


@dataclass(slots=True)
class Response:
    """One whole answer; header names are lower case, `body` is de-chunked."""

    status: int = 0
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header given by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


class Connection(asyncio.Protocol):
    """One kept-alive connection. `exchange` must not be called again before its answer has arrived."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[Response] | None = None
        self._transport: asyncio.Transport | None = None
        self._headers: Headers = []
        self._body: list[bytes] = []
        self.reusable = True

    def exchange(self, request: bytes) -> asyncio.Future[Response]:
        """Write a whole request; the future holds the answer or ConnectionLostError."""
        waiting: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        if self._transport is None or not self.reusable:
            waiting.set_exception(ConnectionLostError("closed"))
            return waiting
        self._waiting = waiting
        self._transport.write(request)
        return waiting

    def close(self) -> None:
        """Drop the connection at once; an open exchange ends with ConnectionLostError."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected."""
        # uvloop's transports are no subclasses of asyncio's: an isinstance check would fail.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes have arrived."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as broken:
            self._fail(f"not HTTP: {broken}")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self.reusable = False
        self._fail("connection lost")

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools: one header, in the peer's spelling."""
        self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        """httptools: a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """httptools: the answer is whole."""
        response = Response(self._parser.get_status_code(), self._headers, b"".join(self._body))
        self._headers, self._body = [], []
        if not self._parser.should_keep_alive():
            self.close()
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(response)

    def _fail(self, why: str) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(ConnectionLostError(why))


async def connect(host: str, port: int) -> Connection:
    """Open one connection; OSError when the peer refuses."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, host, port)
    return connection


def request_bytes(method: bytes, target: bytes, host: bytes, headers: Headers, body: bytes) -> bytes:
    """Head and body in one buffer, so that they leave in one write. Header values are NOT checked for line
    breaks.
    """
    lines = [b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (method, target, host)]
    lines += [b"%b: %b\r\n" % header for header in headers if header[0] not in HOP_BY_HOP]
    lines.append(b"content-length: %d\r\n\r\n" % len(body))
    lines.append(body)
    return b"".join(lines)


class Pool:
    """Idle connections to one peer, newest first. Not bounded: the load generator's concurrency bounds it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._host = f"{host}:{port}".encode()
        self._idle: list[Connection] = []

    async def request(self, method: bytes, target: bytes, headers: Headers, body: bytes) -> Response:
        """One exchange; end-to-end headers only are sent on, `host` and `content-length` are set here."""
        connection = self._take() or await connect(*self._address)
        response = await connection.exchange(request_bytes(method, target, self._host, headers, body))
        if connection.reusable:
            self._idle.append(connection)
        return response

    def close(self) -> None:
        """Drop the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        return None
