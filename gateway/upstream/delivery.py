"""A message of a server that is no answer, brought to whom it is for."""

from __future__ import annotations

from collections.abc import Callable

from gateway.door.host import Host
from gateway.upstream.frames import CANCELLED, TOOLS_CHANGED, Frame, correlation, passed_on
from gateway.upstream.questions import Questions

Changed = Callable[[str], None]
"""Called with a server's name when it says that its tools changed; must not block."""


def unheard(name: str) -> None:
    """Nobody keeps a list of tools."""


class Delivery:
    """Of one server."""

    def __init__(self, name: str, changed: Changed = unheard) -> None:
        self._name = name
        self._changed = changed

    async def said(self, frame: Frame, data: bytes, host: Host, questions: Questions | None) -> None:
        """One notification, to the host. Waits for the host, and so holds the server back.

        ``notifications/cancelled`` names a request by the server's own id: it takes back a question of the server's,
        and means nothing to a host.
        """
        if frame.method == CANCELLED:
            if questions is not None:
                questions.take_back(correlation(frame)[2])
            return
        self.looked_at(frame)
        message = passed_on(data)
        if message is not None:
            await host.notify(message)

    def looked_at(self, frame: Frame) -> None:
        """What concerns the gateway itself, whoever else is told."""
        if frame.method == TOOLS_CHANGED:
            self._changed(self._name)
