"""Gateways on one store count a caller together, and no request waits for the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.rate.shared import LOTS, SharedCount
from gateway.state.sqlite import SqliteStore
from tests.support.clock import ManualClock

ALLOWANCE = 320
LOT = ALLOWANCE // LOTS


class Counting(SqliteStore):
    """How often it was asked."""

    asked = 0

    async def increment(self, *arguments: object, **named: object) -> int:
        """See ``Store.increment``."""
        self.asked += 1
        return await super().increment(*arguments, **named)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> ManualClock:
    """Ten seconds into a minute."""
    return ManualClock(1_795_224_010.0)


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Counting]:
    """One for all."""
    made = Counting(tmp_path / "state.sqlite3", now=clock)
    yield made
    await made.aclose()


async def spent(*gateways: SharedCount, key: str = "one", tries: int = 2 * ALLOWANCE) -> int:
    """What gets through while everything that is to be settled is, in between."""
    through = 0
    for number in range(tries):
        gateway = gateways[number % len(gateways)]
        through += gateway.count(key) == 0.0
        await gateway.aclose()
    return through


async def test_together_they_let_through_what_one_would(store: Counting, clock: ManualClock) -> None:
    """And a lot for each at most; another caller is not told; a new minute is a new allowance."""
    gateways = [SharedCount(store, ALLOWANCE, now=clock) for _ in range(3)]
    assert ALLOWANCE <= await spent(*gateways) <= ALLOWANCE + 3 * LOT
    assert gateways[0].count("one") == pytest.approx(50.0)
    assert gateways[0].count("two") == 0.0
    clock.advance(50.0)
    assert ALLOWANCE <= await spent(*gateways) <= ALLOWANCE + 3 * LOT


async def test_the_store_is_asked_once_a_lot(store: Counting, clock: ManualClock) -> None:
    """And not at all by whoever asks little."""
    gateway = SharedCount(store, ALLOWANCE, now=clock)
    assert await spent(gateway, tries=LOT - 1) == LOT - 1
    assert store.asked == 0
    assert await spent(gateway, tries=2 * ALLOWANCE) == ALLOWANCE - LOT + 1
    assert store.asked == LOTS


async def test_without_the_store_each_counts_for_itself(store: Counting, clock: ManualClock) -> None:
    """Nobody is refused for it."""
    gateways = [SharedCount(store, ALLOWANCE, now=clock) for _ in range(2)]
    await store.aclose()
    assert await spent(*gateways, tries=4 * ALLOWANCE) == 2 * ALLOWANCE


async def test_what_is_under_way_is_not_settled_twice(store: Counting, clock: ManualClock) -> None:
    """A burst in one turn of the loop is one question."""
    gateway = SharedCount(store, ALLOWANCE, now=clock)
    for _ in range(5 * LOT):
        assert gateway.count("one") == 0.0
    await asyncio.sleep(0)
    await gateway.aclose()
    assert store.asked == 1
