"""A value of the state -> the approval record that we wrote there, or why it is not to be believed.

What was read once is known by its bytes, so that a sensitive call, which asks each time, pays a comparison and a look
at the anchor.
"""

from __future__ import annotations

import hashlib
import logging

import msgspec

from gateway.catalog.anchor import Anchor, Mark
from gateway.catalog.approval_record import ApprovalRecord
from gateway.catalog.seal import Broken, Flaw, Seal, sealed
from gateway.catalog.tool import Approval

_LOG = logging.getLogger("countersign.catalog")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the store of one tool: the record, or why there is none to be believed, or neither."""

    record: ApprovalRecord | None = None
    flaw: Flaw | None = None


_NOTHING = Known()


class Reading:
    """Reads and writes the values of one store. Nothing here waits for the store itself."""

    def __init__(self, seal: Seal | None, anchor: Anchor | None) -> None:
        self.seal = seal
        self._anchor = anchor
        self._read: dict[str, tuple[bytes, Known, Mark]] = {}

    def mark(self, key: str) -> Mark | None:
        """The last decision that is known of. To be asked *before* the store: a decision is written there first, so
        that one made in between never looks like a rollback."""
        return None if self._anchor is None else self._anchor.mark(key)

    def known(self, key: str, mark: Mark | None, value: bytes | None, *, plain_too: bool = False) -> Known:
        """What stands there. ``plain_too`` takes a record for what it says that was never sealed, nor ever marked."""
        if value is None:
            return _NOTHING if mark is None else self._broken(key, Flaw.REMOVED, b"")
        before = self._read.get(key)
        if before is not None and before[0] == value and not plain_too:
            known, found = before[1], before[2]
        else:
            try:
                record = self._opened(key, value, plain_too=plain_too and mark is None)
            except Broken as broken:
                return self._broken(key, broken.flaw, value)
            known, found = Known(record=record), _mark(record, value)
            if not plain_too:
                self._read[key] = value, known, found
        if known.record is not None and mark != found:
            if mark is not None and mark.number >= found.number:
                return self._broken(key, Flaw.ROLLED_BACK, value)
            self._advance(key, found, durable=False)
        return known

    def closed(self, key: str, record: ApprovalRecord) -> bytes:
        """The record as it goes into the store."""
        value = msgspec.json.encode(record)
        return value if self.seal is None else self.seal.close(key, value)

    def written(self, key: str, record: ApprovalRecord, value: bytes) -> None:
        """It is there now, and nothing older will do. The store first: a mark whose record was never written would
        void the one that is there."""
        self._advance(key, _mark(record, value), durable=True)

    def next_number(self, key: str, known: Known) -> int:
        """The number of the next decision."""
        mark = self.mark(key)
        return 1 + max(0 if known.record is None else known.record.number, 0 if mark is None else mark.number)

    def _advance(self, key: str, mark: Mark, *, durable: bool) -> None:
        if self._anchor is None:
            return
        try:
            self._anchor.advance(key, mark, durable=durable)
        except OSError as problem:
            _LOG.error(
                "the anchor of the approvals cannot be written (%s): a rollback may go unseen",
                problem.strerror,
            )

    def _opened(self, key: str, value: bytes, *, plain_too: bool) -> ApprovalRecord:
        """:raises Broken: what is there is not what we wrote there."""
        plain = value
        adopted = self.seal is not None and plain_too and not sealed(value)
        if self.seal is not None and not adopted:
            plain = self.seal.open(key, value)
        elif sealed(value):
            raise Broken(Flaw.OTHER_KEY)
        try:
            record = _record(plain)
            return msgspec.structs.replace(record, number=0) if adopted else record
        except (ValueError, RecursionError):  # msgspec's own errors, broken UTF-8, depth
            raise Broken(Flaw.UNREADABLE) from None

    def _broken(self, key: str, flaw: Flaw, value: bytes) -> Known:
        known, before = Known(flaw=flaw), self._read.get(key)
        if before is None or before[:2] != (value, known):
            self._read[key] = value, known, Mark(0, "")
            _LOG.error(
                "the approval %s… in the state is VOID: %s. Its tool is not called until somebody approves it anew; "
                "see `countersign tools list`",
                key[:12],
                flaw.value,
            )
        return known


class _Versioned(msgspec.Struct, frozen=True):
    v: int = 0


def _record(plain: bytes) -> ApprovalRecord:
    """A record, or a bare approval as it was stored before there were records. :raises ValueError:"""
    if msgspec.json.decode(plain, type=_Versioned).v:
        return msgspec.json.decode(plain, type=ApprovalRecord)
    approval = msgspec.json.decode(plain, type=Approval)
    return ApprovalRecord(server="", tool="", number=0, approval=approval)


def _mark(record: ApprovalRecord, value: bytes) -> Mark:
    return Mark(record.number, hashlib.sha256(value).hexdigest())
