"""The number of the last decision about each tool, kept outside the state: an older approval put back is seen.

Attack: an operator revokes a tool; whoever can write the state file, and has no key, puts the earlier record back, or
takes the revocation out so that the release's own pin holds again. Both were sealed by us and are perfectly genuine.
So every decision is numbered, and the numbers are written to a file of this host as well: one line each, appended, with
a MAC. What the state shows must not be older than the last line.

What this does NOT find: an attacker who can also cut this file short while no gateway runs (a running one remembers).
Put it where whoever writes the state cannot write. And where there was no such file before, everything the state
shows counts as the latest: a new host has nothing to compare with, and says so.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

_LOG = logging.getLogger("countersign.catalog")
_FIELDS = 4


class Mark(msgspec.Struct, frozen=True):
    """The number of a decision, and the SHA-256 of its record."""

    number: int
    digest: str


class Vouching(Protocol):
    """The part of :class:`gateway.catalog.seal.Seal` that signs lines."""

    def mac(self, text: bytes) -> str:
        """64 hex digits."""
        ...

    def vouches(self, text: bytes, mac: str) -> bool:
        """Whether one of our keys made it."""
        ...


class Anchor:
    """Marks by name. Reading costs one ``stat``; what this process has seen once it never forgets."""

    def __init__(self, path: Path, seal: Vouching) -> None:
        self._path = path
        self._seal = seal
        self._marks: dict[str, Mark] = {}
        self._read_to = 0
        self._inode = 0

    def mark(self, name: str) -> Mark | None:
        """The last decision of that name that anybody on this host has seen."""
        self._refresh()
        return self._marks.get(name)

    def advance(self, name: str, mark: Mark, *, durable: bool) -> None:
        """Remember a decision; ``durable`` returns when it is on the disk. An older one changes nothing.

        :raises OSError: the file cannot be written. The mark holds in this process all the same.
        """
        if not self._newer(name, mark):
            return
        self._marks[name] = mark
        text = f"{name} {mark.number} {mark.digest}"
        line = f"{text} {self._seal.mac(text.encode())}\n".encode()
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # One write of one short line to the end: whole beside those of other processes.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _newer(self, name: str, mark: Mark) -> bool:
        known = self._marks.get(name)
        return known is None or mark.number > known.number

    def _refresh(self) -> None:
        with suppress(OSError):
            found = self._path.stat()
            if found.st_size == self._read_to and found.st_ino == self._inode:
                return
            if found.st_ino != self._inode or found.st_size < self._read_to:
                if self._inode:
                    _LOG.error("the anchor of the approvals was cut short or replaced: who did that?")
                self._read_to = 0
            with self._path.open("rb") as file:
                file.seek(self._read_to)
                new = file.read()
            whole = new.rfind(b"\n") + 1  # what another process is writing just now is read the next time
            for line in new[:whole].splitlines():
                self._take(line)
            self._read_to, self._inode = self._read_to + whole, found.st_ino

    def _take(self, line: bytes) -> None:
        text, _, mac = line.rpartition(b" ")
        fields = line.split(b" ")
        if (
            len(fields) != _FIELDS
            or not fields[1].isdigit()
            or not mac.isascii()
            or not self._seal.vouches(text, mac.decode())
        ):
            _LOG.error("a line of the anchor of the approvals is not ours, and is passed over")
            return
        name, mark = (
            fields[0].decode("ascii", "replace"),
            Mark(int(fields[1]), fields[2].decode("ascii", "replace")),
        )
        if self._newer(name, mark):
            self._marks[name] = mark
