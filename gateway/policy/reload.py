"""Watches the policy folder and gives an edited policy to the engine. By polling: no dependency, works on any mount."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from gateway.policy.engine import PolicyRefused
from gateway.policy.loading import CAPABILITIES
from gateway.policy.revision import policy_files

INTERVAL_S = 0.2
"""Between two looks at the folder: with the trial and the loading, an edit decides within a second."""

Stamp = tuple[tuple[str, int, int, int], ...]


class Reloadable(Protocol):
    """The engine's side."""

    @property
    def revision(self) -> str:
        """Of the policy that decides now."""
        ...

    async def reload(self, folder: Path) -> None:
        """Replace the policy, or raise PolicyRefused and keep the old one."""
        ...


class ReloadEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An edit was noticed. `error` is None if it went live; else `revision` is still the old one."""

    revision: str
    error: str | None


class Reloader:
    """Notices edits. `report` hears of every attempt, and writes the log line."""

    def __init__(
        self,
        folder: Path,
        engine: Reloadable,
        *,
        report: Callable[[ReloadEvent], None],
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._folder = folder
        self._engine = engine
        self._report = report
        self._interval_s = interval_s
        self._seen = stamp(folder)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            await self.check()

    async def check(self) -> bool:
        """Look once; whether an edit was taken up. A refused edit is not tried again until the files change.

        An editor or a checkout writes several files one after another. Half of an edit must not go live, nor be called
        broken: what changes while it is tried is looked at again, and the engine takes nothing else than what it tried.
        """
        now = await asyncio.to_thread(stamp, self._folder)
        if now == self._seen:
            return False
        error: str | None = None
        try:
            await self._engine.reload(self._folder)
        except PolicyRefused as refusal:
            error = refusal.message
        if error is not None and await asyncio.to_thread(stamp, self._folder) != now:
            return False
        self._seen = now
        self._report(ReloadEvent(revision=self._engine.revision, error=error))
        return True


def stamp(folder: Path) -> Stamp:
    """What tells that a file was edited: name, time, size and inode; empty if the folder cannot be listed."""
    stamps = []
    try:
        for path in [*policy_files(folder), folder.parent / CAPABILITIES]:
            if path.exists():
                status = path.stat()
                stamps.append((str(path), status.st_mtime_ns, status.st_size, status.st_ino))
    except (OSError, PolicyRefused):
        return ()  # between two writes of an editor; the next look sees more
    return tuple(stamps)
