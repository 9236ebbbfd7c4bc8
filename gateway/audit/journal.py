"""What to write next, as bytes: records, and the lines by which a file accounts for itself. No I/O.

A sink plans bytes, writes them, and reports: all of them (``written``), or how many (``interrupted``).
Whatever was cut short stays in the file as evidence, and the next plan begins by closing it off and naming
it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from gateway.audit.chain import Body, Chain, Gap, Genesis, Line, Position, Recovered, read_line, torn
from gateway.audit.checkpoint import Signer
from gateway.audit.record import AuditRecord, timestamp


class Journal:
    """One chain being written by one writer. ``clock`` gives unix seconds.

    ``rest`` is what stands at the end of the file and is not a line; ``newline`` is whether a newline must
    come first.
    """

    def __init__(
        self,
        chain: Chain,
        *,
        signer: Signer | None,
        clock: Callable[[], float],
        rest: bytes = b"",
        newline: bool = False,
    ) -> None:
        self.chain = chain
        self._signer = signer
        self._every: float = signer.every if signer else math.inf
        self._clock = clock
        self._rest = rest
        self._newline = newline
        self._lost = self._unsynced = 0
        self._since = ""
        # What was there before is not known to be vouched for: with a key, a checkpoint is due at once.
        self._uncovered = signer.every if signer else 0
        self._plan = (chain, self._uncovered)
        self.position: Position | None = None
        """Where the record that was planned last stands, once it is written."""
        self._gap_seq: int | None = None
        # Whether the next record needs nothing said before it: the file is begun, ends in a line, lacks no
        # record.
        self._plain = False

    @property
    def accounted(self) -> bool:
        """Whether no refused record waits to be told of in a ``gap`` line."""
        return not (self._lost or self._unsynced)

    def plan(self, record: AuditRecord) -> bytes:
        """The bytes that put ``record`` into the file, and whatever must be said before and after it."""
        if self._plain and self._uncovered + 1 < self._every:
            line, after = self.chain.next(record)
            self._plan = (after, self._uncovered + 1)
            self.position = Position(after.id, after.seq - 1, after.head)
            return line
        return self._lines([*self._accounts(), record], final=False)

    def plan_close(self) -> bytes:
        """The bytes that end the file well: accounts, and a last checkpoint if there is a key. Maybe none."""
        return self._lines(self._accounts(), final=True)

    def written(self) -> None:
        """All that was planned is in the file."""
        self.chain, self._uncovered = self._plan
        if not self._plain:
            self._rest, self._newline = b"", False
            self._lost = self._unsynced = 0
            self._plain = bool(self.chain.seq)

    def interrupted(self, done: bytes) -> None:
        """Only ``done``, the beginning of what was planned, is in the file; the record counts as lost."""
        if done and self._newline and not self._rest:
            # The newline that the last line lacked; what follows it begins a line.
            done, self._newline = done[1:], False
        if done:
            ended = b"\n" if self._rest and not self._newline else b""
            line, self._rest, self._newline = read_tail(self._rest + ended + done)
            if line is not None:
                self.chain = Chain(self.chain.id, line.seq + 1, line.hash)
                if self._gap_seq is not None and line.seq >= self._gap_seq:
                    self._lost = self._unsynced = 0
        self._uncovered = self._signer.every if self._signer else 0
        self.refused()

    def refused(self) -> None:
        """A record was turned away unwritten."""
        self._note()
        self._lost += 1

    def unsynced(self) -> None:
        """A record is written, but it is not known whether it is on the disk."""
        self._note()
        self._unsynced += 1

    def _note(self) -> None:
        self._plain = False
        if self.accounted:
            self._since = timestamp(self._clock())

    def _accounts(self) -> list[Body]:
        time = timestamp(self._clock())
        bodies: list[Body] = []
        self._gap_seq = None
        if not self.chain.seq:
            bodies.append(
                Genesis(chain=self.chain.id, time=time, torn=torn(self._rest) if self._rest else None)
            )
        elif self._rest:
            bodies.append(Recovered(time=time, torn=torn(self._rest)))
        if not self.accounted:
            self._gap_seq = self.chain.seq + len(bodies)
            bodies.append(Gap(time=time, since=self._since, lost=self._lost, unsynced=self._unsynced))
        return bodies

    def _lines(self, bodies: list[Body], *, final: bool) -> bytes:
        chain, written = self.chain, [b"\n"] if self._newline else []
        for body in bodies:
            line, chain = chain.next(body)
            written.append(line)
            if isinstance(body, AuditRecord):
                self.position = Position(chain.id, chain.seq - 1, chain.head)
        uncovered = self._uncovered + len(bodies)
        signer = self._signer
        if signer is not None and chain.seq and (final or uncovered >= signer.every):
            line, chain = chain.next(signer.checkpoint(chain, time=timestamp(self._clock()), final=final))
            written.append(line)
            uncovered = 0
        self._plan = (chain, uncovered)
        return b"".join(written)


def read_tail(data: bytes) -> tuple[Line | None, bytes, bool]:
    """The end of a file -> its last line, what follows that line and is none, and whether a newline is
    missing.

    A last line that is whole but for its newline is a line. ``data`` begins at a line's beginning, or its
    first piece is not a line and counts as what is none.
    """
    if not data:
        return None, b"", False
    unterminated = not data.endswith(b"\n")
    end = len(data) if unterminated else len(data) - 1
    stop = end
    while stop >= 0:
        start = data.rfind(b"\n", 0, stop) + 1
        line = read_line(data[start:stop])
        if line is not None:
            # From behind this line's own newline to the end, less the newline that ends the file.
            return line, data[stop + 1 : end], unterminated
        stop = start - 1
    return None, data[:end], unterminated
