"""What is done at once where it can be is done rightly in every case."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.state.sqlite import SqliteStore
from gateway.state.sqlite_at_once import AtOnce
from gateway.state.sqlite_file import identity_of
from gateway.state.store import Space


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A name that SQLite's addresses must not take for something else."""
    return tmp_path / "a state?mode=rwc#%2e.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    """A store that is closed afterwards."""
    opened = SqliteStore(path)
    yield opened
    await opened.aclose()


def moved(path: Path) -> None:
    """What `mv` does."""
    path.rename(path.with_name("old.db"))


async def test_a_read_does_not_queue_behind_a_write_that_waits(path: Path, store: SqliteStore) -> None:
    """Another process holds the write lock: whoever only reads is answered meanwhile."""
    await store.put(Space.APPROVAL, "k", b"v", ttl_s=None)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(store.put(Space.APPROVAL, "k", b"w", ttl_s=None))
    await asyncio.sleep(0)
    assert await store.get(Space.APPROVAL, "k") == b"v"
    assert not writing.done()
    other.execute("ROLLBACK")
    other.close()
    await writing
    assert await store.get(Space.APPROVAL, "k") == b"w"


async def test_what_another_process_wrote_is_read(path: Path, store: SqliteStore) -> None:
    """An approval that was revoked elsewhere is revoked here with the next read."""
    await store.put(Space.APPROVAL, "k", b"approved", ttl_s=None)
    assert await store.get(Space.APPROVAL, "k") == b"approved"
    other = SqliteStore(path)
    await other.put(Space.APPROVAL, "k", b"revoked", ttl_s=None)
    assert await store.get(Space.APPROVAL, "k") == b"revoked"
    assert await other.take(Space.APPROVAL, "k") == b"revoked"
    await other.aclose()
    assert await store.get(Space.APPROVAL, "k") is None


async def test_where_it_cannot_be_read_at_once_the_thread_reads(path: Path, store: SqliteStore) -> None:
    """A file that another connection has for itself: an error in time, as ever, and not a wrong answer."""
    await store.put(Space.APPROVAL, "k", b"v", ttl_s=None)
    await store.aclose()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    identity = identity_of(path)
    assert identity is not None
    reader = AtOnce(path)
    with pytest.raises(sqlite3.OperationalError):
        reader.rows(identity).get(Space.APPROVAL, b"k", 0)
    other.close()
    assert reader.rows(identity).get(Space.APPROVAL, b"k", 0) == b"v"
    reader.close()


async def test_a_token_that_cannot_be_written_at_once_is_written_all_the_same(
    path: Path, store: SqliteStore
) -> None:
    """Another process is writing: the store waits for it, and the token is there afterwards."""
    await store.put(Space.HANDSHAKE, "first", b"v", ttl_s=60, durable=False)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(store.put(Space.HANDSHAKE, "k", b"v", ttl_s=60, durable=False))
    await asyncio.sleep(0)
    assert not writing.done()
    other.execute("COMMIT")
    other.close()
    await writing
    assert await store.take(Space.HANDSHAKE, "k") == b"v"


async def test_a_token_is_there_for_every_process_and_is_taken_once(path: Path, store: SqliteStore) -> None:
    """Written without a sync, and still seen by all, taken by one, and gone with its time."""
    other = SqliteStore(path)
    for number in range(100):
        await store.put(Space.HANDSHAKE, f"k{number}", b"v", ttl_s=60, durable=False)
        assert await other.take(Space.HANDSHAKE, f"k{number}", durable=bool(number % 2)) == b"v"
        assert await store.take(Space.HANDSHAKE, f"k{number}", durable=False) is None
    await store.put(Space.HANDSHAKE, "k", b"v", ttl_s=0.001)
    await other.put(Space.HANDSHAKE, "k", b"w", ttl_s=60)
    assert await store.get(Space.HANDSHAKE, "k") == b"w"
    await other.aclose()


async def test_another_file_is_not_read(path: Path, store: SqliteStore) -> None:
    """Attack: who can put another file in its place would bring his own approvals."""
    await store.put(Space.APPROVAL, "k", b"mine", ttl_s=None)
    assert await store.get(Space.APPROVAL, "k") == b"mine"
    moved(path)
    theirs = SqliteStore(path)
    await theirs.put(Space.APPROVAL, "k", b"theirs", ttl_s=None)
    await theirs.aclose()
    with pytest.raises(StoreUnavailable):
        await store.get(Space.APPROVAL, "k")


async def test_what_need_not_be_on_the_disk_is_counted_and_replaced_like_anything_else(
    path: Path, store: SqliteStore
) -> None:
    """Two processes, one of them in a hurry: no count is lost, and a value is replaced by one of them."""
    other = SqliteStore(path)
    await other.ping()
    await store.ping()
    for number in range(1, 101):
        counting = (store, other)[number % 2]
        assert await counting.increment(Space.COUNTER, "c", 1, ttl_s=60, durable=bool(number % 3)) == number
    await store.put(Space.TRANSACTION, "t", b"open", ttl_s=None)
    swapped = await store.swap(
        Space.TRANSACTION, "t", expected=b"open", value=b"done", ttl_s=60, durable=False
    )
    assert swapped
    assert not await other.swap(Space.TRANSACTION, "t", expected=b"open", value=b"x", ttl_s=60)
    assert await other.get(Space.TRANSACTION, "t") == b"done"
    await other.aclose()


async def test_a_durable_write_puts_on_the_disk_what_was_written_before_it(
    path: Path, store: SqliteStore
) -> None:
    """What a token lets out is written durably after the token was taken: the log is one sequence, and a copy of the
    files after that write, which is what a power cut leaves, has no such token."""
    await store.put(Space.HANDSHAKE, "k", b"v", ttl_s=60, durable=False)
    assert await store.take(Space.HANDSHAKE, "k", durable=False) == b"v"
    assert await store.add(Space.TRANSACTION, "t", b"open", ttl_s=None)
    left = path.with_name("left.db")
    for suffix in ("", "-wal"):
        left.with_name(left.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    after = SqliteStore(left)
    assert await after.take(Space.TRANSACTION, "t") == b"open"
    assert await after.take(Space.HANDSHAKE, "k") is None
    await after.aclose()
