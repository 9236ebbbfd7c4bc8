"""Equal calls: same caller, server, tool and arguments within a window that the policy names.

Whoever comes first announces its transaction under the hash of the four; later ones find it there, and what became of
it decides. An agent that lost an answer asks again with a new handshake, and a person may sign again without noticing:
while the first is open or unknown, the second is not sent. A first that certainly did not happen is in nobody's way.
Two equal refunds that are both meant go through, one after the other, unless the policy says ``answers: all``.

An announcement without a transaction in the journal belongs to a call that is about to begin, or to a process that
died just there. It is withdrawn by taking its id out of use; whichever of the two inserts first has it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import msgspec

from gateway.outcome.journal import Earlier
from gateway.policy.decision import DuplicatesObligation
from gateway.state.store import Space, Store
from gateway.transactions.book import TransactionBook
from gateway.transactions.transaction import State, Transaction
from gateway.upstream.target import Effect

ATTEMPTS = 4
"""Looks at an announcement that others move meanwhile; after them the call is told that one is under way."""
LOOKS = 8
LOOK_S = 0.25
"""Seconds between two looks at a first call that is under way: two seconds in all."""
MAX_RESULT_BYTES = 64 * 1024
"""A larger result is not kept; the duplicate is then told only that the first was carried out."""


class _Kept(msgspec.Struct, frozen=True):
    result: msgspec.Raw
    result_type: str | None = None


class Duplicates:
    """The announcements, and the results that are kept for later equal calls. Errors: ``StoreUnavailable``."""

    def __init__(
        self,
        store: Store,
        book: TransactionBook,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._book = book
        self._sleep = sleep

    async def admit(self, mine: Transaction, wanted: DuplicatesObligation) -> Earlier | None:
        """None: ``mine`` is announced and may begin. Else the equal call that stands in its way."""
        key, announced = _key(mine), mine.transaction_id.encode()
        first = mine.transaction_id
        for _ in range(ATTEMPTS):
            if await self._store.add(Space.DUPLICATE, key, announced, ttl_s=wanted.window_seconds):
                return None
            found = await self._store.get(Space.DUPLICATE, key)
            if found is None:
                continue  # its window ended between the two
            first = found.decode()
            if first == mine.transaction_id:
                return None
            earlier = await self._earlier(first, mine, wanted)
            if earlier is not None:
                return earlier
            if await self._store.swap(
                Space.DUPLICATE, key, expected=found, value=announced, ttl_s=wanted.window_seconds
            ):
                return None
        return Earlier(transaction_id=first, outcome=None)

    async def keep(
        self, transaction: Transaction, result: msgspec.Raw, result_type: str | None, *, ttl_s: float
    ) -> None:
        """Keep a (masked) result for equal calls to come, if it is small enough."""
        if len(memoryview(result)) <= MAX_RESULT_BYTES:
            value = msgspec.json.encode(_Kept(result, result_type))
            await self._store.put(
                Space.DUPLICATE, _result_key(transaction.transaction_id), value, ttl_s=ttl_s
            )

    async def _earlier(self, first: str, mine: Transaction, wanted: DuplicatesObligation) -> Earlier | None:
        transaction = await self._book.find(first)
        for _ in range(LOOKS):
            # None: announced this very moment, and about to begin; or its process died in between.
            if transaction is not None and transaction.state is not State.OPEN:
                break
            await self._sleep(LOOK_S)
            transaction = await self._book.find(first)
        if transaction is None:
            if await self._book.withdraw(first, mine):
                return None
            transaction = await self._book.find(first)
        if transaction is None or transaction.outcome is Effect.REFUSED:
            return None
        if transaction.outcome is not Effect.EXECUTED:
            return Earlier(transaction_id=first, outcome=transaction.outcome)
        if wanted.answers == "unsettled":
            return None
        kept = await self._store.get(Space.DUPLICATE, _result_key(first))
        if kept is None:
            return Earlier(transaction_id=first, outcome=Effect.EXECUTED)
        shown = msgspec.json.decode(kept, type=_Kept)
        return Earlier(
            transaction_id=first,
            outcome=Effect.EXECUTED,
            result=shown.result,
            result_type=shown.result_type,
        )


def _key(one: Transaction) -> str:
    """The same for equal calls and for no others: a hash over an unambiguous encoding."""
    equal = (one.issuer, one.subject, one.server, one.tool, one.arguments_hash)
    return "call:" + hashlib.sha256(msgspec.json.encode(equal)).hexdigest()


def _result_key(transaction_id: str) -> str:
    return f"result:{transaction_id}"
