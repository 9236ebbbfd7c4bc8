"""The versions of a server's tools, in one JSON file beside the server. Each change is one atomic write.

The file is the server's memory across restarts: without it a tool could change and still be 1.0.0. It holds no secret.
Several processes of one server may share it. What is *not* prevented: that two of them write in the same moment, and
that two *different* builds raise versions in turn.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from gateway.authoring.errors import HistoryUnusable, UnknownTool
from gateway.authoring.versions import Change, Shape, change_between, next_version, parse_version

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
FORMAT: Final = 1


class Version(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of one tool. ``at`` is unix seconds; ``change`` says what made it, ``none`` for the first."""

    version: str
    at: int
    change: Change
    shape: Shape


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: int
    tools: dict[str, list[Version]]


class VersionHistory:
    """Reads the file once and writes it at each change. ``clock`` gives unix seconds.

    :raises HistoryUnusable: the file is there and is no history, or cannot be read.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._tools = self._written = _read(path)
        self._held = False
        self._caught_up = False

    def version(self, tool_id: str, shape: Shape, *, first: str) -> str:
        """The version of a tool that has this shape now. ``first`` is for one that was never seen before.

        :raises HistoryUnusable: a new version cannot be written down. It must then not be shown either.
        :raises ValueError: ``first`` is no version, or the last one cannot be raised any more.
        """
        if self._change(tool_id, shape) is not Change.NONE:
            self._catch_up()
        change = self._change(tool_id, shape)
        known = self._tools.get(tool_id, [])
        if change is Change.NONE:
            return known[-1].version
        if change is None:
            parse_version(first)
            new = Version(version=first, at=int(self._clock()), change=Change.NONE, shape=shape)
        else:
            raised = next_version(known[-1].version, change)
            new = Version(version=raised, at=int(self._clock()), change=change, shape=shape)
        self._tools = {**self._tools, tool_id: [*known, new]}
        if not self._held:
            self._write_down()
        return new.version

    @contextmanager
    def together(self) -> Iterator[None]:
        """What changes within the block is one write at its end: a server with a thousand tools starts once.

        :raises HistoryUnusable: it cannot be written. Then nothing has changed.
        """
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._write_down()

    def _catch_up(self) -> None:
        """Another process of this server may have written meanwhile; what it counted is not counted again."""
        if not self._caught_up:
            self._tools = self._written = _longer(self._written, _read(self._path))
            self._caught_up = True

    def _write_down(self) -> None:
        self._caught_up = False
        if self._tools is self._written:
            return
        try:
            _write(self._path, self._tools)
        except HistoryUnusable:
            self._tools = self._written
            raise
        self._written = self._tools

    def _change(self, tool_id: str, shape: Shape) -> Change | None:
        """Since the last version; None for a tool that was never seen."""
        known = self._tools.get(tool_id)
        return change_between(known[-1].shape, shape) if known else None

    def current(self, tool_id: str) -> str | None:
        """The last version of a tool, or None."""
        known = self._tools.get(tool_id)
        return known[-1].version if known else None

    def of(self, tool_id: str) -> tuple[Version, ...]:
        """Every version of a tool, the first one first. :raises UnknownTool:"""
        known = self._tools.get(tool_id)
        if not known:
            raise UnknownTool(tool_id)
        return tuple(known)


def _longer(ours: dict[str, list[Version]], theirs: dict[str, list[Version]]) -> dict[str, list[Version]]:
    """Of each tool the longer history: a file that was taken away while the server ran makes nothing begin again."""
    longer = [tool_id for tool_id, known in theirs.items() if len(known) >= len(ours.get(tool_id, ()))]
    return {**ours, **{tool_id: theirs[tool_id] for tool_id in longer}}


def _read(path: Path) -> dict[str, list[Version]]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise HistoryUnusable(f"{path.name}: over {MAX_FILE_BYTES} bytes; this is no history of versions")
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise HistoryUnusable(f"{path.name}: cannot be read: {problem.strerror}") from None
    try:
        document = msgspec.json.decode(content, type=_File)
        for versions in document.tools.values():
            _check(versions)
    except (ValueError, RecursionError):
        raise HistoryUnusable(f"{path.name}: is no history of versions; restore it from a backup") from None
    return document.tools


def _check(versions: list[Version]) -> None:
    """:raises ValueError: no version at all, or one that is not above the one before it."""
    numbers = [parse_version(one.version) for one in versions]
    if not numbers or any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
        raise ValueError("versions do not rise")


def _write(path: Path, tools: dict[str, list[Version]]) -> None:
    """Whole or not at all: a torn file would be an unusable history at the next start."""
    content = msgspec.json.format(msgspec.json.encode(_File(format=FORMAT, tools=tools)), indent=1)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise HistoryUnusable(f"{path.name}: cannot be written: {problem.strerror}") from None
