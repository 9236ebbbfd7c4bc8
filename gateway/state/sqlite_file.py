"""The state file: made, opened, recognised and kept small. Blocking, for one thread; the SQL is in ``sqlite_rows.py``.

Raises ``sqlite3.Error``, ``OSError``, ``WrongSchemaError``.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from gateway.state.sqlite_rows import Rows

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
Identity = tuple[int, int]
"""Device and inode."""


class WrongSchemaError(Exception):
    """The file was written by another version of Countersign."""


class SqliteFile:
    """One connection to one file, opened on first use; the same file, by device and inode, until the end. What it
    writes is on the disk when it returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: Rows | None = None
        self._identity: Identity | None = None
        self._writes = 0

    @property
    def identity(self) -> Identity | None:
        """Which file it is, once it was opened."""
        return self._identity

    def rows(self) -> Rows:
        """What is in it."""
        if self._identity is not None and identity_of(self._path) != self._identity:
            # The file was deleted or replaced. Writes to the old one would succeed and be lost with this
            # process, and no other process would see them: a spent token would be unspent elsewhere. A new
            # one is not made or taken up under a running gateway either: whoever can delete the file must
            # not reset the counters, and a write-ahead log that was left behind would be played into a
            # backup.
            self.close()
            raise FileNotFoundError("the state file was deleted or replaced")
        if self._rows is not None:
            return self._rows
        if self._identity is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # O_EXCL: closing a second descriptor of a database would drop this process's locks on it
            # (https://www.sqlite.org/howtocorrupt.html section 2.2).
            with suppress(FileExistsError):
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._rows = Rows(_connect(self._path))
        self._identity = identity_of(self._path)
        return self._rows

    def wrote(self, now: int, writes: int) -> None:
        """So many writes were made, here or by another connection of this store: now and then what is expired goes."""
        self._writes += writes
        if self._writes >= PURGE_EVERY and self._rows is not None:
            self._writes = 0
            # The write is done and must not be reported as failed; a lasting fault shows in the next
            # operation.
            with suppress(sqlite3.Error):
                self._rows.purge(now, PURGE_ROWS)

    def close(self) -> None:
        """Close the connection; the next operation would open it again."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None


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


def identity_of(path: Path) -> Identity | None:
    """Which file that is; None: there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - with every operation, and half the price of Path.stat
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
