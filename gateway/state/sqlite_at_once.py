"""What SQLite does at once, in the event loop's own thread: a page in memory costs a tenth of a way through a thread.

In write-ahead mode a reader waits for nobody (https://www.sqlite.org/wal.html section 2.2), and a commit that need not
be on the disk (``Store``: not ``durable``) is a write to the page cache. Where either would have to wait after all
(another writer, recovery) it raises, and the store asks its thread. The next durable commit puts on the disk whatever
was written before it: the log is one sequence.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from gateway.state.sqlite_file import Identity, identity_of
from gateway.state.sqlite_rows import Rows


class AtOnce:
    """One connection to a file that somebody else has opened and prepared. For one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: Rows | None = None

    def rows(self, identity: Identity) -> Rows:
        """What is in it. Operations raise ``sqlite3.Error`` when they cannot be done at once, or not at all: nothing
        is changed then.

        :raises OSError: another file than that of ``identity``, or none.
        """
        if identity_of(self._path) != identity:
            self.close()
            raise FileNotFoundError("the state file was deleted or replaced")
        if self._rows is None:
            address = f"file:{quote(str(self._path))}?mode=rw"
            connection = sqlite3.connect(address, uri=True, timeout=0, isolation_level=None)
            connection.execute("PRAGMA synchronous = NORMAL")
            # Checkpoints write to the disk: the store's thread makes them, after commits of its own.
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute("PRAGMA trusted_schema = OFF")
            self._rows = Rows(connection)
        return self._rows

    def close(self) -> None:
        """Close the connection; the next operation opens another."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None
