"""The HTTP to one MCP server: who we are there, and the two pools. Everything a conversation needs besides its state.

Answers to a server's questions, cancellations and long streams have a pool of their own: calls that wait for an answer
to a question hold every connection of the first one in the worst case, and the answer has to get through.
"""

from __future__ import annotations

import asyncio
import ssl as tls
from collections.abc import Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec

from gateway.http1.client import Http1Client, ResponseStream
from gateway.http1.endpoint import Endpoint
from gateway.http1.errors import BadReply, NoReplyTimeout
from gateway.http1.message import Headers, Limits, first
from gateway.upstream.credential import Credential

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Bytes of an answer in JSON; more is an attack on memory."""
MAX_SIDE_CONNECTIONS = 1_024
"""Streams that are listened to, and short messages beside the calls."""
MAX_ERRANDS = 256
"""Cancellations under way; of more, the server is not told."""
ERRAND_S = 5.0
"""Seconds for what is said beside the calls: a server that does not take an answer or a goodbye holds nobody up."""
_UNAUTHORIZED = 401


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long a server is waited for. Seconds.

    ``silence_s`` bounds the time without a byte of it: to the head of an answer, and from each part of a stream to the
    next (a comment is a sign of life). While a host is asked, it is not the server that is silent. ``whole_s`` bounds
    one request altogether, its questions and resumptions included.
    """

    silence_s: float = 30.0
    whole_s: float = 600.0
    after_answer_s: float = 2.0
    """A stream should end after its answer (2025-11-25/basic/transports: SHOULD); one that does not is left."""


class Refused(Exception):
    """401: the server did not apply the request (RFC 9110 section 15.5.2)."""


class HttpWire:
    """One endpoint. ``client`` is what the gateway calls itself."""

    def __init__(
        self,
        url: str,
        *,
        client: Mapping[str, str],
        credential: Credential,
        patience: Patience,
        max_connections: int,
        ssl: tls.SSLContext | None,
    ) -> None:
        endpoint, target = Endpoint.split(url)
        self.target = (target or "/").encode("ascii")
        self.client = client
        self.credential = credential
        self.patience = patience
        self._calls = Http1Client(endpoint, limits=Limits(connections=max_connections), ssl=ssl)
        self._side = Http1Client(endpoint, limits=Limits(connections=MAX_SIDE_CONNECTIONS), ssl=ssl)
        self._errands: set[asyncio.Task[None]] = set()

    def post(
        self, headers: Headers, body: bytes, *, timeout_s: float, aside: bool = False
    ) -> AbstractAsyncContextManager[ResponseStream]:
        """One POST, at its head (within ``timeout_s``). Errors are those of the client."""
        pool = self._side if aside else self._calls
        return pool.stream(b"POST", self.target, headers, body, timeout_s=timeout_s)

    def get(self, headers: Headers) -> AbstractAsyncContextManager[ResponseStream]:
        """One GET, at its head. Errors are those of the client."""
        return self._side.stream(b"GET", self.target, headers, timeout_s=self.patience.silence_s)

    def let_in(self, response: ResponseStream, authorization: bytes | None) -> None:
        """:raises Refused: the server knows us not; the credential is not shown again."""
        if response.status == _UNAUTHORIZED:
            if authorization is not None:
                self.credential.refused(authorization)
            raise Refused

    async def short(self, method: bytes, headers: Headers, body: bytes = b"") -> int:
        """A message whose answer is but a status. Errors are those of the client."""
        response = await self._side.request(method, self.target, headers, body, timeout_s=ERRAND_S)
        return response.status

    def later(self, errand: Coroutine[Any, Any, None]) -> None:
        """Something nobody waits for, and that does not raise; it ends with the wire at the latest."""
        if len(self._errands) >= MAX_ERRANDS:
            errand.close()
            return
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def aclose(self) -> None:
        """Finish the errands, which takes :data:`ERRAND_S` at most; close all connections."""
        await asyncio.gather(*self._errands, return_exceptions=True)
        await self._calls.aclose()
        await self._side.aclose()


def is_events(response: ResponseStream) -> bool:
    """Whether the body is an event stream, by its own word."""
    kind = first(response.headers, b"content-type")
    if kind is None or kind == b"application/json":
        return False
    return kind.split(b";", 1)[0].strip().lower() == b"text/event-stream"


async def whole(response: ResponseStream, *, timeout_s: float) -> bytes:
    """A body that is no stream, and did not come in one piece with its head.

    :raises BadReply: larger than :data:`MAX_ANSWER_BYTES`. :raises NoReplyTimeout:
    """
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for part in response:
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise BadReply("body_too_large")
    except TimeoutError:
        raise NoReplyTimeout("timeout") from None
    return bytes(body)
