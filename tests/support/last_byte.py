"""Many requests that arrive in one instant: all but the last byte of each is there before any last byte is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

OPENING = 50
"""Connections opened at a time: a listen queue is finite."""


async def at_once(requests: Sequence[tuple[str, Mapping[str, str], bytes]]) -> list[dict[str, Any]]:
    """POST each (url, headers, body) on a connection of its own; the JSON answers, in order."""
    opening = asyncio.Semaphore(OPENING)

    async def prepared(
        url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        parts = urlsplit(url)
        async with opening:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        lines = [f"POST {parts.path} HTTP/1.1", f"host: {parts.netloc}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"content-length: {len(body)}", "", ""]
        writer.write("\r\n".join(lines).encode() + body[:-1])
        await writer.drain()
        return reader, writer, body[-1:]

    ready = await asyncio.gather(*(prepared(*one) for one in requests))
    for _, writer, last in ready:
        writer.write(last)
    answers = await asyncio.gather(*(reader.read() for reader, _, _ in ready))
    for _, writer, _ in ready:
        writer.close()
    return [msgspec.json.decode(_body(answer)) for answer in answers]


def _body(answer: bytes) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower(), head
    return body
