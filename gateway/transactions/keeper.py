"""The clockwork beside the walk: this process's sign of life, and the looks at what others left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from gateway.errors import CountersignError
from gateway.transactions.lease import RENEW_S, Lease
from gateway.transactions.recovery import Sweep

IDLE_LEASES = 2
"""Leases between two looks while nothing is left open: a gateway that dies is found also where none is started."""
TELL_S = 24 * 3600.0
"""Seconds until the log says again that something waits for a person: it never ends by itself."""
_LOG = logging.getLogger("countersign.transactions")


class Sweeping(Protocol):
    """The looks."""

    async def sweep(self) -> Sweep:
        """One. :raises StoreUnavailable:"""
        ...


class Keeper:
    """Runs from :meth:`start` to :meth:`aclose`. ``monotonic`` is seconds."""

    def __init__(
        self,
        lease: Lease,
        recovery: Sweeping,
        *,
        monotonic: Callable[[], float],
        renew_s: float = RENEW_S,
    ) -> None:
        self._lease = lease
        self._recovery = recovery
        self._monotonic = monotonic
        self._renew_s = renew_s
        self._idle_s = IDLE_LEASES * lease.ttl_s
        self._running: asyncio.Task[None] | None = None
        self._told_at: float | None = None
        self._stopping = False

    async def start(self) -> None:
        """One sign of life and one look, then go on beside. A store that is away holds no start up."""
        await self._renewed()
        self._running = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Stop, and say that this process is gone."""
        self._stopping = (
            True  # a driver may swallow the cancellation; the next round must not come all the same
        )
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        with suppress(CountersignError):
            await self._lease.release()

    async def _run(self) -> None:
        look_at = self._monotonic()
        while not self._stopping:
            if self._monotonic() >= look_at:
                look_at = self._monotonic() + await self._looked()
            await asyncio.sleep(self._renew_s)
            await self._renewed()

    async def _looked(self) -> float:
        """Seconds until the next look. While something is left open its process may die, or be dead already and its
        lease not over."""
        try:
            swept = await self._recovery.sweep()
        except CountersignError as problem:
            _LOG.error("the journal cannot be looked over: %s", problem.message)
            return self._renew_s
        except Exception:  # noqa: BLE001 - the sign of life must go on, whatever one row holds
            _LOG.exception("the look at the journal broke")
            return self._idle_s
        now = self._monotonic()
        if swept.unknown and (self._told_at is None or now >= self._told_at + TELL_S):
            self._told_at = now
            _LOG.warning(
                "%d transactions have an unknown outcome and wait for a person: countersign transactions list",
                swept.unknown,
            )
        if not swept.unknown:
            self._told_at = None
        return self._lease.ttl_s / 2 if swept.left else self._idle_s

    async def _renewed(self) -> None:
        try:
            await self._lease.renew()
        except CountersignError as problem:
            _LOG.error("no sign of life: %s", problem.message)
