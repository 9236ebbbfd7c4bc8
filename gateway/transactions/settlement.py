"""What a person found out about a transaction whose outcome was unknown, written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from gateway.transactions.book import TransactionBook
from gateway.transactions.transaction import How, Settled, State, Transaction, follow
from gateway.upstream.target import Effect


class Finding(StrEnum):
    """What the person saw at the target: the effect, or certainly none."""

    EXECUTED = "executed"
    FAILED = "failed"


_OUTCOMES = {Finding.EXECUTED: Effect.EXECUTED, Finding.FAILED: Effect.REFUSED}


def can_be_settled(transaction: Transaction) -> bool:
    """Only what is unknown: what is open belongs to a gateway, or to the next recovery."""
    return transaction.state is State.SETTLED and transaction.outcome is Effect.UNKNOWN


class Settlement:
    """Writes findings down. Whoever calls has them in the audit first. Errors: ``StoreUnavailable``."""

    def __init__(
        self, book: TransactionBook, *, now: Callable[[], float], followers: Sequence[Settled] = ()
    ) -> None:
        self._book = book
        self._now = now
        self._followers = followers

    async def settle(self, transaction: Transaction, finding: Finding, *, by: str) -> Transaction | None:
        """The transaction as it is from now on; None: it is not unknown, or was settled meanwhile."""
        if not can_be_settled(transaction):
            return None
        settled = msgspec.structs.replace(
            transaction,
            outcome=_OUTCOMES[finding],
            how=How.PERSON,
            settled_by=by,
            finished_at=self._now(),
            kept={},
            sent=None,
        )
        if not await self._book.replace(transaction, settled):
            return None
        await follow(self._followers, settled)
        return settled
