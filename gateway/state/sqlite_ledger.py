"""The SQL behind ``ledger.py``. Blocking, inside a transaction that the caller began with the write lock held.

Times are unix milliseconds. Sums are read from the rows each time: there is no total that could drift from them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from gateway.state.ledger import Extent, Mode, Reserved, Standing

SCHEMA = """
CREATE TABLE IF NOT EXISTS reservation (
    account BLOB NOT NULL,
    name BLOB NOT NULL,
    amount INTEGER NOT NULL,
    refs INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (account, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reservation_by_name ON reservation (name);
CREATE INDEX IF NOT EXISTS reservation_by_expiry ON reservation (expires_at);
"""
_STANDING = (
    "SELECT COALESCE(SUM(amount) FILTER (WHERE refs = 0), 0), COALESCE(SUM(amount) FILTER (WHERE refs > 0), 0)"
    " FROM reservation WHERE account = ? AND name <> ? AND expires_at > ?"
)
_OWN = "SELECT amount, refs, expires_at FROM reservation WHERE account = ? AND name = ? AND expires_at > ?"
_ENTER = "INSERT OR REPLACE INTO reservation (account, name, amount, refs, expires_at) VALUES (?, ?, ?, ?, ?)"
_GIVE_BACK = {
    Extent.HELD: ("DELETE FROM reservation WHERE name = ? AND refs = 0",),
    Extent.ONE: (
        "DELETE FROM reservation WHERE name = ? AND refs <= 1",
        "UPDATE reservation SET refs = refs - 1 WHERE name = ?",
    ),
    Extent.ALL: ("DELETE FROM reservation WHERE name = ?",),
}
_ACCOUNTS = (
    "SELECT account, SUM(amount) FILTER (WHERE refs = 0), SUM(amount) FILTER (WHERE refs > 0) FROM reservation"
    " WHERE account > ? AND expires_at > ? GROUP BY account ORDER BY account LIMIT ?"
)
_PURGE = (
    "DELETE FROM reservation WHERE (account, name) IN"
    " (SELECT account, name FROM reservation WHERE expires_at <= ? LIMIT ?)"
)


class StoredLine(msgspec.Struct, frozen=True):
    """A line as the file keeps it; ``until`` is when it ends."""

    account: bytes
    amount: int
    bound: int
    until: int


def reserve(
    connection: sqlite3.Connection, name: bytes, lines: Sequence[StoredLine], mode: Mode, now: int
) -> Reserved:
    """See ``Ledger.reserve``."""
    others, entries, fits = [], [], True
    for line in lines:
        held, committed = connection.execute(_STANDING, (line.account, name, now)).fetchone()
        others.append(Standing(held, committed))
        own = connection.execute(_OWN, (line.account, name, now)).fetchone()
        amount, refs, until = (0, 0, 0) if own is None else own
        amount = max(amount, line.amount) if refs else line.amount
        fits = fits and held + committed + amount <= line.bound
        entries.append((line.account, name, amount, refs_after(refs, mode), max(until, line.until)))
    if fits:
        connection.executemany(_ENTER, entries)
    return Reserved(fits=fits, others=tuple(others))


def release(connection: sqlite3.Connection, name: bytes, extent: Extent) -> None:
    """See ``Ledger.release``."""
    for statement in _GIVE_BACK[extent]:
        connection.execute(statement, (name,))


def accounts(
    connection: sqlite3.Connection, limit: int, now: int, after: bytes
) -> list[tuple[bytes, Standing]]:
    """See ``Ledger.accounts``."""
    rows = connection.execute(_ACCOUNTS, (after, now, limit)).fetchall()
    return [(account, Standing(held or 0, committed or 0)) for account, held, committed in rows]


def purge(connection: sqlite3.Connection, now: int, rows: int) -> None:
    """Remove some of what is over; nothing depends on it but the size of the file."""
    connection.execute(_PURGE, (now, rows))


def refs_after(refs: int, mode: Mode) -> int:
    """How many calls are about to send it, or have."""
    match mode:
        case Mode.HOLD:
            return refs
        case Mode.COMMIT:
            return refs + 1
        case Mode.RESUME:
            return max(refs, 1)
