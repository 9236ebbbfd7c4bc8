"""What SQLite does at once, in the event loop's own thread: a page in memory costs a tenth of a way through a thread.

In write-ahead mode a reader waits for nobody (https://www.sqlite.org/wal.html section 2.2), and a commit that need not
be on the disk is a write to the page cache. Where either would have to wait after all (another writer, recovery) it
raises, and the store asks its thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Set
from pathlib import Path
from typing import Final
from urllib.parse import quote

from gateway.state.sqlite_file import GET, PUT, Identity, identity_of
from gateway.state.store import Space

UNSYNCED: Final[Set[Space]] = frozenset({Space.HANDSHAKE})
"""What a power cut may take: a token that is not there is refused. That it was *taken* is synced as everything is, and
with it all that was written before. A process that is killed loses nothing, whatever it wrote."""


class AtOnce:
    """One connection to a file that somebody else has opened and prepared. For one thread.

    Its methods raise ``sqlite3.Error`` (not at once, or not at all) and ``OSError`` (another file than that of
    ``identity``, or none); nothing is changed then. Times are unix milliseconds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def get(self, space: Space, key: bytes, now: int, *, identity: Identity) -> bytes | None:
        """The unexpired value."""
        # Read to the end: an open read would keep the log from being reset.
        rows = self._open(identity).execute(GET, (space, key, now)).fetchall()
        return bytes(rows[0][0]) if rows else None

    def put(self, space: Space, key: bytes, value: bytes, until: int | None, *, identity: Identity) -> None:
        """Insert or replace, unsynced."""
        self._open(identity).execute(PUT, (space, key, value, until))

    def close(self) -> None:
        """Close the connection; the next operation opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self, identity: Identity) -> sqlite3.Connection:
        if identity_of(self._path) != identity:
            self.close()
            raise FileNotFoundError("the state file was deleted or replaced")
        if self._connection is None:
            address = f"file:{quote(str(self._path))}?mode=rw"
            connection = sqlite3.connect(address, uri=True, timeout=0, isolation_level=None)
            connection.execute("PRAGMA synchronous = NORMAL")
            # Checkpoints write to the disk: the store's thread makes them, after commits of its own.
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute("PRAGMA trusted_schema = OFF")
            self._connection = connection
        return self._connection
