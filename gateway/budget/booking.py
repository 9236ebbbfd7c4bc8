"""What one call has reserved, and what becomes of it when the call ends: by what is known of the effect, never by type.

    effect happened, nobody knows, target asks back    stays: the money may have left
    the target refused                                 given back, all of it
    certainly not sent                                 given back, this call's share
    waits for a handshake or a confirmation            stays held, until its time is over
    equal to a call before it (``duplicate_of``)       this call's share: the first has a reservation of its own

Whoever lost a race to send the same transaction gives back its own share only; whoever was cut short, nobody knows how
far, gives back nothing. A store that is away when something is given back keeps it until the window is over: logged,
never raised, the call's own outcome stands.
"""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Self

from gateway.errors import CountersignError, StoreUnavailable
from gateway.outcome.answer import Again, Answer, Executed, MoreInput, Refused, Unknown
from gateway.state.ledger import Extent, Ledger, Mode
from gateway.upstream.target import Effect

_LOG = logging.getLogger("countersign.budget")


class Booking:
    """The context in which a call is carried out. ``ledger`` None: no budget concerns it."""

    __slots__ = ("_answer", "_ledger", "_mode", "name")

    def __init__(self, ledger: Ledger | None, name: str, mode: Mode) -> None:
        self.name = name
        self._ledger = ledger
        self._mode = mode
        self._answer: Answer | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._ledger is None:
            return
        extent = self._settled() if error is None else self._after(error)
        if extent is not None:
            await given_back(self._ledger, self.name, extent)

    def answered(self, answer: Answer) -> None:
        """How the call ended."""
        if self._ledger is not None:  # the one of all calls that book nothing keeps nobody's answer
            self._answer = answer

    async def undo(self) -> None:
        """The call is not carried out after all."""
        if self._ledger is not None and self._own is not None:
            await given_back(self._ledger, self.name, self._own)

    @property
    def _own(self) -> Extent | None:
        """This call's share; None in a later round of a call that its target has begun."""
        return {Mode.HOLD: Extent.HELD, Mode.COMMIT: Extent.ONE, Mode.RESUME: None}[self._mode]

    def _after(self, error: BaseException) -> Extent | None:
        """Every error of the house that leaves the outcome says that nothing was sent (``outcome/allow.py``). Anything
        else, a cancellation above all, does not say how far the call got."""
        return self._own if isinstance(error, CountersignError) else None

    def _settled(self) -> Extent | None:
        match self._answer:
            case Executed() | Unknown() if self._answer.about.duplicate_of is not None:
                return self._own
            case Executed():
                return Extent.ALL if self._answer.effect is Effect.REFUSED else None
            case Unknown() | MoreInput():
                return None
            case Again():
                # The same call waited already under another transaction, which has a reservation of its own.
                return self._own if self._answer.about.transaction_id != self.name else None
            case Refused() | None:
                return self._own


NOT_BOOKED = Booking(None, "", Mode.HOLD)


async def given_back(ledger: Ledger, name: str, extent: Extent) -> None:
    """Also when the caller is cancelled meanwhile. Never raises for a store that is away."""
    await asyncio.shield(asyncio.ensure_future(_release(ledger, name, extent)))


async def _release(ledger: Ledger, name: str, extent: Extent) -> None:
    try:
        await ledger.release(name, extent=extent)
    except StoreUnavailable as problem:
        _LOG.error(
            "transaction %s: %s of its reservation stays until it lapses: %s", name, extent, problem.message
        )
