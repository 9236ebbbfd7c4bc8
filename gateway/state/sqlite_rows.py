"""The SQL of the state file, over one open connection. Blocking. Times are unix milliseconds.

Every operation is one statement, or one ``BEGIN IMMEDIATE`` transaction: the write lock is held before anything is
read, so two processes never decide from the same old value. Statements with RETURNING are read to the end
(``fetchall``), since SQLite commits only then: a value is never handed out before its deletion is written.

Whether that is on the disk is the connection's ``synchronous``. Raises ``sqlite3.Error``; ``ValueError`` from
``increment``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from gateway.state.store import COUNTER_MAX, COUNTER_MIN, Space

_ALIVE = "(expires_at IS NULL OR expires_at > ?)"
_PUT = (
    "INSERT INTO entry (space, key, value, expires_at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at"
)
_ADD = _PUT + " WHERE entry.expires_at IS NOT NULL AND entry.expires_at <= ? RETURNING 1"
_GET = f"SELECT value FROM entry WHERE space = ? AND key = ? AND {_ALIVE}"  # noqa: S608  (constants only)
_COUNTER = f"SELECT value, expires_at FROM entry WHERE space = ? AND key = ? AND {_ALIVE}"  # noqa: S608
_TAKE = "DELETE FROM entry WHERE space = ? AND key = ? RETURNING value, expires_at"
_SWAP = f"UPDATE entry SET value = ?, expires_at = ? WHERE space = ? AND key = ? AND value = ? AND {_ALIVE} RETURNING 1"  # noqa: S608
_ENTRIES = f"SELECT key, value FROM entry WHERE space = ? AND key > ? AND {_ALIVE} ORDER BY key LIMIT ?"  # noqa: S608
_PURGE = (
    "DELETE FROM entry WHERE (space, key) IN"
    " (SELECT space, key FROM entry WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT ?)"
)
_T = TypeVar("_T")


class Rows:
    """The operations of :class:`gateway.state.store.Store`, each on its own: no wait but for a lock."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, space: Space, key: bytes, value: bytes, until: int | None) -> None:
        """Insert or replace."""
        self._connection.execute(_PUT, (space, key, value, until))

    def add(self, space: Space, key: bytes, value: bytes, now: int, until: int | None) -> bool:
        """Insert, or replace what is expired."""
        return bool(self._connection.execute(_ADD, (space, key, value, until, now)).fetchall())

    def get(self, space: Space, key: bytes, now: int) -> bytes | None:
        """The unexpired value."""
        # Read to the end: an open read would keep the log from being reset.
        rows = self._connection.execute(_GET, (space, key, now)).fetchall()
        return bytes(rows[0][0]) if rows else None

    def take(self, space: Space, key: bytes, now: int) -> bytes | None:
        """Delete, and return what was unexpired."""
        for value, expires_at in self._connection.execute(_TAKE, (space, key)).fetchall():
            if expires_at is None or expires_at > now:
                return bytes(value)
        return None

    def swap(
        self, space: Space, key: bytes, expected: bytes, value: bytes, now: int, until: int | None
    ) -> bool:
        """Compare and set."""
        return bool(self._connection.execute(_SWAP, (value, until, space, key, expected, now)).fetchall())

    def entries(self, space: Space, limit: int, now: int, after: bytes = b"") -> list[tuple[bytes, bytes]]:
        """The first ``limit`` by key beyond ``after`` (no key is empty); SQLite compares BLOBs with memcmp."""
        return self._connection.execute(_ENTRIES, (space, after, now, limit)).fetchall()

    def increment(self, space: Space, key: bytes, by: int, now: int, until: int) -> int:
        """Read, add, write, in one transaction."""
        connection = self._connection

        def count() -> int:
            rows = connection.execute(_COUNTER, (space, key, now)).fetchall()
            old, end = (_number(rows[0][0]), rows[0][1]) if rows else (0, until)
            new = old + by
            if not COUNTER_MIN <= new <= COUNTER_MAX:
                raise ValueError("the counter would leave 64 bits")
            self.put(space, key, str(new).encode(), end)
            return new

        return _transaction(connection, count)

    def purge(self, now: int, most: int) -> None:
        """Delete ``most`` expired rows, or fewer."""
        self._connection.execute(_PURGE, (now, most))

    def ping(self) -> None:
        """Read one row."""
        self._connection.execute("SELECT version FROM schema_version").fetchall()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def until_ms(now: int, ttl: int | None) -> int | None:
    """When it expires."""
    return None if ttl is None else now + ttl


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


def _number(value: bytes) -> int:
    try:
        return int(bytes(value).decode("ascii"))
    except ValueError:
        raise ValueError("the value is not a counter") from None
