"""What gives a reservation back although its call is not here any more: time, a second party's no, a late outcome.

Whoever is missed here (a crash just before) is not missed for ever: what is held lapses with its own time, what is
committed with its window.
"""

from __future__ import annotations

from gateway.budget.booking import given_back
from gateway.outcome.pending import Pending
from gateway.state.ledger import Extent, Ledger
from gateway.transactions.transaction import Transaction
from gateway.upstream.target import Effect


class Releases:
    """Listens. A store that is away is logged."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def timed_out(self, pending: Pending) -> None:
        """Nobody confirmed in time (``outcome.deadlines.TimedOut``)."""
        await given_back(self._ledger, pending.transaction_id, Extent.HELD)

    async def refused(self, transaction_id: str) -> None:
        """A second party said no (``outcome.pending.Waiting``)."""
        await given_back(self._ledger, transaction_id, Extent.HELD)

    async def settled(self, transaction: Transaction) -> None:
        """What became known later (``transactions.transaction.Settled``): a call without effect gives all of it back;
        one that had its effect is counted since it was sent."""
        if transaction.outcome is Effect.REFUSED:
            await given_back(self._ledger, transaction.transaction_id, Extent.ALL)
