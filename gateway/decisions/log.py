"""Writes the decision log: JSON lines, one file, turned over by size. Behind the call's back.

A call hands over bytes that exist already and goes on; a thread takes them apart, masks, and writes. The log is for
whoever writes policies, not evidence (that is the audit): under a flood, or on a full disk, lines are left out and
counted; no call waits for one or is refused over one.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from gateway.decisions.entry import Kept, Recorded
from gateway.policy.engine import Evaluation

MAX_WAITING = 4_096
"""Questions that wait to be written; some 10 MB as they usually are."""
MAX_WAITING_BYTES = 32 * 1024 * 1024
"""Together, while a disk hangs: a caller may make a question of half a megabyte."""
_LOG = logging.getLogger("countersign.decisions")


class DecisionLog:
    """A recorder of questions (``gateway.policy.policy.Recorder``). ``now``: unix seconds.

    The file is 0600. At ``max_bytes`` it becomes ``<name>.1``, what was that ``.2``, and so on; ``keep_files`` of them
    stay.
    """

    def __init__(
        self, path: Path, kept: Kept, *, max_bytes: int, keep_files: int, now: Callable[[], float]
    ) -> None:
        """:raises OSError: the file cannot be opened."""
        self._path = path
        self._kept = kept
        self._max_bytes = max_bytes
        self._keep_files = keep_files
        self._now = now
        self._waiting: deque[tuple[float, bytes, Evaluation]] = deque()
        self._there = threading.Event()
        self._closed = False
        self.lost = 0
        # Each is written by one side alone: the calls, and the thread.
        self._bytes_in = self._bytes_out = 0
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd, self._size = _opened(path)
        self._thread = threading.Thread(target=self._run, name="countersign-decisions", daemon=True)
        self._thread.start()

    def record(self, document: bytes, evaluation: Evaluation) -> None:
        """Keep this question and its answer. Returns at once; never raises."""
        waiting = self._bytes_in - self._bytes_out
        if self._closed or len(self._waiting) >= MAX_WAITING or waiting + len(document) > MAX_WAITING_BYTES:
            self.lost += 1
            return
        self._bytes_in += len(document)
        self._waiting.append((self._now(), document, evaluation))
        self._there.set()

    def close(self) -> None:
        """Write what waits, then close the file."""
        if not self._closed:
            self._closed = True
            self._there.set()
            self._thread.join()
            os.close(self._fd)

    def _run(self) -> None:
        while True:
            self._there.wait()
            self._there.clear()
            lines = []
            taken = 0
            while self._waiting:
                time, document, evaluation = self._waiting.popleft()
                taken += len(document)
                line = self._line(time, document, evaluation)
                if line is not None:
                    lines.append(line)
            self._write(lines)
            self._bytes_out += taken
            if self._closed and not self._waiting:
                return

    def _line(self, time: float, document: bytes, evaluation: Evaluation) -> bytes | None:
        try:
            question, arguments = self._kept.of(msgspec.json.decode(document, type=dict))
            answer = None if evaluation.result is None else msgspec.json.decode(evaluation.result)
            recorded = Recorded(
                time=round(time, 3),
                arguments=arguments,
                question=question,
                answer=answer if isinstance(answer, dict) else None,
                revision=evaluation.revision,
                engine=evaluation.engine,
                decision_id=evaluation.decision_id,
            )
            return msgspec.json.encode(recorded) + b"\n"
        except (ValueError, RecursionError):
            self.lost += 1
            return None

    def _write(self, lines: list[bytes]) -> None:
        data = b"".join(lines)
        if not data:
            return
        try:
            if self._size + len(data) > self._max_bytes and self._size:
                self._turn_over()
            written = os.write(self._fd, data)
            self._size += written
            if written < len(data):
                # A disk that is full: end the line that was cut, so that the next one is whole.
                os.write(self._fd, b"\n")
                self.lost += data[written:].count(b"\n")
        except OSError as problem:
            self.lost += len(lines)
            _LOG.warning("the decision log lost %d questions so far: %s", self.lost, problem.strerror)

    def _turn_over(self) -> None:
        for number in range(self._keep_files - 1, 0, -1):
            older = _numbered(self._path, number)
            if older.exists():
                older.rename(_numbered(self._path, number + 1))
        self._path.rename(_numbered(self._path, 1))
        _numbered(self._path, self._keep_files + 1).unlink(missing_ok=True)
        fd, size = _opened(self._path)
        os.close(self._fd)
        self._fd, self._size = fd, size


def files_of(path: Path) -> list[Path]:
    """The log's files that there are, oldest first."""
    older = []
    number = 1
    while _numbered(path, number).exists():
        older.append(_numbered(path, number))
        number += 1
    return [*reversed(older), *([path] if path.exists() else [])]


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _opened(path: Path) -> tuple[int, int]:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    return fd, os.fstat(fd).st_size
