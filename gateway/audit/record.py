"""One audit record: what was asked, by whom, what the policy said, what became of it.

There is no member that could hold arguments, results, tokens or free text (R042, conflict C40): hashes,
codes, ids and names only. Names that come from the wire are made safe by :func:`clip`; codes by
:func:`code_of`. One exception: ``note`` is what an operator wrote to say why they did an act of administration; a
call has none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

import msgspec

SCHEMA_VERSION = 1
MAX_NAME_CHARS = 256
"""Longest name or id from the wire that is recorded whole. A tool name of a megabyte must not fill the
disk."""
MAX_NOTE_CHARS = 500
"""Longest reason of an act of administration."""
MAX_REASONS = 32
"""Most reason codes of one record; a policy gives one to five."""
MAX_PERMISSIONS = 64
"""Most permissions of one record; the rest are in the definition that the hash names."""
_CODE = re.compile(r"[a-z][a-z0-9_]{0,31}(\.[a-z0-9_]{1,64})?")


class Phase(StrEnum):
    """Which part of the gateway was asked."""

    CALL = "call"
    AUTHORIZE = "authorize"
    EXECUTE = "execute"
    CONFIRM = "confirm"
    LIST = "list"
    PASSAGE = "passage"
    ADMIN = "admin"
    UPSTREAM = "upstream"


class Status(StrEnum):
    """What became of it. ``opened``: about to go upstream; a call whose last record says so ended in a
    crash."""

    OPENED = "opened"
    REFUSED = "refused"
    WAITING = "waiting"
    EXECUTED = "executed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What the policy said, or ``error`` when it was not heard or not understood."""

    ALLOW = "allow"
    HANDSHAKE = "handshake"
    CONFIRM = "confirm"
    DENY = "deny"
    ERROR = "error"


class AuditCaller(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who asked, by the identity provider's names. Never the token, nor a hash of it."""

    issuer: str
    subject: str
    client_id: str | None = None


class AuditDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which policy decided: its id for this decision, the revision of its bundle, the engine's name."""

    decision_id: str | None = None
    revision: str | None = None
    engine: str | None = None


class AuditUpstream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the target called it: HTTP status, ``PayPal-Debug-Id``, the idempotency key that was sent."""

    status: int | None = None
    debug_id: str | None = None
    request_id: str | None = None


class AuditApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was decided about a tool: of which version of whose, what it asks for, what of it was approved, until when
    (unix seconds), and how the person came."""

    version: str | None
    provider: str | None
    requested: tuple[str, ...]
    approved: tuple[str, ...]
    expires: int | None
    via: str


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the audit. ``time`` is when the entry was opened (ISO 8601, UTC, ms); hashes are hex
    SHA-256."""

    v: int = SCHEMA_VERSION
    call_id: str
    transaction_id: str | None = None
    phase: Phase
    time: str
    caller: AuditCaller | None = None
    server: str | None = None
    tool: str | None = None
    era: str | None = None
    data_class: int | None = None
    tier: str | None = None
    outcome: Outcome | None = None
    reasons: tuple[str, ...] = ()
    decision: AuditDecision | None = None
    would_be: Outcome | None = None
    definition_hash: str | None = None
    arguments_hash: str | None = None
    status: Status
    error: str | None = None
    upstream: AuditUpstream | None = None
    duration_us: int
    service_version: str
    environment: str
    approval: AuditApproval | msgspec.UnsetType = msgspec.UNSET
    """Only in records of decisions about tools."""
    note: str | None = None


def clip(text: str) -> str:
    """A name as it may be recorded: at most ``MAX_NAME_CHARS``, and always encodable.

    A lone surrogate would make the record impossible to encode: a name that cannot be logged must not be a
    way to act without a log. What is cut ends in an ellipsis.
    """
    if len(text) <= MAX_NAME_CHARS and text.isascii():
        return text
    if len(text) > MAX_NAME_CHARS:
        text = text[: MAX_NAME_CHARS - 1] + "\u2026"
    return text.encode("utf-8", "backslashreplace").decode()


def clip_or_none(text: str | None) -> str | None:
    """:func:`clip` of what may be missing."""
    return None if text is None else clip(text)


def code_of(value: object, default: str) -> str:
    """The value if it is a code (``area.word``), else ``default``: free text, which may quote a caller,
    never is."""
    return str(value) if isinstance(value, str) and _is_code(value) else default


@lru_cache(maxsize=1024)
def _is_code(value: str) -> bool:
    # Cached: a policy has some dozens of codes, and each call carries one or two.
    return _CODE.fullmatch(value) is not None


def outcome_of(value: str) -> Outcome:
    """The outcome of that name; what nobody knows is an error, as it is for the policy room (deny)."""
    return _OUTCOMES.get(value, Outcome.ERROR)


_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


def timestamp(seconds: float) -> str:
    """Unix seconds -> ``2026-11-21T01:17:00.000Z``, cut to the millisecond."""
    whole = int(seconds)
    return f"{_to_the_second(whole)}.{int((seconds - whole) * 1000):03}Z"


@lru_cache(maxsize=4)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
