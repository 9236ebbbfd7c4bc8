"""What is SQLite's own: one file, several processes, and a host that fails."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.state.sqlite import SqliteStore
from gateway.state.sqlite_file import PURGE_EVERY
from gateway.state.store import Space
from tests.support.faults import no_file_longer_than, readable_directory, without_rights
from tests.support.stores import Clock

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state file will be, in a directory that does not exist yet."""
    return tmp_path / "made" / "state.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    """A store that is closed afterwards."""
    opened = SqliteStore(path)
    yield opened
    await opened.aclose()


def rows(path: Path) -> int:
    """How many rows the file holds, expired ones included."""
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM entry").fetchone()[0])
    finally:
        connection.close()


def left_behind(path: Path, content: bytes, rights: int) -> None:
    """A file that was there before the store."""
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(rights)


def content_of(path: Path) -> bytes:
    """The file's bytes."""
    return path.read_bytes()


def delete(path: Path) -> None:
    """Remove the file under the store's feet."""
    path.unlink()


def exists(path: Path) -> bool:
    """Whether there is such a file."""
    return path.exists()


def move(source: Path, target: Path) -> None:
    """What `mv` does."""
    source.replace(target)


def mode(path: Path) -> int:
    """The permission bits."""
    return path.stat().st_mode & 0o777


def test_four_processes_take_each_key_once(path: Path) -> None:
    """200 tokens, four operating system processes, 800 takes: 200 winners, each value once."""
    asyncio.run(_fill(path, 200))
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.state.take_worker", str(path), "200", str(seed)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(4)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    won = [line for worker in workers for line in worker.communicate()[0].splitlines()]

    assert [worker.returncode for worker in workers] == [0] * 4
    assert sorted(won) == sorted(f"k{n} v{n}" for n in range(200))
    assert rows(path) == 0


async def _fill(path: Path, keys: int) -> None:
    store = SqliteStore(path)
    for n in range(keys):
        await store.put(Space.HANDSHAKE, f"k{n}", b"v%d" % n, ttl_s=600)
    await store.aclose()


async def test_state_survives_a_restart(path: Path) -> None:
    """What was put before the end is there after the start, with its expiry."""
    clock = Clock()
    for ttl_s in (None, 30.0):
        before = SqliteStore(path, now=clock)
        await before.put(Space.PENDING, str(ttl_s), b"v", ttl_s=ttl_s)
        await before.aclose()
    clock.seconds += 30

    after = SqliteStore(path, now=clock)
    assert await after.entries(Space.PENDING, limit=9) == [("None", b"v")]
    await after.aclose()


async def test_the_file_is_the_owners_alone(path: Path, store: SqliteStore) -> None:
    """0600 for the file and what stands beside it, 0700 for its directory."""
    await store.put(Space.LOGIN, "k", b"v", ttl_s=None)

    modes = {found.name: mode(found) for found in path.parent.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
    assert mode(path.parent) == 0o700


async def test_a_file_with_looser_rights_is_tightened(path: Path) -> None:
    """A file that was made readable to all by hand is not left so."""
    left_behind(path, b"", 0o666)
    store = SqliteStore(path)
    await store.ping()
    await store.aclose()

    assert mode(path) == 0o600


async def test_expired_rows_are_purged(path: Path) -> None:
    """Tokens that nobody ever presents do not fill the disk."""
    clock = Clock()
    store = SqliteStore(path, now=clock)
    for n in range(PURGE_EVERY - 1):
        await store.put(Space.HANDSHAKE, f"k{n}", b"v", ttl_s=30)
    await store.put(Space.APPROVAL, "kept", b"v", ttl_s=None)
    clock.seconds += 30
    for n in range(PURGE_EVERY):
        await store.put(Space.HANDSHAKE, f"later{n}", b"v", ttl_s=30)

    await store.aclose()
    assert rows(path) == PURGE_EVERY + 1


async def test_a_locked_file_is_unavailable_and_then_not(path: Path, store: SqliteStore) -> None:
    """Another process that holds the write lock makes writes fail, not hang; afterwards all is well."""
    await store.put(Space.LOGIN, "k", b"v", ttl_s=None)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
        await store.take(Space.LOGIN, "k")
    assert await store.get(Space.LOGIN, "k") == b"v"
    other.execute("ROLLBACK")
    other.close()

    assert await store.take(Space.LOGIN, "k") == b"v"


async def test_a_slow_file_misses_the_deadline(path: Path) -> None:
    """The caller is told in time; the operation may still happen, and a token is then burnt, never usable
    twice."""
    store = SqliteStore(path, deadline_s=0.2)
    await store.put(Space.LOGIN, "k", b"v", ttl_s=None)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="in time"):
        await store.take(Space.LOGIN, "k")
    other.execute("ROLLBACK")
    other.close()
    await store.aclose()

    assert rows(path) == 0


