"""A real HTTP server on loopback that plays an identity provider, well-behaved or not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

_PATIENCE_S = 20.0
"""Seconds until a request that does not come fails the test instead of hanging it."""

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes, *, status: int = 200, headers: str = "") -> Behaviour:
    """Answers at once. `headers`: whole lines, each ended by CR LF."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        head = (
            f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        )
        writer.write(head.encode() + body)

    return behave


def endless(chunk: bytes) -> Behaviour:
    """Never stops sending."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)

    return behave


async def dripping(writer: asyncio.StreamWriter) -> None:
    """Sends a byte now and then, often enough for any timeout between two reads."""
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silent(writer: asyncio.StreamWriter) -> None:
    """Takes the request and never says anything."""
    await asyncio.Event().wait()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Takes the request and closes the connection."""


def after(gate: asyncio.Event, then: Behaviour) -> Behaviour:
    """Waits for the test before it behaves."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await then(writer)

    return behave


class IssuerServer:
    """`url` is the issuer; `routes` maps paths to behaviours, changeable at any time; `hits`, `requests`: what came."""

    def __init__(self) -> None:
        self.url = ""
        self.routes: dict[str, Behaviour] = {}
        self.hits: Counter[str] = Counter()
        self.requests: list[bytes] = []
        self._open: set[asyncio.Task[None]] = set()
        self._heard = asyncio.Condition()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            path = request.split(b" ", 2)[1].decode()
            self.requests.append(request)
            async with self._heard:
                self.hits[path] += 1
                self._heard.notify_all()
            await self.routes.get(path, answer(b"", status=404))(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client gave up, or the test is over
        finally:
            self._open.discard(task)
            writer.close()

    async def asked(self, path: str, times: int = 1) -> None:
        """Returns once that many requests for a path have arrived."""
        async with asyncio.timeout(_PATIENCE_S), self._heard:
            await self._heard.wait_for(lambda: self.hits[path] >= times)

    async def close_connections(self) -> None:
        """Ends whatever still behaves."""
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


@asynccontextmanager
async def running_issuer() -> AsyncIterator[IssuerServer]:
    """A server on a free loopback port, closed with all its connections at the end."""
    issuer = IssuerServer()
    server = await asyncio.start_server(issuer.handle, "127.0.0.1", 0)
    issuer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield issuer
    finally:
        server.close()
        await issuer.close_connections()
        await server.wait_closed()
