"""Learns that a host hung up while its request is under way.

Since 2026-07-28 closing the response stream *is* the cancellation (basic/patterns/cancellation). Before, it means
nothing: there a notification cancels, and the host may come back for the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.door.http import Receive

WATCH_AFTER_S = 0.05
"""Seconds before anybody looks: most calls are over by then, and a task for each would cost more than their parsing."""


class Watch:
    """Calls ``gone`` once the client is gone, from ``after_s`` seconds on until :meth:`stop`."""

    __slots__ = ("_gone", "_receive", "_task", "_timer")

    def __init__(self, receive: Receive, gone: Callable[[], None], *, after_s: float = WATCH_AFTER_S) -> None:
        self._receive = receive
        self._gone = gone
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(after_s, self._start)

    def stop(self) -> None:
        """Look no longer. To be called before the answer is complete: its end would read as the client's."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _start(self) -> None:
        self._task = asyncio.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        await until_gone(self._receive)
        self._gone()


async def until_gone(receive: Receive) -> None:
    """Return when the client has hung up. Whatever else it still sends was not asked for."""
    while (await receive())["type"] != "http.disconnect":
        pass
