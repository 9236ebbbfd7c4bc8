"""The one protocol behind which state lives: handshake tokens, what waits, approvals, login links, counters.

Everything that must happen once rests on three promises, kept across tasks, threads, processes and (Redis)
hosts:

* ``add``  of N concurrent callers, one is told True;
* ``take`` of N concurrent callers, one is given the value (conflict C09: consume first, compare afterwards);
* ``swap`` of N concurrent callers who saw the same value, one is told True.

A fourth, over several accounts at once, is in ``ledger.py``: what is reserved never passes its bound.

Errors: every method raises ``gateway.errors.StoreUnavailable`` when the store cannot say for certain; the
effect is then unknown, and nothing here is retried: a ``take`` that ran but whose answer was lost has burnt
the value, which is the safe side. ``ValueError`` is a mistake of the calling code (a bound below, or
``increment`` of a value that is no counter).

NOT here: encryption (store hashes of secrets, conflict C10), authorisation, and knowledge of what a value
means.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Protocol

from gateway.state.ledger import Ledger

MAX_KEY_BYTES = 1024
"""Longest key in UTF-8. Ours are hashes and short names; more means that somebody keyed by hostile input."""
MAX_VALUE_BYTES = 1_048_576
"""Largest value, 1 MiB: the largest request body is smaller, and both stores stay quick."""
MAX_ENTRIES = 10_000
"""Most rows that one ``entries`` call returns; the console pages far below that."""
MAX_TTL_S = 10 * 366 * 24 * 3600.0
"""Ten years; what should live longer has no expiry. Keeps sums of milliseconds far from 64 bits."""
COUNTER_MIN, COUNTER_MAX = -(2**63), 2**63 - 1
"""Counters are signed 64-bit integers in both stores."""


class Space(StrEnum):
    """What a key is about. The same key in two spaces names two values."""

    HANDSHAKE = "handshake"
    PENDING = "pending"
    DEADLINE = "deadline"
    APPROVAL = "approval"
    DEFINITION = "definition"
    FIRST_SEEN = "first_seen"
    LOGIN = "login"
    SESSION = "session"
    COUNTER = "counter"
    PROOF = "proof"
    TRANSACTION = "transaction"
    INSTANCE = "instance"
    DUPLICATE = "duplicate"
    RECEIPT = "receipt"
    KILL = "kill"
    IDP = "idp"
    IDP_PROVIDER = "idp_provider"
    IDP_CLIENT = "idp_client"
    IDP_TOOL = "idp_tool"
    IDP_TOKEN = "idp_token"  # noqa: S105 - a name
    NOTICE = "notice"
    POLICY = "policy"


class Store(Ledger, Protocol):
    """Keys are any text, values any bytes (bounds above). ``ttl_s`` is seconds from now; None never expires.

    A value is gone from the very instant its time is up, whether or not it was removed already. The clock
    is the store's own: one host for SQLite, the server for Redis.

    Not ``durable``: a power cut may undo it, together with all that came after it; another process, and the next
    start after a kill, see it like any other. For what may come back without harm (a counter, a receipt), or what
    something durable is certain to follow. How much of a power cut Redis survives is its own setting.
    """

    async def put(
        self, space: Space, key: str, value: bytes, *, ttl_s: float | None, durable: bool = True
    ) -> None:
        """Insert or replace, expiry included."""

    async def add(self, space: Space, key: str, value: bytes, *, ttl_s: float | None) -> bool:
        """Insert. False, and nothing changes, when an unexpired value is there."""

    async def get(self, space: Space, key: str) -> bytes | None:
        """The value, or None."""

    async def take(self, space: Space, key: str, *, durable: bool = True) -> bytes | None:
        """Get and delete in one step. Whoever is given the value is the only one."""

    async def swap(
        self,
        space: Space,
        key: str,
        *,
        expected: bytes,
        value: bytes,
        ttl_s: float | None,
        durable: bool = True,
    ) -> bool:
        """Replace value and expiry if the value is ``expected``; False, and nothing changes, otherwise."""

    async def entries(self, space: Space, *, limit: int, after: str = "") -> list[tuple[str, bytes]]:
        """The first ``limit`` unexpired entries by the key's UTF-8 bytes, of those beyond ``after``. For people:
        Redis walks all keys."""

    async def increment(self, space: Space, key: str, by: int, *, ttl_s: float, durable: bool = True) -> int:
        """Add to a counter and return its new value. A new counter starts at 0 and expires ``ttl_s`` from
        now; an existing one keeps its expiry. ``get`` shows a counter as decimal ASCII."""

    async def ping(self) -> None:
        """Return when the store answers."""

    async def aclose(self) -> None:
        """Let go of files, sockets and threads. The store is unavailable from then on."""


def key_bytes(key: str) -> bytes:
    """The key as both stores keep it. Injective for every ``str``, lone surrogates included; ``ValueError``
    if empty or longer than ``MAX_KEY_BYTES``."""
    encoded = key.encode("utf-8", "surrogatepass")
    if not 0 < len(encoded) <= MAX_KEY_BYTES:
        raise ValueError(f"a key has 1 to {MAX_KEY_BYTES} bytes, this one {len(encoded)}")
    return encoded


def key_text(encoded: bytes) -> str:
    """The inverse of :func:`key_bytes`."""
    return encoded.decode("utf-8", "surrogatepass")


def checked_value(value: bytes) -> bytes:
    """The value itself; ``ValueError`` above ``MAX_VALUE_BYTES``."""
    if len(value) > MAX_VALUE_BYTES:
        raise ValueError(f"a value has at most {MAX_VALUE_BYTES} bytes, this one {len(value)}")
    return value


def ttl_ms(ttl_s: float) -> int:
    """Seconds -> whole milliseconds, rounded up; ``ValueError`` unless 0 < ttl_s <= ``MAX_TTL_S`` (NaN
    included)."""
    if not 0 < ttl_s <= MAX_TTL_S:
        raise ValueError(f"a time to live is above 0 and at most {MAX_TTL_S:.0f} s, not {ttl_s}")
    # Rounded first: 0.1 + 0.2 s is 300 ms, not 301.
    return math.ceil(round(ttl_s * 1000, 6))


def checked_limit(limit: int) -> int:
    """The limit itself; ``ValueError`` unless 1 <= limit <= ``MAX_ENTRIES``."""
    if not 1 <= limit <= MAX_ENTRIES:
        raise ValueError(f"a limit is 1 to {MAX_ENTRIES}, not {limit}")
    return limit