async def test_a_deleted_file_is_unavailable_for_good(path: Path, store: SqliteStore) -> None:
    """SQLite would go on writing to the unlinked file; and a new empty one would forget what was spent."""
    await store.increment(Space.COUNTER, "spent", 5, ttl_s=600)
    delete(path)

    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.increment(Space.COUNTER, "spent", 5, ttl_s=600)
    assert not exists(path)


async def test_a_replaced_file_is_unavailable_too(tmp_path: Path, path: Path, store: SqliteStore) -> None:
    """Neither the deleted file that is still open is read, nor an older one that was put in its place."""
    backup = SqliteStore(tmp_path / "backup.db")
    await backup.put(Space.LOGIN, "k", b"from the backup", ttl_s=None)
    await backup.aclose()
    await store.put(Space.LOGIN, "k", b"v", ttl_s=None)
    shutil.copy(tmp_path / "backup.db", tmp_path / "copy.db")
    move(tmp_path / "copy.db", path)

    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.get(Space.LOGIN, "k")


async def test_a_read_only_directory_is_unavailable() -> None:
    """No file can be made: an error of the tree, without the path."""
    with readable_directory() as directory:
        directory.chmod(0o555)
        store = SqliteStore(directory / "state.db")
        with without_rights(), pytest.raises(StoreUnavailable) as caught:
            await store.ping()
        assert str(directory) not in str(caught.value)
        await store.aclose()
        directory.chmod(0o755)


async def test_a_file_of_another_user_is_unavailable() -> None:
    """Reading may be possible and writing not; neither is tried."""
    with readable_directory() as directory:
        owner = SqliteStore(directory / "state.db")
        await owner.put(Space.LOGIN, "k", b"v", ttl_s=None)
        await owner.aclose()
        (directory / "state.db").chmod(0o444)
        directory.chmod(0o555)
        store = SqliteStore(directory / "state.db")
        with without_rights(), pytest.raises(StoreUnavailable):
            await store.get(Space.LOGIN, "k")
        await store.aclose()
        directory.chmod(0o755)


async def test_a_full_disk_is_unavailable_and_loses_nothing(path: Path, store: SqliteStore) -> None:
    """A write that does not fit is refused whole; what was there is there, and later writes succeed."""
    await store.put(Space.PENDING, "before", b"v", ttl_s=None)
    with no_file_longer_than(64 * 1024), pytest.raises(StoreUnavailable):
        await store.put(Space.PENDING, "big", b"x" * 1_000_000, ttl_s=None)
    assert await store.get(Space.PENDING, "big") is None
    assert await store.get(Space.PENDING, "before") == b"v"
    await store.put(Space.PENDING, "after", b"v", ttl_s=None)

    assert [key for key, _ in await store.entries(Space.PENDING, limit=9)] == ["after", "before"]


@pytest.mark.parametrize(
    "content", [b"not a database, just text\n" * 100, b"SQLite format 3\0" + b"\xff" * 4096]
)
async def test_a_file_of_another_kind_is_unavailable(path: Path, content: bytes) -> None:
    """It is not overwritten either."""
    left_behind(path, content, 0o600)
    store = SqliteStore(path)
    with pytest.raises(StoreUnavailable):
        await store.put(Space.LOGIN, "k", b"v", ttl_s=None)
    await store.aclose()

    assert content_of(path) == content


async def test_a_file_of_another_version_is_unavailable(path: Path, store: SqliteStore) -> None:
    """A newer Countersign's state is left alone, and the message says which version it is."""
    await store.ping()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("UPDATE schema_version SET version = 2")
    other.close()
    second = SqliteStore(path)
    with pytest.raises(StoreUnavailable, match="schema 2"):
        await second.ping()
    await second.aclose()
