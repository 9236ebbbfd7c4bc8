"""What a phase costs at the store: two round trips for consent, two for the journal, and nothing for a read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.outcome.answer import Again, Executed
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space
from gateway.walk import walk
from tests.support.clock import ManualClock
from tests.support.waiting import a_signature
from tests.support.walking import MAKE, PAY, READ, Rooms, a_call, rooms

ARGUMENTS: dict[str, Any] = {"bill": "b1"}
APPROVAL = 1
"""The tool's approval is read afresh for the classes 1 to 3, in every phase."""
CONSENT = 2
JOURNAL = 2
CLAIM = 3
"""Taken out by compare-and-set, deleted, and with it the copy that would tell that its time was up."""


class CountingStore(SqliteStore):
    """Counts what is asked of it."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        super().__init__(path, now=clock)
        self.trips = 0

    async def put(
        self, space: Space, key: str, value: bytes, *, ttl_s: float | None, durable: bool = True
    ) -> None:
        """One."""
        self.trips += 1
        await super().put(space, key, value, ttl_s=ttl_s, durable=durable)

    async def add(self, space: Space, key: str, value: bytes, *, ttl_s: float | None) -> bool:
        """One."""
        self.trips += 1
        return await super().add(space, key, value, ttl_s=ttl_s)

    async def get(self, space: Space, key: str) -> bytes | None:
        """One."""
        self.trips += 1
        return await super().get(space, key)

    async def take(self, space: Space, key: str, *, durable: bool = True) -> bytes | None:
        """One."""
        self.trips += 1
        return await super().take(space, key, durable=durable)

    async def swap(
        self,
        space: Space,
        key: str,
        *,
        expected: bytes,
        value: bytes,
        ttl_s: float | None,
        durable: bool = True,
    ) -> bool:
        """One."""
        self.trips += 1
        return await super().swap(space, key, expected=expected, value=value, ttl_s=ttl_s, durable=durable)


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Rooms]:
    """All rooms, over a store that counts."""
    async with rooms(tmp_path, store_of=CountingStore) as running:
        yield running


async def cost(bank: Rooms, tool: str, token: str | None = None) -> tuple[int, Any]:
    """Round trips of one call, and its answer."""
    assert isinstance(bank.store, CountingStore)
    before = bank.store.trips
    answer = await walk(a_call(tool, ARGUMENTS, token=token), bank.house)
    return bank.store.trips - before, answer


async def test_what_each_phase_costs(bank: Rooms) -> None:
    """First of all the tools are listed once, which is nobody's phase."""
    await cost(bank, READ)
    trips, answer = await cost(bank, READ)
    assert (trips, type(answer)) == (0, Executed)

    trips, answer = await cost(bank, MAKE)
    assert (trips, type(answer)) == (APPROVAL + CONSENT, Again)
    trips, answer = await cost(bank, MAKE, answer.token)
    assert (trips, type(answer)) == (APPROVAL + CONSENT + JOURNAL, Executed)

    _, answer = await cost(bank, PAY)
    _, answer = await cost(bank, PAY, answer.token)
    ((key, _),) = await bank.store.entries(Space.PENDING, limit=10)
    pending = await bank.waiting.find(key)
    assert pending is not None
    signature = a_signature(pending, at=int(bank.clock.now))
    signed = msgspec.structs.replace(pending, confirmations=(signature,))
    assert await bank.waiting.replace(pending, signed)
    trips, answer = await cost(bank, PAY, answer.token)
    assert (trips, type(answer)) == (APPROVAL + CONSENT + CLAIM + JOURNAL, Executed)
