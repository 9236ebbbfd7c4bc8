"""Learns that a host hung up while its request is under way.

Since 2026-07-28 closing the response stream *is* the cancellation (basic/patterns/cancellation). Before, it means
nothing: there a notification cancels, and the host may come back for the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.door.http import Receive

LOOK_EVERY_S = 0.05
"""Seconds between two looks for requests that take long. Most are over by then; a timer and a task for each would
cost as much as reading its headers."""


class Watch:
    """One request that is watched from the second look on, until :meth:`stop`."""

    __slots__ = ("_gone", "_open", "_receive", "_task", "seen")

    def __init__(self, receive: Receive, gone: Callable[[], None], among: set[Watch]) -> None:
        self._receive = receive
        self._gone = gone
        self._open = among
        self._task: asyncio.Task[None] | None = None
        self.seen = False
        among.add(self)

    def stop(self) -> None:
        """Look no longer. To be called before the answer is complete: its end would read as the client's."""
        self._open.discard(self)
        if self._task is not None:
            self._task.cancel()

    def look(self) -> None:
        """Note that it is there; if it was there already, wait for its client to go."""
        if self.seen and self._task is None:
            self._task = asyncio.create_task(self._until_gone())
        self.seen = True

    async def _until_gone(self) -> None:
        await until_gone(self._receive)
        self._gone()


class Watches:
    """The requests of one process that end when their client goes."""

    def __init__(self, *, every_s: float = LOOK_EVERY_S) -> None:
        self._every_s = every_s
        self._open: set[Watch] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, receive: Receive, gone: Callable[[], None]) -> Watch:
        """Watch a request; ``gone`` is called once, if its client goes first."""
        if self._timer is None:
            self._again()
        return Watch(receive, gone, self._open)

    def _again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every_s, self._look)

    def _look(self) -> None:
        self._timer = None
        for watch in self._open:
            watch.look()
        if self._open:
            self._again()


async def until_gone(receive: Receive) -> None:
    """Return when the client has hung up. Whatever else it still sends was not asked for."""
    while (await receive())["type"] != "http.disconnect":
        pass
