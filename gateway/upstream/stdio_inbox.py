"""What one request over a pipe is waiting for: many share the pipe, and none may hold up the others."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from gateway.door.host import Host
from gateway.upstream.frames import Frame

MAX_QUEUED_BYTES = 8 * 1024 * 1024
"""Bytes that wait for a host that is slow. The pipe belongs to all, so the server is not held back for one: what is
said beyond that is dropped. An answer never is."""
_OVERHEAD = 256
"""Bytes that a message costs beside its own; small ones are bounded too."""


class Inbox:
    """Of one request, or one listener. ``token`` is the host's progress token, restored on what comes back."""

    def __init__(self, host: Host, token: Any = None) -> None:
        self.host = host
        self.token = token
        self.answer: bytes | None = None
        self.broken = False
        self.dropped = 0
        self._said: deque[tuple[Frame, bytes]] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()

    def say(self, frame: Frame, data: bytes) -> None:
        """Something was said for this one."""
        if self._bytes + len(data) + _OVERHEAD > MAX_QUEUED_BYTES:
            self.dropped += 1
            return
        self._bytes += len(data) + _OVERHEAD
        self._said.append((frame, data))
        self._wake.set()

    def end(self, answer: bytes) -> None:
        """The answer; a second one is nobody's."""
        if self.answer is None:
            self.answer = answer
            self._wake.set()

    def break_off(self) -> None:
        """Nothing will come any more."""
        self.broken = True
        self._wake.set()

    def wake(self) -> None:
        """Something changed in how long to wait."""
        self._wake.set()

    def next(self) -> tuple[Frame, bytes] | None:
        """What was said first and not taken yet."""
        if not self._said:
            return None
        frame, data = self._said.popleft()
        self._bytes -= len(data) + _OVERHEAD
        return frame, data

    @property
    def over(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.answer is not None or self.broken

    async def change(self, until: float | None) -> None:
        """Wait for anything, to that loop time. :raises TimeoutError:"""
        self._wake.clear()
        async with asyncio.timeout_at(until):
            await self._wake.wait()
