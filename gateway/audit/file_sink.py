"""The audit as an append-only file: one writer per file, one line per write, synced when it must not be
lost."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway.audit.chain import Position
from gateway.audit.checkpoint import Signer
from gateway.audit.journal import Journal
from gateway.audit.record import AuditRecord
from gateway.audit.tail import NotAChainError, OpenedFile, candidates, open_locked
from gateway.errors import AuditUnavailable

RETRY_AFTER_S = 1.0
"""After a failed write, appends are refused for so long before the disk is tried again."""

logger = logging.getLogger(__name__)


class FileSink:
    """A :class:`gateway.audit.sink.Sink` that writes JSON lines to ``path``, or beside it if that is taken.

    ``path`` (0600 when it is made) is locked for this process; a second process gets ``<stem>.1.jsonl`` and
    so on, each its own chain. A file that is there is continued from its last line; what a crash left
    behind that line stays and is named by a ``recovered`` line. A write that fails makes the sink
    unhealthy; the next append after ``retry_after_s`` tries again and first says how many records were lost
    (a ``gap`` line).

    Open after any fork. Not checked: free space ahead of time, and that nobody else writes in spite of the
    lock.
    """

    def __init__(
        self,
        path: Path,
        *,
        signer: Signer | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        retry_after_s: float = RETRY_AFTER_S,
    ) -> None:
        """Open the file. ``AuditUnavailable`` if no file can be opened."""
        self._asked_path = path
        self._signer = signer
        self._clock = clock
        self._monotonic = monotonic
        self._retry_after_s = retry_after_s
        self._retry_at = 0.0
        self._write_failed = self._sync_failed = False
        self._synced_seq = 0
        self._syncing: asyncio.Task[bool] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="countersign-audit")
        self._closed = False
        self._pid = os.getpid()
        self._use(_open(path))

    @property
    def path(self) -> Path:
        """The file that is really written to."""
        return self._path

    @property
    def healthy(self) -> bool:
        """See ``Sink.healthy``."""
        return not (self._write_failed or self._sync_failed or self._closed)

    async def append(self, record: AuditRecord, *, durable: bool) -> Position | None:
        """See ``Sink.append``. Durable appends that wait at the same time share one fsync."""
        if self._closed:
            raise AuditUnavailable("The audit is closed.")
        if os.getpid() != self._pid:
            # A forked child shares descriptor and lock: two processes would write one chain.
            raise AuditUnavailable("The audit was opened before the process forked.")
        if self._write_failed and self._monotonic() < self._retry_at:
            self._journal.refused()
            raise AuditUnavailable("The audit cannot be written at the moment.")
        try:
            if not os.fstat(self._fd).st_nlink:
                self._replace_deleted()
            data = self._journal.plan(record)
        except (OSError, NotAChainError) as error:
            raise self._write_is_broken(b"", error) from None
        self._write(data)
        position = self._journal.position
        if durable:
            await self._sync(self._journal)
        return position

    async def aclose(self) -> None:
        """See ``Sink.aclose``. What cannot be written any more is logged, not raised."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        try:
            self._write(self._journal.plan_close())
            if self._syncing is not None:
                await asyncio.shield(self._syncing)
            await asyncio.shield(loop.run_in_executor(self._thread, _fsync, self._fd))
            chain = self._journal.chain
            # An anchor in another place than the file: `verify` finds a cut before it.
            logger.info(
                "audit %s closed: chain %s seq %d head %s", self._path, chain.id, chain.seq - 1, chain.head
            )
        except (AuditUnavailable, OSError) as error:
            logger.error("audit %s could not be closed well: %s", self._path, error)
        finally:
            self._thread.shutdown(wait=True)
            os.close(self._fd)

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._fd, data) if data else 0
        except OSError as error:
            raise self._write_is_broken(b"", error) from None
        if written < len(data):
            # On a regular file a short write means that the disk is full or a limit was reached.
            raise self._write_is_broken(data[:written], None)
        self._journal.written()
        if self._write_failed:
            self._write_failed = False
            logger.warning("audit %s is written again", self._path)

    def _write_is_broken(self, done: bytes, error: Exception | None) -> AuditUnavailable:
        self._journal.interrupted(done)
        self._retry_at = self._monotonic() + self._retry_after_s
        if not self._write_failed:
            self._write_failed = True
            logger.critical("audit %s cannot be written: %s", self._path, error or "the disk is full")
        return AuditUnavailable("The audit cannot be written.")

    async def _sync(self, journal: Journal) -> None:
        target = journal.chain.seq
        while self._synced_seq < target or journal is not self._journal:
            if journal is not self._journal:
                raise AuditUnavailable("The audit file was deleted.")
            if self._syncing is None:
                self._syncing = asyncio.ensure_future(self._sync_once())
            # Shielded: the fsync is shared, one caller that hangs up must not cancel it for the others.
            if not await asyncio.shield(self._syncing):
                journal.unsynced()
                raise AuditUnavailable("The audit cannot be put on the disk.")

    async def _sync_once(self) -> bool:
        journal, target = self._journal, self._journal.chain.seq
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, _fsync, self._fd)
        except OSError as error:
            if not self._sync_failed:
                logger.critical("audit %s cannot be synced: %s", self._path, error)
            self._sync_failed = True
            return False
        finally:
            self._syncing = None
        if journal is self._journal:
            self._synced_seq = target
        self._sync_failed = False
        return True

    def _replace_deleted(self) -> None:
        # Writes to a deleted file succeed and are seen by nobody.
        logger.critical("audit %s was deleted; a new chain begins", self._path)
        opened, old = _open_any(self._asked_path), self._fd
        self._use(opened)
        # In the thread that syncs, so behind an fsync of the old descriptor that may be under way.
        self._thread.submit(os.close, old)

    def _use(self, opened: OpenedFile) -> None:
        self._fd, self._path = opened.fd, opened.path
        self._journal = Journal(
            opened.chain,
            signer=self._signer,
            clock=self._clock,
            rest=opened.rest,
            newline=opened.newline,
        )
        self._synced_seq = 0


def _open(path: Path) -> OpenedFile:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _open_any(path)
    except (OSError, NotAChainError) as error:
        logger.critical("audit %s cannot be opened: %s", path, error)
        raise AuditUnavailable(f"The audit cannot be opened ({type(error).__name__}).") from None


def _open_any(path: Path) -> OpenedFile:
    for candidate in candidates(path):
        try:
            opened = open_locked(candidate)
        except NotAChainError as error:
            # Left as it is, for whoever investigates; work goes on beside it.
            logger.critical("audit %s is not continued: %s", candidate, error)
            continue
        if opened is None:
            continue
        if candidate != path:
            logger.warning("audit %s is taken; writing %s", path, candidate)
        return opened
    raise NotAChainError("no free file name is left")


def _fsync(fd: int) -> None:
    # fdatasync writes the new length too, which is all that appending changes.
    getattr(os, "fdatasync", os.fsync)(fd)
