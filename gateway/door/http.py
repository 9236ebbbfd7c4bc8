"""Bytes in, bytes out: the ASGI part of the door. Bounds, host and origin, and nothing of MCP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from gateway.door.message import Headers
from gateway.errors import Forbidden, MalformedRequest, TooLarge

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON: Final = b"application/json"
SECURITY_HEADERS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


class Guard:
    """Which names this gateway answers to, and which web pages may talk to it (DNS rebinding).

    A browser page of an attacker can make the victim's browser send requests to 127.0.0.1; it cannot forge Host and
    Origin (2025-11-25/basic/transports, security warning). Names are ``host`` or ``host:port``, lower case.
    """

    def __init__(self, *, hosts: frozenset[str], origins: frozenset[str]) -> None:
        if not hosts:
            raise ValueError("the gateway must know at least one name of its own")
        self._hosts = hosts
        self._origins = origins

    def check(self, headers: Headers) -> None:
        """:raises Forbidden: ``door.host`` or ``door.origin``."""
        host = (headers.one(b"host") or "").lower()
        if host not in self._hosts and host.rsplit(":", 1)[0] not in self._hosts:
            raise Forbidden("This gateway does not answer to that Host.", code="door.host")
        origin = headers.one(b"origin")
        if origin is not None and origin.lower() not in self._origins:
            raise Forbidden("Pages of that Origin may not call this gateway.", code="door.origin")


def check_media_types(headers: Headers) -> None:
    """JSON in; JSON must be acceptable out. :raises MalformedRequest: ``door.media_type``."""
    sent = (headers.one(b"content-type") or "").split(";", 1)[0].strip().lower()
    if sent != "application/json":
        raise MalformedRequest("Send content-type: application/json.", code="door.media_type")
    if headers.all(b"content-encoding"):
        raise MalformedRequest("Send the body without content-encoding.", code="door.media_type")
    accept = ",".join(value.decode("latin-1") for value in headers.all(b"accept")).lower()
    if accept and not any(one in accept for one in ("application/json", "application/*", "*/*")):
        raise MalformedRequest("Accept application/json.", code="door.media_type")


async def read_body(receive: Receive, headers: Headers, *, limit: int) -> bytes:
    """The whole body, at most ``limit`` bytes.

    :raises TooLarge: announced or sent more; the rest is not read.
    :raises ClientGone: the client hung up.
    """
    announced = headers.one(b"content-length")
    if announced is not None and announced.isdecimal() and int(announced) > limit:
        raise TooLarge(f"The body is over {limit} bytes.")
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise TooLarge(f"The body is over {limit} bytes.")
        return body
    chunks = [body]
    size = len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The body is over {limit} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


async def respond(
    send: Send, status: int, body: bytes = b"", *, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """One whole response. A body is JSON."""
    fields = [*SECURITY_HEADERS, *headers, (b"content-length", str(len(body)).encode())]
    if body:
        fields.append((b"content-type", JSON))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
