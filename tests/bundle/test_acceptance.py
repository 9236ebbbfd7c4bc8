"""Which revision decides: one answer for all gateways on a store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.bundle.acceptance import (
    KEY,
    Accepted,
    Standing,
    accept,
    decode,
    read_accepted,
    standing,
    take_up,
)
from gateway.bundle.revision import Sequenced, revision_text, sequenced
from gateway.errors import StoreUnavailable
from gateway.state.open import open_store
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space


def a_revision(sequence: int, *, name: str = "small", digest: str = "a") -> Sequenced:
    """One that can be put in order."""
    found = sequenced(revision_text(name, sequence, digest * 64))
    assert found is not None
    return found


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened = SqliteStore(tmp_path / "state.sqlite3")
    yield opened
    await opened.aclose()


@pytest.mark.parametrize(
    ("found", "now", "stands"),
    [
        (a_revision(6), 100.0, Standing.NEWER),
        (a_revision(5), 100.0, Standing.ACCEPTED),
        (a_revision(5, digest="b"), 100.0, Standing.OLDER),
        (a_revision(4), 109.9, Standing.LEAVING),
        (a_revision(4), 110.0, Standing.OLDER),
        (a_revision(4, digest="b"), 100.0, Standing.OLDER),
        (a_revision(3), 100.0, Standing.OLDER),
        (a_revision(6, name="sandbox"), 100.0, Standing.NEWER),
        (a_revision(5, name="sandbox"), 100.0, Standing.OLDER),
    ],
)
def test_how_a_revision_stands(found: Sequenced, now: float, stands: Standing) -> None:
    """To the accepted one, by its sequence alone; the one before it has a moment to leave."""
    accepted = Accepted(revision=a_revision(5).text, highest=5, at=100, before=a_revision(4).text)
    assert standing(found, accepted, now=now, rollout_s=10) is stands
    assert standing(found, None, now=now, rollout_s=10) is Standing.NEWER


async def test_the_newest_of_many_is_accepted(store: SqliteStore) -> None:
    """Whoever comes first, and at once: nobody puts the others back."""
    await asyncio.gather(
        *(take_up(store, a_revision(one), now=1.0, rollout_s=0) for one in (3, 9, 1, 7, 9, 2))
    )
    accepted = await read_accepted(store)
    assert accepted is not None
    assert accepted.revision == a_revision(9).text
    assert (await take_up(store, a_revision(8), now=1.0, rollout_s=0))[0] is Standing.OLDER
    assert await read_accepted(store) == accepted


async def test_a_person_may_go_back(store: SqliteStore) -> None:
    """Then what was newer decides no longer, not even for a moment."""
    await take_up(store, a_revision(9), now=1.0, rollout_s=100)
    before = await accept(store, a_revision(4), by="olga", now=2.0)
    assert before is not None
    assert before.revision == a_revision(9).text
    accepted = await read_accepted(store)
    assert accepted == Accepted(revision=a_revision(4).text, highest=9, at=2, by="olga")
    # A sidecar that still has the faulty one does not bring it back; the next one does decide.
    assert standing(a_revision(9), accepted, now=2.0, rollout_s=100) is Standing.OLDER
    assert standing(a_revision(8), accepted, now=2.0, rollout_s=100) is Standing.OLDER
    assert standing(a_revision(10), accepted, now=2.0, rollout_s=100) is Standing.NEWER


async def test_a_sequence_that_was_too_high_can_be_forgotten(store: SqliteStore) -> None:
    """Or nothing newer could ever decide."""
    await take_up(store, a_revision(1_000_000), now=1.0, rollout_s=0)
    await accept(store, a_revision(4), by="olga", now=2.0, forget=True)
    assert (await take_up(store, a_revision(5), now=3.0, rollout_s=0))[0] is Standing.NEWER


async def test_gateways_on_several_hosts_agree(redis_url: str) -> None:
    """The same over a real Redis, each with a connection of its own."""
    stores = [open_store(redis_url) for _ in range(4)]
    try:
        await asyncio.gather(
            *(
                take_up(stores[one % 4], a_revision(one), now=1.0, rollout_s=0)
                for one in (3, 9, 1, 7, 9, 2, 8, 5)
            )
        )
        for store in stores:
            accepted = await read_accepted(store)
            assert accepted is not None
            assert accepted.revision == a_revision(9).text
    finally:
        for store in stores:
            await store.aclose()


@pytest.mark.parametrize(
    "document", [b"", b"{}", b"[]", b'{"revision":"x","highest":1,"at":1}', b'{"revision":"small+2.', b"\xff"]
)
async def test_what_cannot_be_read_is_not_guessed(store: SqliteStore, document: bytes) -> None:
    """An edited or cut document does not mean that nothing was accepted."""
    with pytest.raises(StoreUnavailable):
        decode(document)
    await store.put(Space.POLICY, KEY, document, ttl_s=None)
    with pytest.raises(StoreUnavailable):
        await take_up(store, a_revision(1), now=1.0, rollout_s=0)
