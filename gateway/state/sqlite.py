"""State in one SQLite file: survives restarts, and is shared safely by the processes of one host.

The driver blocks, so one thread of the store's own does what may have to wait; the event loop only waits, with a
deadline. What need not wait is done at once (``sqlite_at_once.py``). What SQLite does is in ``sqlite_rows.py`` and
``sqlite_file.py``; this module is the bridge and the bounds.

NOT for network file systems (https://www.sqlite.org/wal.html, "all processes must be on the same host").
Open the store after any fork: neither the thread nor an SQLite connection may cross one. Restore a backup
with the gateway stopped, and without the old ``-wal`` and ``-shm`` files: a file that was replaced under a
running gateway makes the store unavailable until the restart.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from gateway.errors import StoreUnavailable
from gateway.state.sqlite_at_once import AtOnce
from gateway.state.sqlite_file import PURGE_EVERY, SqliteFile, WrongSchemaError
from gateway.state.sqlite_rows import Rows, until_ms
from gateway.state.store import Space, checked_limit, checked_value, key_bytes, key_text, ttl_ms

OPERATION_DEADLINE_S = 5.0
"""Longest wait for one operation, queue included; above the file's own lock wait, below any client's
patience."""

_T = TypeVar("_T")


class SqliteStore:
    """A :class:`gateway.state.store.Store` in the file ``path``.

    The file (mode 0600) and its directory (0700) are made by the first operation, not by the constructor.
    ``now`` is unix seconds: wall time, because it must mean the same to the next process.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], float] = time.time,
        deadline_s: float = OPERATION_DEADLINE_S,
    ) -> None:
        self._now = now
        self._deadline_s = deadline_s
        self._file = SqliteFile(path)
        self._at_once = AtOnce(path)
        self._unsynced = 0
        # One thread: SQLite serialises writers anyway, and a connection stays in the thread that made it.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="countersign-state")
        self._closed = False

    async def put(
        self, space: Space, key: str, value: bytes, *, ttl_s: float | None, durable: bool = True
    ) -> None:
        """See ``Store.put``."""
        stored, checked, ttl = key_bytes(key), checked_value(value), _ttl(ttl_s)
        await self._write(lambda rows, now: rows.put(space, stored, checked, until_ms(now, ttl)), durable)

    async def add(self, space: Space, key: str, value: bytes, *, ttl_s: float | None) -> bool:
        """See ``Store.add``."""
        stored, checked, ttl = key_bytes(key), checked_value(value), _ttl(ttl_s)
        return await self._write(
            lambda rows, now: rows.add(space, stored, checked, now, until_ms(now, ttl)), durable=True
        )

    async def get(self, space: Space, key: str) -> bytes | None:
        """See ``Store.get``."""
        stored = key_bytes(key)
        identity = self._file.identity
        if identity is not None and not self._closed:
            with suppress(sqlite3.Error, OSError):
                return self._at_once.rows(identity).get(space, stored, self._ms())
        return await self._run(lambda: self._file.rows().get(space, stored, self._ms()))

    async def take(self, space: Space, key: str, *, durable: bool = True) -> bytes | None:
        """See ``Store.take``."""
        stored = key_bytes(key)
        return await self._write(lambda rows, now: rows.take(space, stored, now), durable)

    async def swap(
        self,
        space: Space,
        key: str,
        *,
        expected: bytes,
        value: bytes,
        ttl_s: float | None,
        durable: bool = True,
    ) -> bool:
        """See ``Store.swap``."""
        stored, checked, ttl = key_bytes(key), checked_value(value), _ttl(ttl_s)
        return await self._write(
            lambda rows, now: rows.swap(space, stored, expected, checked, now, until_ms(now, ttl)), durable
        )

    async def entries(self, space: Space, *, limit: int, after: str = "") -> list[tuple[str, bytes]]:
        """See ``Store.entries``."""
        bound, beyond = checked_limit(limit), key_bytes(after) if after else b""
        found = await self._run(lambda: self._file.rows().entries(space, bound, self._ms(), beyond))
        return [(key_text(key), value) for key, value in found]

    async def increment(self, space: Space, key: str, by: int, *, ttl_s: float, durable: bool = True) -> int:
        """See ``Store.increment``."""
        stored, ttl = key_bytes(key), ttl_ms(ttl_s)
        return await self._write(lambda rows, now: rows.increment(space, stored, by, now, now + ttl), durable)

    async def ping(self) -> None:
        """See ``Store.ping``. Proves that the file can be opened and read, not that the disk has room."""
        await self._run(lambda: self._file.rows().ping())

    async def aclose(self) -> None:
        """See ``Store.aclose``."""
        if self._closed:
            return
        self._closed = True
        self._at_once.close()
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)
        try:
            await asyncio.shield(closing)
        finally:
            self._thread.shutdown(wait=False)

    async def _write(self, operation: Callable[[Rows, int], _T], durable: bool) -> _T:  # noqa: FBT001
        identity = self._file.identity
        if not durable and identity is not None and not self._closed:
            with suppress(sqlite3.Error, OSError):
                done = operation(self._at_once.rows(identity), self._ms())
                self._unsynced += 1
                if self._unsynced == PURGE_EVERY:
                    self._unsynced = 0
                    self._thread.submit(lambda: self._file.wrote(self._ms(), PURGE_EVERY))
                return done
        return await self._run(lambda: self._written(operation))

    def _written(self, operation: Callable[[Rows, int], _T]) -> _T:
        """In the store's thread."""
        done = operation(self._file.rows(), self._ms())
        self._file.wrote(self._ms(), 1)
        return done

    def _ms(self) -> int:
        # Read when the operation runs, not when it was queued: what expired in the queue is expired.
        return int(self._now() * 1000)

    async def _run(self, operation: Callable[[], _T]) -> _T:
        if self._closed:
            raise StoreUnavailable("The state store is closed.")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline_s):
                return await loop.run_in_executor(self._thread, operation)
        except TimeoutError:
            raise StoreUnavailable("The state store did not answer in time.") from None
        except WrongSchemaError as error:
            raise StoreUnavailable(str(error)) from None
        except sqlite3.Error as error:
            # SQLite's names (SQLITE_BUSY, SQLITE_FULL ...) carry neither path nor data; its messages may.
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            raise StoreUnavailable(f"The state store did not answer ({name}).") from None
        except OSError as error:
            raise StoreUnavailable(f"The state store cannot be opened ({type(error).__name__}).") from None


def _ttl(ttl_s: float | None) -> int | None:
    return None if ttl_s is None else ttl_ms(ttl_s)
