"""Reads one value at once, in the event loop's own thread: a page in memory costs a tenth of a way through a thread.

In write-ahead mode a reader waits for nobody (https://www.sqlite.org/wal.html section 2.2): it sees the last commit,
whoever made it. Where it would have to wait after all (recovery, a checkpoint that resets the log) it raises, and
the store asks its thread.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from gateway.state.sqlite_file import GET, Identity, identity_of
from gateway.state.store import Space


class SqliteReader:
    """One read-only connection to a file that somebody else has opened and prepared. For one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def get(self, space: Space, key: bytes, now: int, *, identity: Identity) -> bytes | None:
        """The unexpired value in the file of that identity.

        :raises sqlite3.Error: not at once, or not at all. :raises OSError: another file, or none.
        """
        if identity_of(self._path) != identity:
            self.close()
            raise FileNotFoundError("the state file was deleted or replaced")
        if self._connection is None:
            address = f"file:{quote(str(self._path))}?mode=ro"
            self._connection = sqlite3.connect(address, uri=True, timeout=0, isolation_level=None)
        # Read to the end: an open read would keep the log from being reset.
        rows = self._connection.execute(GET, (space, key, now)).fetchall()
        return bytes(rows[0][0]) if rows else None

    def close(self) -> None:
        """Close the connection; the next read opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
