"""The host's end: lines in, lines out, over two file descriptors (2026-07-28/basic/transports/stdio).

Threads and not asyncio's pipes: those know no console and no file on Windows. Both threads are daemons that use the
descriptors directly, so that a host which neither writes nor reads cannot keep the process from ending.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

CHUNK = 65_536
MAX_LINE = 4 * 1024 * 1024
"""Bytes of one message from the host; no gateway takes more in one request."""
MAX_WAITING = 256
"""Lines read and not yet looked at; then the host waits."""


class TooLong:
    """Stands for a line over the limit, of which nothing was kept."""


TOO_LONG = TooLong()


class Pipe:
    """Lines of the host. Use it in one event loop; ``start`` before anything else."""

    def __init__(self, read_fd: int, write_fd: int, *, max_line: int = MAX_LINE) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._max_line = max_line
        self._lines: asyncio.Queue[bytes | TooLong | None] = asyncio.Queue()
        self._room = threading.Semaphore(MAX_WAITING)
        self._out: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gone = asyncio.Event()

    def start(self) -> None:
        """Begin to read and to write."""
        self._loop = asyncio.get_running_loop()
        for target in (self._read, self._write):
            threading.Thread(target=target, daemon=True).start()

    async def lines(self) -> AsyncIterator[bytes | TooLong]:
        """Lines without their end, until the host closes its side."""
        while (line := await self._lines.get()) is not None:
            self._room.release()
            yield line

    async def send(self, line: bytes) -> None:
        """Write one message and wait until the host's pipe has taken it.

        :raises OSError: the host has closed its side.
        """
        assert self._loop is not None
        taken: asyncio.Future[None] = self._loop.create_future()
        self._out.put((line + b"\n", taken))
        await taken

    async def closed(self) -> None:
        """Return once the host no longer takes what is written."""
        await self._gone.wait()

    def _read(self) -> None:
        kept = bytearray()
        skipping = False
        while True:
            try:
                chunk = os.read(self._read_fd, CHUNK)
            except OSError:
                chunk = b""
            if not chunk:
                break
            *ended, rest = chunk.split(b"\n")
            for part in ended:
                if skipping or len(kept) + len(part) > self._max_line:
                    self._put(TOO_LONG)
                else:
                    line = bytes(kept + part).strip(b"\r \t")
                    if line:
                        self._put(line)
                kept.clear()
                skipping = False
            if skipping or len(kept) + len(rest) > self._max_line:
                # The rest of the line is read and thrown away: memory stays bounded, and the next line is whole.
                skipping = True
                kept.clear()
            else:
                kept += rest
        self._put(None)

    def _put(self, line: bytes | TooLong | None) -> None:
        self._room.acquire()
        self._call(self._lines.put_nowait, line)

    def _write(self) -> None:
        while True:
            line, taken = self._out.get()
            rest = memoryview(line)
            try:
                while rest:
                    rest = rest[os.write(self._write_fd, rest) :]
            except OSError as problem:
                self._call(self._failed, taken, problem)
            else:
                self._call(_done, taken)

    def _failed(self, taken: asyncio.Future[None], problem: OSError) -> None:
        self._gone.set()
        if not taken.done():
            taken.set_exception(problem)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop has ended, and with it everybody who would hear of it
            self._loop.call_soon_threadsafe(function, *arguments)


def _done(taken: asyncio.Future[None]) -> None:
    if not taken.done():
        taken.set_result(None)
