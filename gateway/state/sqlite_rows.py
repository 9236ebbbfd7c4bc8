"""The SQL of the state file, over one open connection. Blocking. Times are unix milliseconds.

Every operation is one statement, which holds the write lock before it reads: two processes never decide from the same
old value. Statements with RETURNING are read to the end
(``fetchall``), since SQLite commits only then: a value is never handed out before its deletion is written.

Whether that is on the disk is the connection's ``synchronous``. Raises ``sqlite3.Error``; ``ValueError`` from
``increment``.
"""

from __future__ import annotations

import sqlite3

from gateway.state.store import COUNTER_MAX, COUNTER_MIN, Space

_ALIVE = "(expires_at IS NULL OR expires_at > ?)"
_PUT = (
    "INSERT INTO entry (space, key, value, expires_at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at"
)
_ADD = _PUT + " WHERE entry.expires_at IS NOT NULL AND entry.expires_at <= ? RETURNING 1"
_GET = f"SELECT value FROM entry WHERE space = ? AND key = ? AND {_ALIVE}"  # noqa: S608  (constants only)
# What is no decimal number of 64 bits stays as it is, and nothing is returned: beyond them a sum is a REAL to SQLite.
_INCREMENT = """
INSERT INTO entry (space, key, value, expires_at) VALUES (:space, :key, :begun, :until)
ON CONFLICT (space, key) DO UPDATE SET
    value = iif(expires_at <= :now, :begun, CAST(CAST(CAST(CAST(value AS TEXT) AS INTEGER) + :by AS TEXT) AS BLOB)),
    expires_at = iif(expires_at <= :now, :until, expires_at)
WHERE expires_at <= :now
    OR (CAST(CAST(CAST(value AS TEXT) AS INTEGER) AS TEXT) = CAST(value AS TEXT)
        AND typeof(CAST(CAST(value AS TEXT) AS INTEGER) + :by) = 'integer')
RETURNING value
"""
_TAKE = "DELETE FROM entry WHERE space = ? AND key = ? RETURNING value, expires_at"
_SWAP = f"UPDATE entry SET value = ?, expires_at = ? WHERE space = ? AND key = ? AND value = ? AND {_ALIVE} RETURNING 1"  # noqa: S608
_ENTRIES = f"SELECT key, value FROM entry WHERE space = ? AND key > ? AND {_ALIVE} ORDER BY key LIMIT ?"  # noqa: S608
_PURGE = (
    "DELETE FROM entry WHERE (space, key) IN"
    " (SELECT space, key FROM entry WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT ?)"
)


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
        """Add to a counter, or begin one."""
        if not COUNTER_MIN <= by <= COUNTER_MAX:
            raise ValueError("the counter would leave 64 bits")
        named = {"space": space, "key": key, "by": by, "begun": str(by).encode(), "now": now, "until": until}
        rows = self._connection.execute(_INCREMENT, named).fetchall()
        if not rows:
            raise ValueError("not a counter, or it would leave 64 bits")
        return int(bytes(rows[0][0]))

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
