"""Transactions in the store. Every change is an insert or a compare-and-set: two processes never both believe that a
transaction is theirs. Errors: ``StoreUnavailable``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from gateway.state.store import Space, Store
from gateway.transactions.transaction import How, State, Transaction
from gateway.upstream.target import Effect

KEPT_S = 24 * 3600.0
"""Seconds that a transaction with a known outcome stays; the audit keeps it for good. What is open or unknown stays
until it is settled."""
PAGE = 1_000
"""Rows read at once."""
_TRANSACTION = msgspec.json.Decoder(Transaction)


class TransactionBook:
    """The journal's rows."""

    def __init__(self, store: Store, *, kept_s: float = KEPT_S) -> None:
        self._store = store
        self._kept_s = kept_s

    async def open(self, transaction: Transaction) -> bool:
        """Insert. False: a transaction of this id was begun before, and must not leave a second time."""
        return await self._store.add(
            Space.TRANSACTION, transaction.transaction_id, _encoded(transaction), ttl_s=self._ttl(transaction)
        )

    async def find(self, transaction_id: str) -> Transaction | None:
        """The transaction of that id; None: none was begun, or it was settled longer than a day ago."""
        value = await self._store.get(Space.TRANSACTION, transaction_id)
        return None if value is None else read(value)

    async def replace(self, old: Transaction, new: Transaction) -> bool:
        """Compare-and-set. False: somebody else moved it first.

        An end may be undone by a power cut: the transaction is open again, and looked up. A second beginning may not.
        """
        return await self._store.swap(
            Space.TRANSACTION,
            old.transaction_id,
            expected=_encoded(old),
            value=_encoded(new),
            ttl_s=self._ttl(new),
            durable=new.state is State.OPEN,
        )

    async def all(self) -> AsyncIterator[Transaction]:
        """Every transaction, in no order that means anything. For recoveries and people: Redis walks all keys."""
        after = ""
        while rows := await self._store.entries(Space.TRANSACTION, limit=PAGE, after=after):
            for _, value in rows:
                transaction = read(value)
                if transaction is not None:
                    yield transaction
            after = rows[-1][0]

    async def withdraw(self, transaction_id: str, like: Transaction) -> bool:
        """Take an id out of use that was announced and not begun. True: it never left, and never will."""
        never = msgspec.structs.replace(
            like,
            transaction_id=transaction_id,
            state=State.SETTLED,
            outcome=Effect.REFUSED,
            how=How.NEVER_SENT,
            finished_at=like.started_at,
            instance="",
            kept={},
        )
        return await self.open(never)

    def _ttl(self, transaction: Transaction) -> float | None:
        return None if transaction.unsettled else self._kept_s


def read(value: bytes) -> Transaction | None:
    """A row as it was written, or None where it is none of ours."""
    try:
        return _TRANSACTION.decode(value)
    except ValueError:  # msgspec's own errors, and broken UTF-8
        return None


def _encoded(transaction: Transaction) -> bytes:
    return msgspec.json.encode(transaction)
