"""Reads the decision log, line by line; a line that is none is counted, not guessed at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.decisions.entry import VERSION, Recorded
from gateway.decisions.log import files_of

_DECODER = msgspec.json.Decoder(Recorded)


class Reading:
    """One pass over the log. ``unreadable`` counts lines that are not of this format."""

    def __init__(self, path: Path, *, since: float = 0.0) -> None:
        self._path = path
        self._since = since
        self.unreadable = 0

    def __iter__(self) -> Iterator[Recorded]:
        for path in files_of(self._path):
            with path.open("rb") as lines:
                for line in lines:
                    recorded = self._read(line)
                    if recorded is not None and recorded.time >= self._since:
                        yield recorded

    def _read(self, line: bytes) -> Recorded | None:
        try:
            recorded = _DECODER.decode(line)
        except (ValueError, RecursionError):
            self.unreadable += 1
            return None
        if recorded.v != VERSION:
            self.unreadable += 1
            return None
        return recorded
