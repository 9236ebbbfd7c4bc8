"""Server-sent events as they arrive (WHATWG HTML, event stream interpretation), bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

MAX_ID_CHARS = 1_024
"""Characters of an event's id, which we send back."""
MAX_RETRY_MS = 30_000
"""Milliseconds a server may ask us to wait before we reconnect."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event. ``data`` is empty in the event that only primes a stream with its id."""

    data: bytes
    id: str | None = None
    retry_ms: int | None = None


async def events(chunks: AsyncIterator[bytes], *, limit: int) -> AsyncIterator[Event]:
    """Complete events; what is unfinished when the stream ends is dropped, as the format says.

    :raises ValueError: an event is over ``limit`` bytes.
    """
    buffer = bytearray()
    scanned = 0
    event = _Unfinished(limit)
    async for chunk in chunks:
        buffer += chunk
        start = 0
        while (end := buffer.find(b"\n", max(start, scanned))) >= 0:
            line = bytes(buffer[start:end]).removesuffix(b"\r")
            start = scanned = end + 1
            if line:
                event.take(line)
            elif (whole := event.end()) is not None:
                yield whole
        del buffer[:start]
        scanned = len(buffer)
        if len(buffer) > limit:
            raise ValueError("an event is too long")


class _Unfinished:
    """The lines since the last empty one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._begin()

    def _begin(self) -> None:
        self._size = 0
        self._data: bytearray | None = None  # one buffer: a list of short lines is many times their bytes
        self._id: str | None = None
        self._retry_ms: int | None = None

    def take(self, line: bytes) -> None:
        """One line, not empty. Comments and unknown fields are skipped."""
        self._size += len(line)
        if self._size > self._limit:
            raise ValueError("an event is too long")
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            if self._data is None:
                self._data = bytearray(value)
            else:
                self._data += b"\n" + value
        elif field == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")[:MAX_ID_CHARS]
        elif field == b"retry" and value.isdigit() and len(value) < 9:
            self._retry_ms = min(int(value), MAX_RETRY_MS)

    def end(self) -> Event | None:
        """The event, if the lines were one."""
        event = Event(data=bytes(self._data or b""), id=self._id, retry_ms=self._retry_ms)
        said = self._data is not None or self._id is not None or self._retry_ms is not None
        self._begin()
        return event if said else None
