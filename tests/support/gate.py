"""A TCP relay in front of a part, which stops the traffic at a point that a test names, and lets nothing by until told.

So a process can be killed exactly between two steps, without a line in it that knows of tests.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Side = Literal["asked", "answered"]
CHUNK = 64 * 1024
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Stop:
    """One point: the first time that ``pattern`` (a regular expression) is seen on the way in, that request
    (``asked``) or its answer (``answered``) is held. ``reached`` is set then; ``released`` lets it go on."""

    side: Side
    pattern: bytes
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    used: bool = False


class Gate:
    """One relay. ``url`` formats its address."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]]) -> None:
        self._connect = connect
        self._stops: list[Stop] = []
        self._running: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()
        self.port = 0

    def stop(self, side: Side, pattern: bytes) -> Stop:
        """Stop at the next request that holds this."""
        stop = Stop(side, pattern)
        self._stops.append(stop)
        return stop

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            inner = await self._connect()
        except OSError:
            pass  # what is behind is not there
        else:
            await self._relay(reader, writer, inner)
        finally:
            await _cut(writer)
            self._running.discard(task)

    async def aclose(self) -> None:
        """Cut what is open."""
        self._closing.set()
        await asyncio.gather(*self._running)

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inner: Streams
    ) -> None:
        inner_reader, inner_writer = inner
        holding: list[Stop] = []

        async def inwards() -> None:
            while data := await reader.read(CHUNK):
                stop = self._met(data)
                if stop is not None and stop.side == "answered":
                    holding.append(stop)
                elif stop is not None:
                    stop.reached.set()
                    await stop.released.wait()
                inner_writer.write(data)
                await inner_writer.drain()

        async def outwards() -> None:
            while data := await inner_reader.read(CHUNK):
                while holding:
                    stop = holding.pop()
                    stop.reached.set()
                    await stop.released.wait()
                writer.write(data)
                await writer.drain()

        # A part is not told that its client has gone: what was under way is carried to its end there.
        ends = [asyncio.ensure_future(one) for one in (outwards(), self._closing.wait())]
        sending = asyncio.ensure_future(inwards())
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for one in (*ends, sending):
            one.cancel()
        await asyncio.gather(*ends, sending, return_exceptions=True)
        await _cut(inner_writer)

    def _met(self, data: bytes) -> Stop | None:
        for stop in self._stops:
            if not stop.used and re.search(stop.pattern, data, re.DOTALL):
                stop.used = True
                return stop
        return None


async def _cut(writer: asyncio.StreamWriter) -> None:
    """At once, and until it is: a peer that was killed takes no more."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def gate_to(connect: Callable[[], Awaitable[Streams]]) -> AsyncIterator[Gate]:
    """A relay on a free port of loopback."""
    gate = Gate(connect)
    server = await asyncio.start_server(gate.serve, "127.0.0.1", 0)
    gate.port = server.sockets[0].getsockname()[1]
    try:
        yield gate
    finally:
        server.close()
        await gate.aclose()


@asynccontextmanager
async def gate_to_port(port: int) -> AsyncIterator[Gate]:
    """In front of a part on a port of loopback."""
    async with gate_to(lambda: asyncio.open_connection("127.0.0.1", port)) as gate:
        yield gate


@asynccontextmanager
async def gate_to_redis(url: str) -> AsyncIterator[Gate]:
    """In front of the Redis of the tests, wherever it is."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        async with gate_to(lambda: asyncio.open_unix_connection(parts.path)) as gate:
            yield gate
    else:
        async with gate_to(lambda: asyncio.open_connection(parts.hostname, parts.port)) as gate:
            yield gate
