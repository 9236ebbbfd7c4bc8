"""One connection: bytes of one response at a time, parsed by llhttp.

A connection serves one exchange after another (no pipelining). Whatever is unusual makes it unfit for
another: an error, an early close, a byte too many, `connection: close`, a HEAD, an abandoned exchange.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools

from gateway.http1.errors import BadReply, Http1Error, NoReply, NoReplyTimeout
from gateway.http1.message import Limits

_SMALL = 512
"""Bytes of a chunk below which it is put to those before it."""


class Connection(asyncio.Protocol):
    """The asyncio side of one connection. `on_lost` is called once, when the socket is gone."""

    def __init__(self, limits: Limits, on_lost: Callable[["Connection"], None]) -> None:
        self._limits = limits
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.lost = self._loop.create_future()
        self.idle_since = 0.0
        self.usable = False  # may start an exchange
        self.touched = False  # a byte of the current response has arrived
        self._busy = False
        self._begin(head_only=False, streaming=False)

    def _begin(self, *, head_only: bool, streaming: bool) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False
        self.touched = False
        self._head_only = head_only
        self._streaming = streaming
        self._failure: Http1Error | None = None
        self._header_bytes = 0
        self._head_bytes = 0
        self._header_count = 0
        self._length: int | None = None  # declared; None for chunked and close-delimited bodies
        self._until_close = False
        self._keep_alive = False
        self._in_body = False
        self._chunks: deque[bytes | bytearray] = deque()
        self._buffered = 0
        self._paused = False

    # The exchange, as its one caller sees it ------------------------------------------------------------

    def send(self, request: bytes, *, head_only: bool, streaming: bool) -> None:
        """Start an exchange with one write. No backpressure: the caller bounds its requests' size."""
        assert self._transport is not None
        self._begin(head_only=head_only, streaming=streaming)
        self._busy, self.usable = True, False
        self._transport.write(request)

    async def ready(self, deadline: float | None) -> None:
        """Wait for the next event: the head or a chunk when streaming, else the whole response.

        Raises what ended the exchange. `deadline` is in loop time; a cancelled wait leaves the connection
        unfit, and the caller must abort it.
        """
        if self._failure is None and not self.complete:
            self._waiter = waiter = self._loop.create_future()
            timer = None if deadline is None else self._loop.call_at(deadline, self._expire)
            try:
                await waiter
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
        if self._failure is not None:
            raise self._failure

    @property
    def buffered(self) -> int:
        """Bytes of the body that `take` would give."""
        return self._buffered

    def take(self) -> bytes:
        """Everything of the body that has arrived and was not taken yet."""
        body = bytes(self._chunks[0]) if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return body

    def finish(self) -> bool:
        """End the exchange; True if the connection may serve another, else it is aborted."""
        self._busy = False
        transport = self._transport
        self.usable = (
            self.complete
            and self._failure is None
            and transport is not None
            and not transport.is_closing()
            and self._keep_alive
            and not self._paused
            and transport.get_write_buffer_size() == 0  # answered before the request was read to its end
        )
        if not self.usable:
            self.abort()
        self.idle_since = self._loop.time()
        return self.usable

    def abort(self) -> None:
        """Close at once. For a modern MCP upstream this is what cancels the call."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # cast: uvloop's transports do not derive from asyncio.Transport
        self._transport, self.usable = cast(asyncio.Transport, transport), True

    def data_received(self, data: bytes) -> None:
        if not self._expecting():
            # A byte nobody asked for would be read as the answer to the NEXT request (response desync).
            self.abort()
            return
        self.touched = True
        head_before = not self._in_body
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(BadReply("upgrade"))
        except httptools.HttpParserError:
            if self._expecting():
                self._fail(self._failure or BadReply("malformed"))
            else:
                self.abort()  # trailing garbage: this answer stands, the connection does not
        else:
            if head_before and not self._in_body:
                self._head_bytes += len(data)  # llhttp keeps a field until it ends: no callback counts it
                if self._head_bytes > self._limits.header_bytes:
                    self._fail(BadReply("head_too_large"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        if self._expecting() and self._failure is None:
            if self._in_body and self._until_close and exc is None:
                self.complete = True
                self._wake()
            elif self._in_body or self.touched:
                self._fail(BadReply("truncated"))
            else:
                self._fail(NoReply("closed"))
        self._transport = None
        self.lost.set_result(None)
        self._on_lost(self)

    # httptools callbacks: an exception here stops the parser; what it means is in _failure --------------

    def on_message_begin(self) -> None:
        if self.complete:
            raise BadReply("second_response")  # not a _failure: the first one is whole

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_count += 1
        self._header_bytes += len(name) + len(value)
        if self._header_count > self._limits.header_count or self._header_bytes > self._limits.header_bytes:
            self._refuse("head_too_large")
        if not self._in_body:  # a trailer never becomes a header (RFC 9110 section 6.5.1)
            self.headers.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            if status == 101:
                self._refuse("upgrade")  # never asked for
            return
        self.status, self._in_body = status, True
        chunked = self._framing()
        bodiless = self._head_only or status in (204, 304)
        self._until_close = not bodiless and not chunked and self._length is None
        if not bodiless and not self._streaming and (self._length or 0) > self._limits.body_bytes:
            self._refuse("body_too_large")
        self.complete = self._head_only
        if self._head_only or self._streaming:
            self._wake()

    def _framing(self) -> bool:
        """Read the headers that say how long the body is; whether it is chunked."""
        chunked = False
        for name, value in self.headers:
            if name == b"content-encoding" and value.lower() != b"identity":
                self._refuse("encoded")  # decoding is where decompression bombs live
            elif name == b"transfer-encoding":
                if chunked or value.lower() != b"chunked":
                    self._refuse("transfer_encoding")
                chunked = True
            elif name == b"content-length":
                self._length = int(value)  # llhttp has checked the digits and refused a second one
        return chunked

    def on_body(self, body: bytes) -> None:
        if self._head_only:
            return
        if len(body) < _SMALL and self._chunks:
            # Attack: a body in chunks of two bytes, each of which would be an object of its own, of fifty.
            tail = self._chunks[-1]
            if not isinstance(tail, bytearray):
                tail = bytearray()
                self._chunks.append(tail)
            tail += body
        else:
            self._chunks.append(body)
        self._buffered += len(body)
        if not self._streaming:
            if self._buffered > self._limits.body_bytes:
                self._refuse("body_too_large")
            return
        if self._buffered > self._limits.buffer_bytes and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            self.headers = []  # informational: the bounds keep counting, the fields are not the answer's
            return
        self.complete = True
        # Asked here, llhttp forgets the flags afterwards. After a HEAD it waits for a body: never reused.
        self._keep_alive = self._parser.should_keep_alive() and not self._until_close
        self._wake()

    # Ends -----------------------------------------------------------------------------------------------

    def _expecting(self) -> bool:
        return self._busy and not self.complete

    def _refuse(self, reason: str) -> None:
        self._failure = BadReply(reason)
        raise self._failure

    def _expire(self) -> None:
        self._fail(NoReplyTimeout("timeout"))

    def _fail(self, failure: Http1Error) -> None:
        self._failure = self._failure or failure
        self.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
