"""HTTP as bytes on a socket, for requests that no client library would send."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import msgspec

PATIENCE_S = 20
"""Seconds until a connection that stays open and silent counts as unanswered."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One response, and the whole of it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body as JSON; empty for an empty body."""
        read: dict[str, Any] = msgspec.json.decode(self.body) if self.body else {}
        return read

    @property
    def rpc_code(self) -> int | None:
        """The JSON-RPC error code, if it is an error."""
        code: int | None = self.document.get("error", {}).get("code")
        return code

    @property
    def code(self) -> str | None:
        """Our own code, ``error.data.code``."""
        code: str | None = self.document.get("error", {}).get("data", {}).get("code")
        return code


def request(
    body: bytes, headers: Mapping[str, str] | None = None, *, method: str = "POST", path: str = "/mcp"
) -> bytes:
    """One request with exactly these headers, and content-length if they name neither it nor another framing."""
    fields = dict(headers or {})
    if not {"content-length", "transfer-encoding"} & {name.lower() for name in fields}:
        fields["content-length"] = str(len(body))
    return head(fields, method=method, path=path) + body


def head(fields: Mapping[str, str], *, method: str = "POST", path: str = "/mcp", more: str = "") -> bytes:
    """Request line and header section; ``more`` is put in as it is, for fields that come twice."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}{more}\r\n".encode("latin-1")


async def exchange(url: str, *pieces: bytes, replies: int = 1) -> list[Reply]:
    """Send the pieces over one connection; the responses until there are so many, or the server closes."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        async with asyncio.timeout(PATIENCE_S):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            found: list[Reply] = []
            while len(found) < replies and (reply := await _read(reader)) is not None:
                found.append(reply)
            return found
    except (ConnectionError, asyncio.IncompleteReadError):
        return []
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def one(url: str, *pieces: bytes) -> Reply:
    """The one response."""
    (reply,) = await exchange(url, *pieces)
    return reply


async def _read(reader: asyncio.StreamReader) -> Reply | None:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    status_line, *lines = raw.decode("latin-1").split("\r\n")
    headers = {}
    for line in filter(None, lines):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    status = int(status_line.split()[1])
    if status == 100:
        return await _read(reader)
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    else:
        body = await reader.read()
    return Reply(status=status, headers=headers, body=body)
