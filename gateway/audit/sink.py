"""Where records go. :class:`Sink` is what the ledger needs; :class:`StdoutSink` is one for containers."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from typing import Protocol

from gateway.audit.chain import Chain, Position
from gateway.audit.checkpoint import Signer
from gateway.audit.journal import Journal
from gateway.audit.record import AuditRecord
from gateway.errors import AuditUnavailable


class Sink(Protocol):
    """Takes records in the order in which they are appended."""

    @property
    def healthy(self) -> bool:
        """Whether the last write succeeded. Money is not moved while it did not (invariant 5)."""

    async def append(self, record: AuditRecord, *, durable: bool) -> Position | None:
        """Write one record; ``durable`` returns only when it would survive a power cut. Gives its place in the chain,
        where there is one.

        ``AuditUnavailable`` if it cannot be said to be written. An append that is not durable must not
        suspend: the ledger awaits it while a cancelled call is being unwound. A cancelled durable append is
        still written.
        """

    async def aclose(self) -> None:
        """Write what must be written last, and let go of the file. Appending is an error from then on."""


class StdoutSink:
    """The chain on a descriptor, for a collector that reads standard output. Each process writes its own
    chain.

    Durable means written: what becomes of it is the collector's affair. A collector that does not read
    blocks the writer, and so the gateway; give it a file where that matters.
    """

    def __init__(
        self, *, fd: int = 1, signer: Signer | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._fd = fd
        self._journal = Journal(Chain(uuid.uuid4().hex), signer=signer, clock=clock)
        self._healthy = True
        self._closed = False

    @property
    def healthy(self) -> bool:
        """See ``Sink.healthy``."""
        return self._healthy and not self._closed

    async def append(self, record: AuditRecord, *, durable: bool) -> Position | None:  # noqa: ARG002  (see the class)
        """See ``Sink.append``."""
        if self._closed:
            raise AuditUnavailable("The audit is closed.")
        self._write(self._journal.plan(record))
        return self._journal.position

    async def aclose(self) -> None:
        """See ``Sink.aclose``. The descriptor is not closed; it is not ours."""
        if not self._closed:
            self._write(self._journal.plan_close())
            self._closed = True

    def _write(self, data: bytes) -> None:
        written = 0
        try:
            # A pipe may take a long line in parts; that is no fault.
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError as error:
            self._healthy = False
            self._journal.interrupted(data[:written])
            raise AuditUnavailable(f"The audit cannot be written ({type(error).__name__}).") from None
        self._journal.written()
        self._healthy = True
