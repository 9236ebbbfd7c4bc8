"""Amounts that are set aside on accounts under a name, all or none, never above a bound: what budgets are made of.

An account holds entries; each has the name under which it was reserved (a transaction's id), an amount, and an end.
What an account stands at is the sum of the entries whose time is not over: a window slides to the millisecond, what was
only held lapses by itself, and nothing has to be swept for that. An entry is *held* (a call may come to be sent) or
*committed* (it is sent, or was). One name has one entry on an account, so reserving twice counts once.

Several calls may be about to send the same transaction, and only one of them will: each that commits is counted
(``refs``), and the one that loses gives back its own share only. A committed entry is never made a held one again.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

AMOUNT_MAX = 2**53 - 1
"""Largest amount and largest bound: Redis counts in doubles inside a script, which are exact up to here. An account
never stands above a bound that was accepted, so its sums are exact, too."""
MAX_LINES = 32
"""Most accounts of one reservation."""


class Mode(StrEnum):
    """``hold``: until its time is over. ``commit``: one more is about to send it. ``resume``: as ``commit``, by the one
    that was counted already."""

    HOLD = "hold"
    COMMIT = "commit"
    RESUME = "resume"


class Extent(StrEnum):
    """What of a name is given back: what is only ``held``; ``one`` share of what was committed, and what is held; or
    ``all`` of it."""

    HELD = "held"
    ONE = "one"
    ALL = "all"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One account of a reservation. ``bound``: the account never stands above it. ``ttl_s``: seconds until it ends."""

    account: str
    amount: int
    bound: int
    ttl_s: float


class Standing(msgspec.Struct, frozen=True):
    """What the entries of an account amount to."""

    held: int = 0
    committed: int = 0


class Reserved(msgspec.Struct, frozen=True, kw_only=True):
    """``fits``: everything is reserved; otherwise nothing changed. ``others``: for each line, what its account stood at
    without the name's own entry."""

    fits: bool
    others: tuple[Standing, ...]


class Ledger(Protocol):
    """See the module. Errors: ``StoreUnavailable``; ``ValueError`` for what is out of bounds."""

    async def reserve(
        self, name: str, lines: Sequence[Line], *, mode: Mode, durable: bool = True
    ) -> Reserved:
        """In one atomic step: look whether every line fits, and if so enter all of them under ``name``.

        An entry of that name that is there already is replaced, not added to; a committed one stays committed and does
        not become less, and no entry ends sooner than it did. ``durable``: as in ``Store``.
        """
        ...

    async def release(self, name: str, *, extent: Extent) -> None:
        """Give back, on every account. What is not there, or lapsed, is given back already. A power cut may undo it:
        then it stays until it lapses."""

    async def accounts(self, *, limit: int, after: str = "") -> list[tuple[str, Standing]]:
        """The first ``limit`` accounts that hold anything, by their UTF-8 bytes, beyond ``after``. For people."""
        ...


def checked_lines(lines: Sequence[Line]) -> Sequence[Line]:
    """The lines themselves; ``ValueError`` for none, too many, one account twice, or a number out of bounds."""
    if not 1 <= len(lines) <= MAX_LINES:
        raise ValueError(f"a reservation has 1 to {MAX_LINES} lines, not {len(lines)}")
    if len({line.account for line in lines}) != len(lines):
        raise ValueError("a reservation names each account once")
    for line in lines:
        if not (0 <= line.amount <= AMOUNT_MAX and 0 <= line.bound <= AMOUNT_MAX):
            raise ValueError(f"an amount and a bound are 0 to {AMOUNT_MAX}")
    return lines
