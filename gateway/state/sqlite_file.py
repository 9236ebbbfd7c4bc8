"""The SQL behind ``sqlite.py``. Blocking, for one thread. Times are unix milliseconds; ``ttl`` is
milliseconds.

Every operation is one statement, or one ``BEGIN IMMEDIATE`` transaction: the write lock is held before
anything is read, so two processes never decide from the same old value. Statements with RETURNING are read
to the end (``fetchall``), since SQLite commits only then: a value is never handed out before its deletion
is on the disk.

Raises ``sqlite3.Error``, ``OSError``, ``WrongSchemaError``; ``ValueError`` from ``increment``.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from gateway.state.store import COUNTER_MAX, COUNTER_MIN, Space

SCHEMA_VERSION = 1
BUSY_TIMEOUT_MS = 2000
"""How long a statement waits for another process's write lock. Ours hold it for one fsync."""
OPENING_POLL_S = 0.005
"""Between two tries to open a file that another process is opening."""
PURGE_EVERY = 32
"""Writes between two purges."""
PURGE_ROWS = 128
"""Expired rows removed by one purge: more than arrive between two (32), so the file cannot grow with dead
rows."""

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);
INSERT INTO schema_version SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM schema_version);
CREATE TABLE IF NOT EXISTS entry (
    space TEXT NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (space, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_by_expiry ON entry (expires_at) WHERE expires_at IS NOT NULL;
COMMIT;
"""
_ALIVE = "(expires_at IS NULL OR expires_at > ?)"
PUT = (
    "INSERT INTO entry (space, key, value, expires_at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at"
)
_ADD = PUT + " WHERE entry.expires_at IS NOT NULL AND entry.expires_at <= ? RETURNING 1"
GET = f"SELECT value FROM entry WHERE space = ? AND key = ? AND {_ALIVE}"  # noqa: S608  (constants only)
_COUNTER = f"SELECT value, expires_at FROM entry WHERE space = ? AND key = ? AND {_ALIVE}"  # noqa: S608
_TAKE = "DELETE FROM entry WHERE space = ? AND key = ? RETURNING value, expires_at"
_SWAP = f"UPDATE entry SET value = ?, expires_at = ? WHERE space = ? AND key = ? AND value = ? AND {_ALIVE} RETURNING 1"  # noqa: S608
_ENTRIES = f"SELECT key, value FROM entry WHERE space = ? AND key > ? AND {_ALIVE} ORDER BY key LIMIT ?"  # noqa: S608
_PURGE = (
    "DELETE FROM entry WHERE (space, key) IN"
    " (SELECT space, key FROM entry WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT ?)"
)

_T = TypeVar("_T")
Identity = tuple[int, int]
"""Device and inode."""


class WrongSchemaError(Exception):
    """The file was written by another version of Countersign."""


class SqliteFile:
    """One connection to one file, opened on first use; the same file, by device and inode, until the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._identity: Identity | None = None
        self._writes = 0

    @property
    def identity(self) -> Identity | None:
        """Which file it is, once it was opened."""
        return self._identity

    def put(self, space: Space, key: bytes, value: bytes, now: int, ttl: int | None) -> None:
        """Insert or replace."""
        self._open().execute(PUT, (space, key, value, until_ms(now, ttl)))
        self.wrote(now, 1)

    def add(self, space: Space, key: bytes, value: bytes, now: int, ttl: int | None) -> bool:
        """Insert, or replace what is expired."""
        rows = self._open().execute(_ADD, (space, key, value, until_ms(now, ttl), now)).fetchall()
        self.wrote(now, 1)
        return bool(rows)

    def get(self, space: Space, key: bytes, now: int) -> bytes | None:
        """The unexpired value."""
        rows = self._open().execute(GET, (space, key, now)).fetchall()
        return bytes(rows[0][0]) if rows else None

    def take(self, space: Space, key: bytes, now: int) -> bytes | None:
        """Delete, and return what was unexpired."""
        for value, expires_at in self._open().execute(_TAKE, (space, key)).fetchall():
            if expires_at is None or expires_at > now:
                return bytes(value)
        return None

    def swap(
        self, space: Space, key: bytes, expected: bytes, value: bytes, now: int, ttl: int | None
    ) -> bool:
        """Compare and set."""
        parameters = (value, until_ms(now, ttl), space, key, expected, now)
        return bool(self._open().execute(_SWAP, parameters).fetchall())

    def entries(self, space: Space, limit: int, now: int, after: bytes = b"") -> list[tuple[bytes, bytes]]:
        """The first ``limit`` by key beyond ``after`` (no key is empty); SQLite compares BLOBs with memcmp."""
        return self._open().execute(_ENTRIES, (space, after, now, limit)).fetchall()

    def increment(self, space: Space, key: bytes, by: int, now: int, ttl: int) -> int:
        """Read, add, write, in one transaction."""
        connection = self._open()

        def count() -> int:
            rows = connection.execute(_COUNTER, (space, key, now)).fetchall()
            old, until = (_number(rows[0][0]), rows[0][1]) if rows else (0, until_ms(now, ttl))
            new = old + by
            if not COUNTER_MIN <= new <= COUNTER_MAX:
                raise ValueError("the counter would leave 64 bits")
            connection.execute(PUT, (space, key, str(new).encode(), until))
            return new

        counted = _transaction(connection, count)
        self.wrote(now, 1)
        return counted

    def ping(self) -> None:
        """Read one row."""
        self._open().execute("SELECT version FROM schema_version").fetchall()

    def close(self) -> None:
        """Close the connection; the next operation would open it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._identity is not None and identity_of(self._path) != self._identity:
            # The file was deleted or replaced. Writes to the old one would succeed and be lost with this
            # process, and no other process would see them: a spent token would be unspent elsewhere. A new
            # one is not made or taken up under a running gateway either: whoever can delete the file must
            # not reset the counters, and a write-ahead log that was left behind would be played into a
            # backup.
            self.close()
            raise FileNotFoundError("the state file was deleted or replaced")
        if self._connection is not None:
            return self._connection
        if self._identity is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # O_EXCL: closing a second descriptor of a database would drop this process's locks on it
            # (https://www.sqlite.org/howtocorrupt.html section 2.2).
            with suppress(FileExistsError):
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._connection = _connect(self._path)
        self._identity = identity_of(self._path)
        return self._connection

    def wrote(self, now: int, writes: int) -> None:
        """So many writes were made, here or by another connection of this store: now and then what is expired goes."""
        self._writes += writes
        if self._writes >= PURGE_EVERY and self._connection is not None:
            self._writes = 0
            # The write is done and must not be reported as failed; a lasting fault shows in the next
            # operation.
            with suppress(sqlite3.Error):
                self._connection.execute(_PURGE, (now, PURGE_ROWS))


def _connect(path: Path) -> sqlite3.Connection:
    # Autocommit: transactions are begun where they are needed, never implicitly.
    # check_same_thread: `close` may run in the thread that ends the executor.
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
    )
    try:
        path.chmod(0o600)
        _write_ahead(connection)
        # FULL: a token that was taken is still taken after a power cut
        # (https://www.sqlite.org/pragma.html#pragma_synchronous).
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.executescript(_SCHEMA)
        versions = connection.execute("SELECT version FROM schema_version").fetchall()
        if versions != [(SCHEMA_VERSION,)]:
            found = ", ".join(str(row[0]) for row in versions)
            raise WrongSchemaError(
                f"The state store has schema {found}; this version reads {SCHEMA_VERSION}."
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for locks here: of two processes that open a new file at once, one is told BUSY.
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(OPENING_POLL_S)
        else:
            return


def _transaction(connection: sqlite3.Connection, work: Callable[[], _T]) -> _T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work()
        connection.execute("COMMIT")
    except BaseException:
        # After SQLITE_FULL and SQLITE_IOERR SQLite may have rolled back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def identity_of(path: Path) -> Identity | None:
    """Which file that is; None: there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def until_ms(now: int, ttl: int | None) -> int | None:
    """When it expires."""
    return None if ttl is None else now + ttl


def _number(value: bytes) -> int:
    try:
        return int(bytes(value).decode("ascii"))
    except ValueError:
        raise ValueError("the value is not a counter") from None
