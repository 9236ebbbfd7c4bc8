"""The shape of an audit file: one JSON object per line, each naming the SHA-256 of the line before. Pure.

::

    {"seq":0,"prev":"000...0","genesis":{"v":1,"chain":"<32 hex>","time":"...","torn":null}}
    {"seq":1,"prev":"<sha256 of line 0>","record":{...}}
    {"seq":2,"prev":"<sha256 of line 1>","checkpoint":{...}}

A line's hash is taken over its bytes without the newline. Besides records and checkpoints there are two
kinds by which the file accounts for itself: ``recovered`` names bytes before it that are not a line (a
crash in the middle of a write; they stay where they are, as evidence), and ``gap`` says how many records
could not be written.

The chain alone finds accidents and careless edits. Whoever can rewrite the file from some line to its end
can rewrite the hashes too; that is what the signed checkpoints are for (``checkpoint.py``), and an anchor
kept elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from gateway.audit.record import AuditRecord

CHAIN_VERSION = 1
NO_HASH = "0" * 64
"""``prev`` of the first line."""
MAX_LINE_BYTES = 65_536
"""A record has about 1 kB, at most some 12 kB with every name at its bound."""

_LINE = re.compile(
    rb'\{"seq":(0|[1-9][0-9]{0,18}),"prev":"([0-9a-f]{64})",'
    rb'"(genesis|record|checkpoint|recovered|gap)":(\{.*\})\}',
    re.DOTALL,
)


class Torn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bytes that are not a line: how many, and their SHA-256 (without the newline that closes them off)."""

    bytes: int
    sha256: str


class Genesis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line. ``torn`` names what stood before it, if a crash cut short the very first write."""

    v: int = CHAIN_VERSION
    chain: str
    time: str
    torn: Torn | None = None


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signature over everything before it. See ``checkpoint.py`` for what exactly is signed.

    ``every`` promises another checkpoint after at most so many lines; ``final`` says that the file was
    closed.
    """

    time: str
    every: int
    final: bool
    key_id: str
    signature: str


class Recovered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bytes between the line before and this one are not a line; this is what they were."""

    time: str
    torn: Torn


class Gap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``lost`` records were refused since ``since``; ``unsynced`` were written, but not known to be on the
    disk."""

    time: str
    since: str
    lost: int
    unsynced: int


Body = Genesis | AuditRecord | Checkpoint | Recovered | Gap
_DECODERS: dict[bytes, msgspec.json.Decoder[Any]] = {
    b"genesis": msgspec.json.Decoder(Genesis),
    b"record": msgspec.json.Decoder(AuditRecord),
    b"checkpoint": msgspec.json.Decoder(Checkpoint),
    b"recovered": msgspec.json.Decoder(Recovered),
    b"gap": msgspec.json.Decoder(Gap),
}
_KINDS: dict[type[Body], bytes] = {
    Genesis: b"genesis",
    AuditRecord: b"record",
    Checkpoint: b"checkpoint",
    Recovered: b"recovered",
    Gap: b"gap",
}
_ENCODER = msgspec.json.Encoder()


class Line(msgspec.Struct, frozen=True):
    """A line that was read: its place, what it says about the line before, its own hash, its body."""

    seq: int
    prev: str
    body: Body
    hash: str


class Position(msgspec.Struct, frozen=True):
    """Where a record stands: the chain's id, the line's ``seq``, and the line's hash."""

    chain: str
    seq: int
    hash: str


class Chain(msgspec.Struct, frozen=True):
    """Where a chain ends: its id, the next line's ``seq``, the last line's hash."""

    id: str
    seq: int = 0
    head: str = NO_HASH

    def next(self, body: Body) -> tuple[bytes, Chain]:
        """The next line, newline included, and the chain after it was written. Raises ``msgspec`` encoding
        errors."""
        line = b'{"seq":%d,"prev":"%s","%s":%s}' % (
            self.seq,
            self.head.encode(),
            _KINDS[type(body)],
            _ENCODER.encode(body),
        )
        return line + b"\n", Chain(self.id, self.seq + 1, hash_line(line))


def hash_line(line: bytes) -> str:
    """Hex SHA-256 of a line without its newline."""
    return hashlib.sha256(line).hexdigest()


def torn(rest: bytes) -> Torn:
    """What to say about bytes that are not a line."""
    return Torn(bytes=len(rest), sha256=hash_line(rest))


def read_line(raw: bytes) -> Line | None:
    """A line without its newline -> its value, or None if it is not exactly what this module writes.

    Exactly: other spellings of the same JSON (blanks, escapes, another order, a member twice) are None too,
    so that two readers cannot read two things, and no byte of the last line can change unseen by changing
    its spelling.
    """
    if len(raw) > MAX_LINE_BYTES or (found := _LINE.fullmatch(raw)) is None:
        return None
    seq, prev, kind, encoded = found.groups()
    try:
        body: Body = _DECODERS[kind].decode(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if _ENCODER.encode(body) != encoded:
        return None
    return Line(int(seq), prev.decode(), body, hash_line(raw))
