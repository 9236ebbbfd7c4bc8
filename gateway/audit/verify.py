"""Reading an audit file as somebody who does not believe it.

What is found, by whom it was done:

* an accident, or an edit, reordering, deletion or duplicate without the rest being rewritten: by the
hashes, always;
* the same with every later hash rewritten: by a signed checkpoint behind it, given the public key;
* lines cut off at the end: by an ``anchor`` (a checkpoint noted elsewhere) that lies behind the cut.
Nothing in a file
  can prove that it once was longer; ``closed`` tells whether it ends the way a gateway that was stopped
  ends it.

Not checked: that records are true, that times are in order, that other files of the same gateway exist.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedReader
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit.chain import (
    MAX_LINE_BYTES,
    NO_HASH,
    Checkpoint,
    Gap,
    Genesis,
    Line,
    Recovered,
    Torn,
    read_line,
)
from gateway.audit.checkpoint import is_signed, key_id
from gateway.audit.record import AuditRecord, Status
from gateway.audit.verification import MAX_PROBLEMS, Anchor, Problem, Verification

CHECKPOINT_SLACK = 16
"""Records beyond the promised number that may wait for a checkpoint: writes that were cut short before theirs."""
MAX_OPEN_CALLS = 1000
"""More calls without a closing record are not named."""


def verify_file(
    path: Path,
    public_key: Ed25519PublicKey | None = None,
    *,
    retired_keys: Sequence[Ed25519PublicKey] = (),
    anchor: Anchor | None = None,
) -> Verification:
    """:func:`verify_lines` over a file, one line at a time. Raises ``OSError``.

    ``retired_keys`` are earlier public keys of the same gateway, whose checkpoints stand further up in the file.
    """
    keys = ([] if public_key is None else [public_key]) + list(retired_keys)
    with path.open("rb") as file:
        return verify_lines(_pieces(file), keys, anchor=anchor)


def verify_lines(
    lines: Iterable[bytes], public_keys: Sequence[Ed25519PublicKey] = (), *, anchor: Anchor | None = None
) -> Verification:
    """Verify lines that still have their newlines. Without a key, checkpoints are read but not believed."""
    reading = _Reading(public_keys, anchor)
    for raw in lines:
        reading.take(raw)
    return reading.end()


def _pieces(file: BufferedReader) -> Iterator[bytes]:
    # A line without an end must not be read into memory whole; its pieces are no lines, and are counted as
    # one.
    while piece := file.readline(MAX_LINE_BYTES + 1):
        yield piece


class _Reading:
    """The state between two lines."""

    def __init__(self, public_keys: Sequence[Ed25519PublicKey], anchor: Anchor | None) -> None:
        self._keys = {key_id(key): key for key in public_keys}
        self._anchor = anchor
        self._problems: list[Problem] = []
        self._problem_count = 0
        self._notes: list[Problem] = []
        self._number = 0
        self._line_ended = True
        self._span: _Span | None = None
        self._last_number = 0
        self._chain: str | None = None
        self._seq: int | None = None
        self._head = NO_HASH
        self._records = self._checkpoints = self._covered = 0
        self._uncovered = self._every = 0
        self._closed = False
        self._open_calls: dict[tuple[str, str], None] = {}

    def take(self, raw: bytes) -> None:
        """One line with its newline, or a piece of what is no line."""
        begins, self._line_ended = self._line_ended, raw.endswith(b"\n")
        self._number += begins
        line = read_line(raw[:-1]) if begins and self._line_ended else None
        if line is not None:
            self._link(line)
            self._read(line)
            self._last_number, self._seq, self._head = self._number, line.seq, line.hash
            return
        if self._span is None:
            self._span = _Span(self._number)
        self._span.add(raw)

    def end(self) -> Verification:
        """After the last line."""
        if self._span is not None:
            self._problem(
                self._span.line,
                f"the file ends in {self._span.bytes} bytes that are not a line: a write cut short, or a cut",
            )
        if self._seq is None:
            self._problem(1, "there is no audit line in this file")
        elif self._keys and not self._covered and not self._problem_count:
            self._problem(self._last_number, "no checkpoint is signed by the given key")
        elif self._covered and self._uncovered > self._every + CHECKPOINT_SLACK:
            self._problem(
                self._last_number,
                f"a checkpoint is overdue: no key vouches for what follows line {self._covered}",
            )
        anchor = self._anchor
        if anchor is not None and self._seq is not None:
            if anchor.chain != self._chain:
                self._problem(1, f"this is chain {self._chain}, not the noted {anchor.chain}")
            elif anchor.seq > self._seq:
                self._problem(
                    self._last_number,
                    f"the file ends at seq {self._seq}, but seq {anchor.seq} was noted: it was cut",
                )
        return Verification(
            ok=not self._problem_count,
            problems=tuple(self._problems),
            problem_count=self._problem_count,
            notes=tuple(self._notes),
            lines=self._number,
            records=self._records,
            checkpoints=self._checkpoints,
            chain=self._chain,
            seq=self._seq,
            head=self._head,
            covered=self._covered,
            closed=self._closed and self._span is None,
            open_calls=tuple(call for call, _ in self._open_calls)[:MAX_OPEN_CALLS],
        )

    def _link(self, line: Line) -> None:
        number, body = self._number, line.body
        self._account(body.torn if isinstance(body, Genesis | Recovered) else None)
        if self._seq is None:
            if not isinstance(body, Genesis) or line.seq or line.prev != NO_HASH:
                self._problem(
                    number,
                    f"the chain begins with seq {line.seq}, not with a genesis line: its beginning is missing",
                )
        elif isinstance(body, Genesis):
            self._problem(number, "another chain begins here")
        elif line.seq > self._seq + 1:
            self._problem(number, f"{line.seq - self._seq - 1} line(s) before this one are missing")
        elif line.seq <= self._seq:
            self._problem(number, f"seq {line.seq} after seq {self._seq}: repeated or out of order")
        elif line.prev != self._head:
            self._problem(
                self._last_number, f"not the line that line {number} was written after: it was changed"
            )
        anchor = self._anchor
        if anchor is not None and anchor.seq == line.seq and anchor.head != line.hash:
            self._problem(number, "not the line that was noted")

    def _account(self, named: Torn | None) -> None:
        span, self._span = self._span, None
        found = span.torn() if span else None
        if found == named:
            if span is not None:
                self._note(
                    span.line,
                    f"{span.bytes} bytes of a write that was cut short, named by line {self._number}",
                )
        elif span is not None:
            self._problem(
                span.line,
                f"{span.bytes} bytes that are not a line, and line {self._number} does not name them",
            )
        else:
            self._problem(self._number, "names bytes before it that are not there")

    def _read(self, line: Line) -> None:
        body = line.body
        self._closed = False
        if isinstance(body, AuditRecord):
            self._records += 1
            self._uncovered += 1
            call = (body.call_id, body.phase.value)
            if body.status is Status.OPENED:
                self._open_calls[call] = None
            else:
                self._open_calls.pop(call, None)
        elif isinstance(body, Checkpoint):
            self._checkpoints += 1
            self._closed = body.final
            self._judge(line, body)
            return
        elif isinstance(body, Genesis):
            self._chain = self._chain or body.chain
        elif isinstance(body, Gap):
            self._note(
                self._number, f"{body.lost} records lost and {body.unsynced} not synced since {body.since}"
            )

    def _judge(self, line: Line, checkpoint: Checkpoint) -> None:
        if not self._keys:
            return
        key = self._keys.get(checkpoint.key_id)
        if key is None:
            self._problem(self._number, "a checkpoint by a key that is not among the given ones")
        elif not is_signed(line, checkpoint, chain_id=self._chain or "", key=key):
            self._problem(self._number, "the signature of this checkpoint is wrong")
        elif not self._problem_count:
            self._covered = self._number
            self._uncovered, self._every = 0, checkpoint.every

    def _problem(self, line: int, what: str) -> None:
        self._problem_count += 1
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(Problem(line, what))

    def _note(self, line: int, what: str) -> None:
        if len(self._notes) < MAX_PROBLEMS:
            self._notes.append(Problem(line, what))


class _Span:
    """Bytes that are not a line, hashed as they come by: they may be many."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.bytes = 0
        self._sha256 = hashlib.sha256()
        self._newline = b""

    def add(self, raw: bytes) -> None:
        """More of them. The newline at the very end does not count: it closes them off."""
        content = self._newline + raw.removesuffix(b"\n")
        self._newline = b"\n" if raw.endswith(b"\n") else b""
        self.bytes += len(content)
        self._sha256.update(content)

    def torn(self) -> Torn:
        """What a ``recovered`` line must say about them."""
        return Torn(bytes=self.bytes, sha256=self._sha256.hexdigest())
