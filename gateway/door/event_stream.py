"""Server-sent events as this door writes them (WHATWG HTML, server-sent events), and those kept for a second telling.

A host of the older era may lose its connection and ask for what it missed by ``Last-Event-ID``
(2025-11-25/basic/transports, resumability). Each stream of a session has a short name, and each of its events a
number; ``name.number`` is the event's id. What is kept is bounded: a host that was away for too long starts anew.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

KEEP_ALIVE: Final = b": \n\n"
"""A comment: proxies in between close what is silent."""
KEEP_ALIVE_S: Final = 15.0
"""Seconds of silence before one; below the 30 to 60 after which common proxies hang up."""
RETRY_MS: Final = 1_000
"""What a host is asked to wait before it comes back for the rest."""
STREAM_HEADERS: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    # nginx holds answers back unless told otherwise; a progress message that arrives with the result is none.
    (b"x-accel-buffering", b"no"),
)
MAX_KEPT_BYTES: Final = 256 * 1024
"""Bytes of one stream that are kept to be told again."""
MAX_KEPT_OF_SESSION: Final = 512 * 1024
"""Bytes of all streams of one session: a caller may have two hundred of those."""
MAX_KEPT_STREAMS: Final = 16
"""Streams of one session that are kept, the oldest ended one first out."""
_EVENT_ID = re.compile(r"([0-9a-z]{1,12})\.([0-9]{1,12})")


def event(data: bytes, *, event_id: str | None = None, retry_ms: int | None = None) -> bytes:
    """One event. ``data`` is one JSON text: a line break in it is white space, and would end the field."""
    head = b"" if event_id is None else b"id: " + event_id.encode("ascii") + b"\n"
    if retry_ms is not None:
        head += b"retry: %d\n" % retry_ms
    if b"\n" in data or b"\r" in data:
        data = data.replace(b"\r", b" ").replace(b"\n", b" ")
    return head + b"data: " + data + b"\n\n"


class KeptEvent(msgspec.Struct, frozen=True):
    """One event of a stream, ready to be written."""

    number: int
    encoded: bytes


class KeptStream:
    """The last events of one stream."""

    def __init__(self, name: str, *, standing: bool, grown: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self._grown = grown
        self.standing = standing
        """Whether it is the session's own stream, which answers no request and goes on under another name."""
        self.ended = False
        self._kept: deque[KeptEvent] = deque()
        self.kept_bytes = 0
        self._number = 0
        self._dropped = 0
        self._news = asyncio.Event()

    def add(self, data: bytes, *, retry_ms: int | None = None) -> bytes:
        """Number an event and keep it; its encoding."""
        self._number += 1
        encoded = event(data, event_id=f"{self.name}.{self._number}", retry_ms=retry_ms)
        self._kept.append(KeptEvent(self._number, encoded))
        self.kept_bytes += len(encoded)
        # The newest may go too: a server's largest result, kept for every stream, would be all of our memory.
        while self.kept_bytes > MAX_KEPT_BYTES:
            self.forget_one()
        self._grown()
        self._news.set()
        return encoded

    def forget_one(self) -> None:
        """The oldest event that is kept."""
        dropped = self._kept.popleft()
        self.kept_bytes -= len(dropped.encoded)
        self._dropped = dropped.number

    def end(self) -> None:
        """Nothing more will come."""
        self.ended = True
        self._news.set()

    def holds(self, number: int) -> bool:
        """Whether everything after that event is still here."""
        return self._dropped <= number <= self._number

    def after(self, number: int) -> list[KeptEvent]:
        """What was told after that event."""
        return [one for one in self._kept if one.number > number]

    async def more(self) -> None:
        """Return when there may be more than before, or the end."""
        self._news.clear()
        await self._news.wait()


class KeptStreams:
    """The streams of one session."""

    def __init__(self) -> None:
        self._streams: dict[str, KeptStream] = {}
        self._count = 0

    def open(self, *, standing: bool) -> KeptStream:
        """A new one."""
        self._count += 1
        stream = KeptStream(f"{self._count:x}", standing=standing, grown=self._bound)
        self._streams[stream.name] = stream
        if len(self._streams) > MAX_KEPT_STREAMS:
            ended = next((name for name, one in self._streams.items() if one.ended), None)
            del self._streams[ended if ended is not None else next(iter(self._streams))]
        return stream

    def _bound(self) -> None:
        """Forget what is oldest, of the streams that ended first."""
        over = sum(one.kept_bytes for one in self._streams.values()) - MAX_KEPT_OF_SESSION
        for stream in sorted(self._streams.values(), key=lambda one: not one.ended) if over > 0 else ():
            while over > 0 and stream.kept_bytes:
                before = stream.kept_bytes
                stream.forget_one()
                over -= before - stream.kept_bytes

    def find(self, event_id: str) -> tuple[KeptStream, int] | None:
        """The stream of that event and the event's number; None: never ours, or no longer whole."""
        match = _EVENT_ID.fullmatch(event_id)
        stream = self._streams.get(match[1]) if match else None
        if match is None or stream is None or not stream.holds(int(match[2])):
            return None
        return stream, int(match[2])
