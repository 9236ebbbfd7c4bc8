"""A real local HTTP/1.1 server whose every byte is written by the test: for servers that misbehave."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class ScriptedServer:
    """What a test may ask of the running server."""

    url: str
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One whole request, head and body as sent; IncompleteReadError once the client has closed."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


def answering(*answers: bytes, close: bool = False) -> Handler:
    """Answers the requests of each connection with these bytes in turn, then closes it or waits."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await read_request(reader)
            writer.write(answer)
            await writer.drain()
        if not close:
            await reader.read()

    return handle


@asynccontextmanager
async def serve(
    handler: Handler, *, context: ssl.SSLContext | None = None, unix: Path | None = None
) -> AsyncIterator[ScriptedServer]:
    """Run `handler` for every connection, on a free port or a unix socket, until the block ends."""
    server = ScriptedServer("")
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    if unix is None:
        listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
        port = listener.sockets[0].getsockname()[1]
        server.url = f"{'https' if context else 'http'}://127.0.0.1:{port}"
    else:
        listener = await asyncio.start_unix_server(connected, str(unix))
        server.url = f"unix://{unix}"
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()
