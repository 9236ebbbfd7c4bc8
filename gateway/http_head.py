"""uvicorn's HTTP/1.1 with an end to everything that is not a body.

httptools has no bound of its own: a header that never ends is kept in memory, whoever sends it, and a connection on
which no request ever begins, or whose head drips in, is one of the connections that ``limit_concurrency`` counts.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 64 * 1024
"""Request line and headers. A large access token has 8 KB; common servers stop at 8 to 64 KB."""
MAX_TRAILER_BYTES: Final = 64 * 1024
"""What may come in a row in a body without being a part of it: chunk sizes, or trailers, which nobody reads."""
HEAD_DEADLINE_S: Final = 20.0
"""Seconds between two looks; what is found unfinished twice, the same, is cut off."""


class BoundedHead(HttpToolsProtocol):
    """Closes a connection whose head is too large or too slow. Costs a request two counters and no timer."""

    head_deadline_s = HEAD_DEADLINE_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True  # also before the first request: its head is overdue from the start
        self._idle_bytes = 0
        self._heads = 0
        self._seen = -1
        self._looking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        self._looking = self.loop.call_later(self.head_deadline_s, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, of a body, of what stands between."""
        self._idle_bytes += len(data)
        super().data_received(data)
        if self._idle_bytes > (MAX_HEAD_BYTES if self._in_head else MAX_TRAILER_BYTES + len(data)):
            self._cut()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._in_head, self._idle_bytes = True, 0
        self._heads += 1

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head, self._idle_bytes = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body; bounded where it is read."""
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._idle_bytes = 0
        super().on_message_complete()

    def _look(self) -> None:
        if self._in_head and self._seen == self._heads:
            self._cut()
            return
        self._seen = self._heads
        self._looking = self.loop.call_later(self.head_deadline_s, self._look)

    def _cut(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()
