"""A journal over each kind of store, and what stands around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.outcome.consent import Consent
from gateway.outcome.journal import Earlier
from gateway.outcome.parked import Question
from gateway.outcome.pending import Continuation
from gateway.policy.classes import Classes
from gateway.policy.decision import (
    Allow,
    DuplicatesObligation,
    Obligations,
    Outcome,
    Reason,
    ReplayObligation,
)
from gateway.policy.question import Asked, ConsentFacts
from gateway.state.store import Store
from gateway.transactions.book import TransactionBook
from gateway.transactions.duplicates import Duplicates
from gateway.transactions.journal import TransactionJournal
from gateway.transactions.lease import Lease
from gateway.transactions.transaction import Transaction
from gateway.upstream.paypal import recovery as paypal_recovery
from gateway.upstream.target import Reply
from tests.support.clock import ManualClock
from tests.support.stores import Stores, redis_stores, sqlite_stores
from tests.support.transactions import KEPT
from tests.support.walking import a_call, a_tool, an_asked, done

REASON = Reason(code="consent.given", outcome=Outcome.ALLOW, message="m", remedy="r")
REFUND = dict(KEPT)


@pytest.fixture(params=["sqlite", "redis"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """One kind of store, empty, whose time the test moves."""
    if request.param == "sqlite":
        found = sqlite_stores(tmp_path / "state.db")
    else:
        found = redis_stores(request.getfixturevalue("redis_url"))
    yield found
    await found.aclose()


@pytest.fixture
def store(stores: Stores) -> Store:
    """One store of that kind."""
    return stores.another()


@dataclass(kw_only=True)
class Desk:
    """One gateway process's journal."""

    store: Store
    instance: str
    clock: ManualClock
    monotonic: ManualClock
    slept: list[float] = field(default_factory=list)
    sleeping: Callable[[], Awaitable[object]] | None = None

    def __post_init__(self) -> None:
        self.book = TransactionBook(self.store)
        self.lease = Lease(self.store, monotonic=self.monotonic, instance=self.instance)
        self.journal = self.opened()
        self.followed: list[Transaction] = []
        self.sent: list[str] = []
        self.reply: Reply | Question | BaseException = done()
        self.sending: Callable[[], Awaitable[object]] | None = None

    def opened(self, **members: Any) -> TransactionJournal:
        """Its journal, or one with other settings."""
        return TransactionJournal(
            self.book,
            self.lease,
            Duplicates(self.store, self.book, sleep=self._sleep),
            classes=Classes({"create_refund": 2, "create_invoice": 3, "get_refund": 4}),
            rules={"bank": paypal_recovery},
            now=self.clock,
            followers=[self],
            **members,
        )

    async def settled(self, transaction: Transaction) -> None:
        """See ``Settled``."""
        self.followed.append(transaction)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await (asyncio.sleep(0) if self.sleeping is None else self.sleeping())

    async def carried(
        self,
        transaction_id: str = "t1",
        *,
        tool: str = "create_refund",
        arguments: dict[str, Any] | None = None,
        data_class: int | None = 2,
        duplicates: DuplicatesObligation | None = None,
        replay: ReplayObligation | None = None,
        redact: tuple[str, ...] = (),
        resumed: bool = False,
        **members: Any,
    ) -> Reply | Question | Earlier:
        """One call that the policy allowed."""
        decision = Allow(
            reasons=(REASON,),
            data_class=data_class,
            obligations=Obligations(duplicates=duplicates, replay=replay, redact=redact),
        )
        continuation = Continuation(facts=ConsentFacts()) if resumed else None
        consent = Consent(transaction_id=transaction_id, continuation=continuation)

        async def send() -> Reply | Question:
            self.sent.append(transaction_id)
            if self.sending is not None:
                await self.sending()
            if isinstance(self.reply, BaseException):
                raise self.reply
            return self.reply

        asked: Asked = an_asked(
            a_call(tool, REFUND if arguments is None else arguments), tool=a_tool(tool), **members
        )
        return await self.journal.carried(asked, decision, consent, send)

    async def kept(self, transaction_id: str = "t1") -> Transaction:
        """What the journal has; it must have it."""
        found = await self.book.find(transaction_id)
        assert found is not None
        return found


@pytest.fixture
async def desk(store: Store) -> Desk:
    """The gateway under test."""
    desk = Desk(store=store, instance="one", clock=ManualClock(), monotonic=ManualClock(0))
    await desk.lease.renew()
    return desk


@pytest.fixture
async def beside(stores: Stores, desk: Desk) -> Desk:
    """Another gateway process over the same store."""
    other = Desk(store=stores.another(), instance="two", clock=desk.clock, monotonic=desk.monotonic)
    await other.lease.renew()
    return other
