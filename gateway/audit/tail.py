"""Where an audit file ends: opening it for one writer, and finding the line from which its chain goes on."""

from __future__ import annotations

import fcntl
import os
import stat
import uuid
from pathlib import Path

import msgspec

from gateway.audit.chain import MAX_LINE_BYTES, Chain, Genesis, read_line
from gateway.audit.journal import read_tail

MAX_FILES = 64
"""Chains beside each other, one per process that writes at the same time."""
TAIL_BYTES = 1_048_576
"""How far back the last line is looked for. A crash tears one write: a few kB."""
TORN_GENESIS_BYTES = 4096
"""A file without any line may be this long and still be ours: its very first write was cut short."""


class NotAChainError(Exception):
    """A file that is not an audit chain, or was damaged further than a crash damages one. It is left
    alone."""


class OpenedFile(msgspec.Struct, frozen=True):
    """A locked descriptor at the end of a chain. ``rest`` and ``newline`` as for ``journal.Journal``."""

    fd: int
    path: Path
    chain: Chain
    rest: bytes
    newline: bool


def candidates(path: Path) -> list[Path]:
    """``audit.jsonl``, ``audit.1.jsonl`` ... ``audit.64.jsonl``."""
    return [path, *(path.with_name(f"{path.stem}.{n}{path.suffix}") for n in range(1, MAX_FILES + 1))]


def open_locked(path: Path) -> OpenedFile | None:
    """The file, made if need be (0600), for this writer alone; None if another writer has it.

    Raises ``OSError`` and ``NotAChainError``. The lock is advisory (flock) and ends with the process.
    """
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        chain, rest, newline = read_end(fd)
    except BaseException:
        os.close(fd)
        raise
    sync_directory(path.parent)
    return OpenedFile(fd, path, chain, rest, newline)


def read_end(fd: int) -> tuple[Chain, bytes, bool]:
    """The chain to go on with (a new one for an empty file), what stands behind it, and whether a newline
    is due."""
    found = os.fstat(fd)
    size = found.st_size if stat.S_ISREG(found.st_mode) else 0
    start = max(0, size - TAIL_BYTES)
    line, rest, newline = read_tail(_read(fd, start, size - start))
    if line is not None:
        return Chain(_chain_id(fd, size), line.seq + 1, line.hash), rest, newline
    if size > TORN_GENESIS_BYTES:
        raise NotAChainError("no audit line near its end")
    return Chain(uuid.uuid4().hex), rest, newline


def sync_directory(path: Path) -> None:
    """Put a new file's name on the disk too: fsync of a file does not do that (fsync(2))."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError:
        # Some file systems refuse it (EINVAL); the file itself is synced on its own.
        return
    finally:
        os.close(fd)


def _chain_id(fd: int, size: int) -> str:
    head = _read(fd, 0, min(size, TORN_GENESIS_BYTES + MAX_LINE_BYTES))
    for raw in head.split(b"\n"):
        line = read_line(raw)
        if line is not None:
            if isinstance(line.body, Genesis) and line.seq == 0:
                return line.body.chain
            break
    raise NotAChainError("it does not begin with a genesis line")


def _read(fd: int, offset: int, length: int) -> bytes:
    parts = []
    while length > 0 and (part := os.pread(fd, length, offset)):
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return b"".join(parts)
