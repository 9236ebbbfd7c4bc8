"""A person's finding: on what is unknown, once, and the followers hear of it."""

from __future__ import annotations

import asyncio

import pytest

from gateway.transactions.settlement import Finding, Settlement
from gateway.transactions.transaction import How, State, Transaction
from gateway.upstream.target import Effect
from tests.support.transactions import a_transaction
from tests.transactions.conftest import Desk

UNKNOWN = a_transaction(state=State.SETTLED, outcome=Effect.UNKNOWN, how=How.NOBODY)


class Heard:
    """A budget, say."""

    def __init__(self) -> None:
        self.all: list[Transaction] = []

    async def settled(self, transaction: Transaction) -> None:
        """See ``Settled``."""
        self.all.append(transaction)


async def test_of_two_people_one_settles(desk: Desk) -> None:
    """At once, and with different findings: the first stands, the other is told."""
    await desk.book.open(UNKNOWN)
    heard = Heard()
    settlement = Settlement(desk.book, now=desk.clock, followers=[heard])
    ended = await asyncio.gather(
        settlement.settle(UNKNOWN, Finding.EXECUTED, by="ann"),
        settlement.settle(UNKNOWN, Finding.FAILED, by="bob"),
    )
    (stands,) = [one for one in ended if one is not None]
    assert stands == await desk.kept()
    assert stands.settled_by in ("ann", "bob")
    assert heard.all == [stands]


@pytest.mark.parametrize(
    "other",
    [
        a_transaction(),
        a_transaction(state=State.WAITING),
        a_transaction(state=State.SETTLED, outcome=Effect.EXECUTED),
    ],
)
async def test_only_what_is_unknown_is_settled(desk: Desk, other: Transaction) -> None:
    """What is under way may still be answered, and what is known is known."""
    await desk.book.open(other)
    assert await Settlement(desk.book, now=desk.clock).settle(other, Finding.FAILED, by="ann") is None
    assert await desk.kept() == other
