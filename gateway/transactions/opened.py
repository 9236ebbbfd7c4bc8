"""The journal of a running gateway: wired, recovering, and closed again. ``app.py`` says with what."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from gateway.door.call import ToolCall
from gateway.kill.order import Orders
from gateway.kill.orders import read_orders
from gateway.outcome.allow import Lapses
from gateway.policy.classes import Classes
from gateway.state.store import Store
from gateway.transactions.book import KEPT_S, TransactionBook
from gateway.transactions.duplicates import Duplicates
from gateway.transactions.journal import TransactionJournal
from gateway.transactions.keeper import Keeper
from gateway.transactions.lease import Lease
from gateway.transactions.prices import Prices
from gateway.transactions.recovery import ARGUMENTS_S, Definitions, Recovery, RecoveryAudit
from gateway.transactions.rules import RecoveryRules
from gateway.transactions.transaction import Settled
from gateway.upstream.target import Upstream


class JournaledLapses:
    """The last word on a call that nobody came back to, in the journal and then in the audit."""

    def __init__(self, journal: TransactionJournal, lapses: Lapses) -> None:
        self._journal = journal
        self._lapses = lapses

    async def lapsed(self, call: ToolCall, transaction_id: str) -> None:
        """See ``gateway.outcome.allow.Lapses``."""
        await self._journal.lapsed(transaction_id)
        await self._lapses.lapsed(call, transaction_id)


@asynccontextmanager
async def open_journal(
    store: Store,
    upstreams: Mapping[str, Upstream],
    definitions: Definitions,
    audit: RecoveryAudit,
    *,
    classes: Classes,
    rules: Mapping[str, RecoveryRules],
    now: Callable[[], float],
    lease_s: float,
    followers: Sequence[Settled] = (),
    monotonic: Callable[[], float] = time.monotonic,
    kept_s: float = KEPT_S,
    arguments_s: float = ARGUMENTS_S,
    prices: Prices | None = None,
) -> AsyncIterator[TransactionJournal]:
    """What died is looked up beside the first calls, not before them. ``followers`` hear of late outcomes. ``kept_s``:
    how long what is settled stays; ``arguments_s``: how long arguments do while nobody knows, 0: never written.
    ``prices``: what a replay would cost now."""
    book = TransactionBook(store, kept_s=kept_s)
    lease = Lease(store, monotonic=monotonic, ttl_s=lease_s)

    async def stops() -> Orders:
        return Orders(await read_orders(store))

    recovery = Recovery(
        book,
        lease,
        upstreams,
        definitions,
        audit,
        stops=stops,
        rules=rules,
        now=now,
        followers=followers,
        arguments_s=arguments_s,
        prices=prices,
    )
    keeper = Keeper(lease, recovery, monotonic=monotonic, renew_s=lease_s / 3)
    journal = TransactionJournal(
        book,
        lease,
        Duplicates(store, book),
        classes=classes,
        rules=rules,
        now=now,
        followers=followers,
        keep_arguments=arguments_s > 0,
    )
    await keeper.start()
    try:
        yield journal
    finally:
        await journal.aclose()
        await keeper.aclose()
