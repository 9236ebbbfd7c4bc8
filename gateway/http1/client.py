"""The HTTP/1.1 client of the call path: one endpoint, pooled connections, one write per request.

Never follows redirects, decodes content, sends cookies or reads proxy settings from the environment.
"""

import asyncio
import ssl as tls
from contextlib import AbstractAsyncContextManager
from typing import Self

from gateway.http1.connection import Connection
from gateway.http1.endpoint import Endpoint
from gateway.http1.errors import NoReply
from gateway.http1.message import Headers, Limits, Response, encode, preamble
from gateway.http1.pool import Pool


class ResponseStream:
    """A response whose body is read as it arrives: iterate once. Leaving early closes the connection."""

    def __init__(self, connection: Connection, idle_timeout_s: float | None) -> None:
        self.status = connection.status
        self.headers = connection.headers
        self._connection = connection
        self._idle_timeout_s = idle_timeout_s

    def rest(self) -> bytes | None:
        """What has not been taken of a body that has arrived whole; None: it has not, iterate."""
        connection = self._connection
        return connection.take() if connection.complete else None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """The next bytes, at most about `Limits.buffer_bytes` and one socket read."""
        connection = self._connection
        while not connection.buffered:
            if connection.complete:
                raise StopAsyncIteration
            loop, idle = asyncio.get_running_loop(), self._idle_timeout_s
            await connection.ready(None if idle is None else loop.time() + idle)
        return connection.take()


class Http1Client:
    """One pooled client for one endpoint, in one event loop. `ssl` is built by the caller, once.

    A request is written at most once, unless its caller says `replayable` (a query, a read): then it is
    written again, on a new connection, if a kept-alive one ends before the first byte of an answer. HTTP/1.1
    cannot tell whether the server acted before it hung up, so nothing else is ever repeated.
    """

    def __init__(
        self, endpoint: Endpoint, *, limits: Limits | None = None, ssl: tls.SSLContext | None = None
    ) -> None:
        self._pool = Pool(endpoint, limits or Limits(), ssl)
        self._preamble = preamble(endpoint.host_header)

    async def request(
        self,
        method: bytes,
        target: bytes,
        headers: Headers = (),
        body: bytes = b"",
        *,
        timeout_s: float,
        replayable: bool = False,
    ) -> Response:
        """Send one request and read the whole response, within `timeout_s` seconds altogether.

        Raises InvalidRequest, NotSent, NoReply or BadReply. Cancelling closes the connection.
        """
        request = encode(self._preamble, method, target, headers, body)
        deadline = asyncio.get_running_loop().time() + timeout_s
        connection = await self.exchange(
            request, deadline, head_only=method == b"HEAD", streaming=False, replayable=replayable
        )
        response = Response(connection.status, connection.headers, connection.take())
        self._pool.release(connection)
        return response

    def stream(
        self,
        method: bytes,
        target: bytes,
        headers: Headers = (),
        body: bytes = b"",
        *,
        timeout_s: float,
        idle_timeout_s: float | None = None,
        replayable: bool = False,
    ) -> AbstractAsyncContextManager[ResponseStream]:
        """Send one request; hand out the response at its head (within `timeout_s`), the body in chunks.

        `idle_timeout_s` bounds the wait for each further chunk. The total size is NOT bounded; memory is.
        """
        request = encode(self._preamble, method, target, headers, body)
        return _Streaming(
            self,
            request,
            head_only=method == b"HEAD",
            timeout_s=timeout_s,
            idle_timeout_s=idle_timeout_s,
            replayable=replayable,
        )

    async def aclose(self) -> None:
        """Abort whatever is open; requests in flight end in NoReply or BadReply."""
        await self._pool.aclose()

    def release(self, connection: Connection) -> None:
        """The exchange on it is over, or abandoned."""
        self._pool.release(connection)

    async def exchange(
        self, request: bytes, deadline: float, *, head_only: bool, streaming: bool, replayable: bool
    ) -> Connection:
        """Write a request and wait for its head (streaming) or its end. The caller gives the connection back."""
        fresh = False
        while True:
            connection, reused = await self._pool.acquire(deadline, fresh=fresh)
            try:
                connection.send(request, head_only=head_only, streaming=streaming)
                await connection.ready(deadline)
            except NoReply as error:
                self._pool.release(connection)
                if not (replayable and reused and error.reason == "closed"):
                    raise
                fresh = True
            except BaseException:  # cancelled, or a bad reply: nobody may read the rest of this exchange
                self._pool.release(connection)
                raise
            else:
                return connection


class _Streaming:
    """The block of one streamed response. A class: as a generator it would cost each call 2 us more."""

    __slots__ = (
        "_client",
        "_connection",
        "_head_only",
        "_idle_timeout_s",
        "_replayable",
        "_request",
        "_timeout_s",
    )

    def __init__(
        self,
        client: Http1Client,
        request: bytes,
        *,
        head_only: bool,
        timeout_s: float,
        idle_timeout_s: float | None,
        replayable: bool,
    ) -> None:
        self._client = client
        self._request = request
        self._head_only = head_only
        self._timeout_s = timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._replayable = replayable
        self._connection: Connection | None = None

    async def __aenter__(self) -> ResponseStream:
        self._connection = await self._client.exchange(
            self._request,
            asyncio.get_running_loop().time() + self._timeout_s,
            head_only=self._head_only,
            streaming=True,
            replayable=self._replayable,
        )
        return ResponseStream(self._connection, self._idle_timeout_s)

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            self._client.release(self._connection)
