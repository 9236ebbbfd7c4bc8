"""Bytes in, bytes out: the ASGI part of the door. Bounds, host and origin, and nothing of MCP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from gateway.door.headers import Headers
from gateway.errors import Forbidden, MalformedRequest, TooLarge

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON: Final = b"application/json"
EVENT_STREAM: Final = b"text/event-stream"
ACCEPTABLE: Final = frozenset({"application/json", "application/*", "*/*"})
SECURITY_HEADERS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
LOCAL: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""This machine, to itself."""
CLOSE: Final = (b"connection", b"close")
BODY_DEADLINE_S: Final = 20.0
"""Seconds for a whole body. A client that sends a byte a minute would hold one of our request slots for years."""
_MAX_LENGTH_DIGITS: Final = 18
"""Digits of a content-length that is looked at as a number; int() refuses thousands of them with an error."""


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


class UnsupportedMediaType(MalformedRequest):
    """Not plain JSON (RFC 9110 section 15.5.16)."""

    code = "door.media_type"
    http_status = 415


class NotAcceptable(MalformedRequest):
    """The client wants an answer in something else than JSON (RFC 9110 section 15.5.7)."""

    code = "door.not_acceptable"
    http_status = 406


class TooSlow(MalformedRequest):
    """The body did not arrive in time (RFC 9110 section 15.5.9)."""

    code = "door.too_slow"
    http_status = 408


class Guard:
    """Which names this gateway answers to, and which web pages may talk to it (DNS rebinding).

    A browser page of an attacker can make the victim's browser send requests to 127.0.0.1; it cannot forge Host and
    Origin (2025-11-25/basic/transports, security warning). Names are ``host`` (any port) or ``host:port``, lower case.
    """

    def __init__(self, *, hosts: frozenset[str], origins: frozenset[str]) -> None:
        if not hosts:
            raise ValueError("the gateway must know at least one name of its own")
        self._hosts = hosts
        self._origins = origins
        # A gateway that answers to this machine's own names trusts this machine's own pages, as every server for
        # local hosts does; they still need a token, which a page of an attacker's cannot read.
        self._local = hosts >= LOCAL

    def check(self, headers: Headers) -> None:
        """:raises Forbidden: ``door.host`` or ``door.origin``. :raises HeaderMismatch: one of them came twice."""
        host = (headers.one(b"host") or "").lower()
        if host not in self._hosts and host.rpartition(":")[0] not in self._hosts:
            raise Forbidden("This gateway does not answer to that Host.", code="door.host")
        origin = headers.one(b"origin")
        if origin is not None and origin.lower() not in self._origins and not self._is_local(origin.lower()):
            raise Forbidden("Pages of that Origin may not call this gateway.", code="door.origin")

    def _is_local(self, origin: str) -> bool:
        scheme, _, host = origin.partition("://")
        return self._local and scheme == "http" and (host in LOCAL or host.rpartition(":")[0] in LOCAL)


def check_media_types(headers: Headers, *, also: frozenset[str] = frozenset()) -> None:
    """JSON in, also under the types ``also`` (empty: without any); JSON must be acceptable out.

    What is *not* checked: quality values of Accept. :raises UnsupportedMediaType: :raises NotAcceptable:
    """
    sent = headers.one(b"content-type") or ""
    named = sent if sent == "application/json" else sent.split(";", 1)[0].strip().lower()
    if named != "application/json" and named not in also:
        raise UnsupportedMediaType("Send content-type: application/json.")
    if headers.all(b"content-encoding"):
        raise UnsupportedMediaType("Send the body without content-encoding.")
    accepted = headers.all(b"accept")
    if accepted and not any(
        one.split(";", 1)[0].strip().lower() in ACCEPTABLE
        for value in accepted
        for one in value.decode("latin-1").split(",")
    ):
        raise NotAcceptable("Accept application/json.")


def accepts_streams(headers: Headers) -> bool:
    """Whether the client reads an event stream. Without Accept it does not: a stream would be lost on it."""
    return any(EVENT_STREAM in value.lower() or b"*/*" in value for value in headers.all(b"accept"))


async def read_body(
    receive: Receive, headers: Headers, *, limit: int, deadline_s: float = BODY_DEADLINE_S
) -> bytes:
    """The whole body, at most ``limit`` bytes, within ``deadline_s`` seconds.

    :raises TooLarge: announced or sent more; the rest is not read.
    :raises TooSlow: the deadline passed.
    :raises ClientGone: the client hung up.
    """
    announced = headers.one(b"content-length")
    if announced is not None and announced.isdecimal() and _over(announced, limit):
        raise TooLarge(f"The body is over {limit} bytes.")
    try:
        async with asyncio.timeout(deadline_s):
            return await _read(receive, limit)
    except TimeoutError:
        raise TooSlow(f"The body did not arrive within {deadline_s:g} seconds.") from None


def _over(digits: str, limit: int) -> bool:
    return len(digits) > _MAX_LENGTH_DIGITS or int(digits) > limit


async def _read(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The body is over {limit} bytes.")
        if not message.get("more_body", False):
            return b"".join((*chunks, chunk)) if chunks else chunk
        # A million empty chunks must not become a million list items.
        if chunk:
            chunks.append(chunk)


async def respond(
    send: Send, status: int, body: bytes = b"", *, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """One whole response. A body is JSON."""
    fields = [*SECURITY_HEADERS, *headers, (b"content-length", str(len(body)).encode())]
    if body:
        fields.append((b"content-type", JSON))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
