"""What comes before a body, or between its parts, has an end too; and what is lawful passes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send
from uvicorn.server import ServerState

from gateway.http_head import MAX_HEAD_BYTES, BoundedHead
from gateway.serving import serving

HEAD = b"POST / HTTP/1.1\r\nhost: x\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"


async def swallow(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads the whole body and says how long it was."""
    size, more = 0, True
    while more:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    said = str(size).encode()
    headers = [(b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def flood(writer: asyncio.StreamWriter) -> None:
    """64 MiB without a line end."""
    for _ in range(1024):
        writer.write(b"a" * MAX_HEAD_BYTES)
        await writer.drain()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The body of one answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


@pytest.mark.parametrize(
    "opening",
    [b"GET /", HEAD + b"x: ", CHUNKED + b"1\r\na\r\n0\r\nx: ", CHUNKED + b"1;"],
    ids=["request line", "header", "trailer", "chunk extension"],
)
async def test_what_never_ends_is_cut_off(opening: bytes) -> None:
    """Attack: a stranger sends one line for ever, and all of it is kept."""
    async with serving(swallow) as port, connected(port) as (_, writer):
        writer.write(opening)
        with pytest.raises(ConnectionError):
            await flood(writer)


async def test_lawful_requests_share_a_connection() -> None:
    """Large bodies, whole or in the smallest chunks, large heads, and several requests at once."""
    small = b"1\r\nc\r\n" * 100_000 + b"0\r\n\r\n"
    large = HEAD + b"x: " + b"a" * (MAX_HEAD_BYTES - 1000) + b"\r\ncontent-length: 0\r\n\r\n"
    async with serving(swallow) as port, connected(port) as (reader, writer):
        for _ in range(3):
            writer.write(HEAD + b"content-length: 900000\r\n\r\n" + b"b" * 900_000)
            assert await answer(reader) == b"900000"
        writer.write(CHUNKED + small)
        assert await answer(reader) == b"100000"
        writer.write(large + large)
        assert [await answer(reader), await answer(reader)] == [b"0", b"0"]


class Impatient(BoundedHead):
    """Looks every moment."""

    head_deadline_s = 0.02


@asynccontextmanager
async def impatient() -> AsyncIterator[int]:
    """A server of that kind; its port."""
    config, state = uvicorn.Config(swallow, log_level="warning", ws="none", lifespan="off"), ServerState()
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Impatient(config, state, {}), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("opening", [b"", b"POST", HEAD], ids=["nothing", "half a line", "half a head"])
async def test_a_head_that_does_not_come_is_not_waited_for(opening: bytes) -> None:
    """Attack: connections on which nothing happens, until no other is let in."""
    async with impatient() as port, connected(port) as (reader, writer):
        writer.write(opening)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)


async def test_a_second_head_has_its_own_deadline() -> None:
    """One proper request buys no time for the next."""
    async with impatient() as port, connected(port) as (reader, writer):
        writer.write(HEAD + b"content-length: 0\r\n\r\n")
        assert await answer(reader) == b"0"
        writer.write(HEAD)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
