"""Calls whose agents were being asked by a process that ended: nobody asks about them any more, and they say so.

Arguments are not in the store, so another process cannot ask anew. It looks once, at its start, what only agents may
confirm, and refuses after a while what is still unconfirmed; a minute later the caller may try again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from gateway.errors import CountersignError
from gateway.outcome.pending import Pending, Status

GRACE_S: Final = 180.0
"""Seconds in which any other gateway that is asking has its answer: an agent has 60 at most, and stands in line."""
MAX_ORPHANS: Final = 1000
_LOG = logging.getLogger("countersign.agents")


class Waits(Protocol):
    """The part of :class:`gateway.outcome.pending.Waiting` that the look needs."""

    async def waiting(self, *, limit: int) -> list[Pending]:
        """What waits. :raises StoreUnavailable:"""
        ...


class Ends(Protocol):
    """The part of :class:`~gateway.agents.countersigning.Countersigning` that ends such a call."""

    async def unconfirmed(self, shown: Pending) -> bool:
        """Refused, unless it is enough by now, or something else. :raises CountersignError:"""
        ...


class Orphans:
    """One look, and one end."""

    def __init__(
        self, waiting: Waits, signing: Ends, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._waiting = waiting
        self._signing = signing
        self._sleep = sleep

    async def run(self) -> None:
        """Look now, wait, end what is still there. Never raises but for a cancellation."""
        try:
            found = await self._waiting.waiting(limit=MAX_ORPHANS)
            left = [
                one for one in found if one.status is Status.WAITING and set(one.obligation.by) == {"agent"}
            ]
            if left:
                await self._sleep(GRACE_S)
            for pending in left:
                if await self._signing.unconfirmed(pending):
                    _LOG.warning("call %s was left unconfirmed by a restart", pending.transaction_id)
        except CountersignError as problem:
            _LOG.error("calls that a restart left behind were not looked at: %s", problem.message)
