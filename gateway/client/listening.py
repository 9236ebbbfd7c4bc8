"""The older era's standing stream: what a server says without having been asked (GET, 2025-11-25/basic/transports)."""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.client.errors import AnswerLost, BridgeError
from gateway.client.exchange import Gateway, answered
from gateway.client.rounds import Rounds, is_stream
from gateway.client.session import LegacySession

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
"""Seconds between two attempts. A server that accepts the stream and ends it at once must not be asked for ever."""


class Listener:
    """Keeps the stream open while the session lasts."""

    def __init__(self, gateway: Gateway, session: LegacySession, rounds: Rounds) -> None:
        self._gateway = gateway
        self._session = session
        self._rounds = rounds

    async def run(self) -> None:
        """Forward what comes, until there is no such stream (405, or whatever is none), or the task is cancelled."""
        last: str | None = None
        pause = FIRST_PAUSE_S
        opened = self._session.opened
        while True:
            headers = self._session.headers()
            if self._session.opened != opened:
                last, opened = None, self._session.opened
            if last is not None:
                headers["last-event-id"] = last
            try:
                async with self._gateway.request("GET", headers, endless=True) as stream:
                    if not is_stream(stream):
                        if stream.status_code < 500 and stream.status_code != 404:
                            return
                        raise AnswerLost("no stream at the moment")
                    async for event in answered(stream):
                        last = event.id or last
                        pause = FIRST_PAUSE_S if event.data else pause
                        await self._rounds.heard(event.data, None, alone=False)
            except AnswerLost:
                pass
            except BridgeError as problem:
                if problem.code != "client.unreachable":
                    return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
