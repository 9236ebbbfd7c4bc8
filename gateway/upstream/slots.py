"""How many calls one server is given at a time, and how many may wait for that. First come, first served."""

from __future__ import annotations

import asyncio
from collections import deque


class Full(Exception):
    """As many wait as may wait, or this one waited for too long. It holds no slot."""


class Slots:
    """``limit`` at a time, ``queue`` more that wait, each for ``wait_s`` seconds at most."""

    def __init__(self, limit: int, *, queue: int, wait_s: float) -> None:
        self._free = limit
        self._queue = queue
        self._wait_s = wait_s
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """A slot. :raises Full:"""
        if self._free > 0:
            self._free -= 1
            return
        if len(self._waiting) >= self._queue:
            raise Full
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except BaseException as problem:
            if turn.done() and not turn.cancelled():
                self.give()  # its turn came in the same moment
            else:
                self._waiting.remove(turn)
            if isinstance(problem, TimeoutError):
                raise Full from None
            raise

    def retake(self) -> None:
        """The slot that was given back meanwhile, without a wait: what has begun is finished before new calls begin."""
        self._free -= 1

    def give(self) -> None:
        """To whoever waits for longest."""
        self._free += 1
        while self._free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self._free -= 1
                turn.set_result(None)
