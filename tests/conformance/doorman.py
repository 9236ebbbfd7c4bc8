"""Stands between the suite, which has no way to send a token, and the gateway, which lets nobody in without one.

Bytes pass as they come, in both directions; only each request's head gets one line more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

_END = b"\r\n\r\n"
_CHUNK = 64 * 1024
MAX_HEAD = 64 * 1024


@asynccontextmanager
async def with_token(url: str, token: str) -> AsyncIterator[str]:
    """A URL at which the gateway's answers as it would to the bearer of this token."""
    target = urlsplit(url)
    line = f"authorization: Bearer {token}\r\n".encode("ascii")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(target.hostname, target.port)
        back = asyncio.create_task(_piped(inner_reader, writer))
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await _passed(reader, inner_writer, line)
        inner_writer.close()
        await back

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=MAX_HEAD)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}{target.path}"


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> None:
    """One request. The suite gives each body a length."""
    head = await reader.readuntil(_END)
    first, _, rest = head.partition(b"\r\n")
    writer.write(first + b"\r\n" + line + rest)
    fields = rest.lower().split(b"\r\n")
    lengths = [int(one.split(b":", 1)[1]) for one in fields if one.startswith(b"content-length:")]
    if lengths:
        writer.write(await reader.readexactly(lengths[0]))
    await writer.drain()


async def _piped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
