"""Newline-delimited messages out of a pipe, and text that a log can take. Pure."""

from __future__ import annotations

MAX_LINE_BYTES = 4 * 1024 * 1024
"""Bytes of one message; the same bound as the door's and the SDKs'."""


class LineReader:
    """Bytes in any pieces -> lines without their ends. A line beyond ``limit`` is skipped, and counted in ``skipped``;
    memory never holds more than that. With ``cut``, its beginning is kept instead."""

    def __init__(self, *, limit: int = MAX_LINE_BYTES, cut: bool = False) -> None:
        self.skipped = 0
        self._limit = limit
        self._cut = cut
        self._open: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that these bytes complete; empty ones are left out."""
        *ends, rest = chunk.split(b"\n")
        lines = []
        for end in ends:
            self._take(end)
            line = self._ended()
            if line:
                lines.append(line)
        self._take(rest)
        return lines

    def _take(self, piece: bytes) -> None:
        room = max(self._limit - self._size, 0)
        self._size += len(piece)
        if piece and room:
            self._open.append(piece[:room])

    def _ended(self) -> bytes:
        too_long = self._size > self._limit
        line = b"".join(self._open).rstrip(b"\r")
        self._open, self._size = [], 0
        self.skipped += too_long
        return b"" if too_long and not self._cut else line


def shown(line: bytes, secrets: tuple[str, ...] = ()) -> str:
    """One line of a stranger's for the log: no secret of its configuration, and no character that moves a cursor or
    looks like another line. Attack: a server that writes log records of ours, or escape sequences for who reads them.
    """
    text = line.decode("utf-8", "backslashreplace")
    for secret in secrets:
        text = text.replace(secret, "***")
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


class Allowance:
    """How many lines may still be written: ``burst`` at once, ``per_s`` in the long run. Pure: the clock is given."""

    def __init__(self, *, burst: int, per_s: float) -> None:
        self.dropped = 0
        self._burst = burst
        self._per_s = per_s
        self._left = float(burst)
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Whether one more may be written at this time (seconds)."""
        if self._at is not None:
            self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            self.dropped += 1
            return False
        self._left -= 1
        return True
