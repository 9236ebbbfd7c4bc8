"""The walk's handle on the audit: opened before the first room, closed after the last, whatever happens.

::

    async with audit.record(call_id=call.id, phase=Phase.CALL) as entry:
        entry.caller(...); entry.tool(...); entry.decided(...)
        await entry.before_upstream(durable=True)      # or no call (invariant 5)
        entry.upstream(status=201, debug_id="...")
        entry.finished(Status.EXECUTED)

Leaving the block writes the closing record: also after an exception, also when the client hung up (the
write is shielded from the cancellation). A closing record that cannot be written is counted and logged,
never raised: the money has moved, and an error would invite a second try.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

import msgspec

from gateway.audit.chain import Position
from gateway.audit.record import (
    MAX_NOTE_CHARS,
    MAX_PERMISSIONS,
    MAX_REASONS,
    AuditApproval,
    AuditCaller,
    AuditDecision,
    AuditRecord,
    AuditUpstream,
    Outcome,
    Phase,
    Status,
    clip,
    clip_or_none,
    code_of,
    outcome_of,
    timestamp,
)
from gateway.audit.sink import Sink

logger = logging.getLogger(__name__)


class Audit:
    """Opens entries over one sink. ``clock`` is unix seconds; ``monotonic_ns`` measures durations."""

    def __init__(
        self,
        sink: Sink,
        *,
        service_version: str,
        environment: str,
        clock: Callable[[], float] = time.time,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._sink = sink
        self.service_version = clip(service_version)
        self.environment = clip(environment)
        self.clock = clock
        self.monotonic_ns = monotonic_ns
        self.lost = 0
        """Closing records that could not be written since the start, for metrics."""
        self._closing: set[asyncio.Task[Position | None]] = set()

    @property
    def healthy(self) -> bool:
        """Whether the sink takes records."""
        return self._sink.healthy

    def record(self, *, call_id: str, phase: Phase) -> AuditEntry:
        """An entry, to be entered with ``async with`` at once."""
        return AuditEntry(self, call_id=call_id, phase=phase)

    async def aclose(self) -> None:
        """Wait for closing records under way, then close the sink."""
        while self._closing:
            await asyncio.gather(*self._closing)
        await self._sink.aclose()

    async def write_opened(self, record: AuditRecord) -> None:
        """``AuditUnavailable`` unless the record is on the disk."""
        await self._sink.append(record, durable=True)

    async def write_closing(self, record: AuditRecord, *, durable: bool) -> Position | None:
        """Write, or count and log; never raises but for a cancellation, which the write survives. None: it is lost."""
        if not durable:
            return await self._close(record, durable=False)
        task = asyncio.ensure_future(self._close(record, durable=True))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return await asyncio.shield(task)

    async def _close(self, record: AuditRecord, *, durable: bool) -> Position | None:
        try:
            return await self._sink.append(record, durable=durable)
        except Exception:
            self.lost += 1
            logger.exception(
                "audit record LOST: call %s phase %s status %s transaction %s",
                record.call_id,
                record.phase.value,
                record.status.value,
                record.transaction_id,
            )
            return None


class AuditEntry:
    """Collects facts about one call and phase. Its methods only set; nothing is written until it must be."""

    _transaction_id: str | None = None
    _caller: AuditCaller | None = None
    _server: str | None = None
    _tool: str | None = None
    _era: str | None = None
    _definition_hash: str | None = None
    _arguments_hash: str | None = None
    _data_class: int | None = None
    _tier: str | None = None
    _outcome: Outcome | None = None
    _would_be: Outcome | None = None
    _reasons: tuple[str, ...] = ()
    _decision: AuditDecision | None = None
    _upstream: AuditUpstream | None = None
    _approval: AuditApproval | msgspec.UnsetType = msgspec.UNSET
    _status: Status | None = None
    _error: str | None = None
    _note: str | None = None
    _opened = False
    _durable = False
    written: tuple[AuditRecord, Position | None] | None = None
    """The closing record and its place in the chain, once the entry is closed; without a place it is lost."""

    def __init__(self, audit: Audit, *, call_id: str, phase: Phase) -> None:
        self._audit = audit
        self._call_id = clip(call_id)
        self._phase = phase
        self._time = timestamp(audit.clock())
        self._started_ns = audit.monotonic_ns()

    def caller(self, *, issuer: str, subject: str, client_id: str | None) -> None:
        """Who asks, once the token was verified."""
        self._caller = AuditCaller(
            issuer=clip(issuer), subject=clip(subject), client_id=clip_or_none(client_id)
        )

    def transaction(self, transaction_id: str) -> None:
        """What ties the phases of one handshake together (R040)."""
        self._transaction_id = clip(transaction_id)

    def tool(
        self,
        *,
        server: str | None = None,
        name: str | None = None,
        era: str | None = None,
        definition_hash: str | None = None,
        arguments_hash: str | None = None,
    ) -> None:
        """What is asked for; may be told in steps, and a member that is not given stays as it was."""
        if server is not None:
            self._server = clip(server)
        if name is not None:
            self._tool = clip(name)
        if era is not None:
            self._era = clip(era)
        if definition_hash is not None:
            self._definition_hash = clip(definition_hash)
        if arguments_hash is not None:
            self._arguments_hash = clip(arguments_hash)

    def approval(
        self,
        *,
        version: str | None,
        provider: str | None,
        requested: Sequence[str],
        approved: Sequence[str],
        expires: int | None,
        via: str,
    ) -> None:
        """What was decided about the tool."""
        self._approval = AuditApproval(
            version=clip_or_none(version),
            provider=clip_or_none(provider),
            requested=tuple(map(clip, requested[:MAX_PERMISSIONS])),
            approved=tuple(map(clip, approved[:MAX_PERMISSIONS])),
            expires=expires,
            via=clip(via),
        )

    def decided(
        self,
        outcome: str,
        *,
        reasons: Iterable[str],
        decision_id: str | None = None,
        revision: str | None = None,
        engine: str | None = None,
        data_class: int | None = None,
        tier: str | None = None,
        would_be: str | None = None,
    ) -> None:
        """What the policy said; ``reasons`` are codes. A later decision on the same call replaces an
        earlier one."""
        self._outcome = outcome_of(outcome)
        self._would_be = None if would_be is None else outcome_of(would_be)
        self._reasons = tuple([code_of(reason, "audit.not_a_code") for reason in reasons][:MAX_REASONS])
        self._decision = AuditDecision(
            decision_id=clip_or_none(decision_id),
            revision=clip_or_none(revision),
            engine=clip_or_none(engine),
        )
        self._data_class = data_class
        self._tier = clip_or_none(tier)

    def noted(self, text: str) -> None:
        """Why an operator did this, in their own words. Only for acts of administration, never for a call."""
        self._note = text[:MAX_NOTE_CHARS].encode("utf-8", "backslashreplace").decode()

    async def before_upstream(self, *, durable: bool) -> None:
        """Call this immediately before anything is sent. Raises ``AuditUnavailable``; then nothing may be
        sent.

        Durable (classes 1-3): an ``opened`` record is on the disk when this returns, so that even a power
        cut in the middle of the call leaves a trace. Otherwise nothing is written here; the closing record
        is the only one.
        """
        if durable:
            self._durable = True
            await self._audit.write_opened(self._record(Status.OPENED, None))
        self._opened = True

    def upstream(
        self, *, status: int | None = None, debug_id: str | None = None, request_id: str | None = None
    ) -> None:
        """What the target answered, by its own ids."""
        self._upstream = AuditUpstream(
            status=status, debug_id=clip_or_none(debug_id), request_id=clip_or_none(request_id)
        )

    def finished(self, status: Status, *, error: str | None = None) -> None:
        """What became of the call; ``error`` is a code. Stands even if the answer cannot be delivered
        afterwards."""
        self._status = status
        self._error = None if error is None else code_of(error, "internal")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None and self._error is None:
            cancelled = isinstance(error, asyncio.CancelledError)
            self._error = "cancelled" if cancelled else code_of(getattr(error, "code", None), "internal")
        status = self._status
        if status is None:
            # Invariant 4: when something may have been sent and nobody said how it ended, that is not a
            # failure.
            status = Status.UNKNOWN if self._opened else Status.FAILED
            self._error = self._error or "audit.unfinished"
        record = self._record(status, self._error)
        self.written = (record, await self._audit.write_closing(record, durable=self._durable))

    def _record(self, status: Status, error: str | None) -> AuditRecord:
        audit = self._audit
        return AuditRecord(
            call_id=self._call_id,
            transaction_id=self._transaction_id,
            phase=self._phase,
            time=self._time,
            caller=self._caller,
            server=self._server,
            tool=self._tool,
            era=self._era,
            data_class=self._data_class,
            tier=self._tier,
            outcome=self._outcome,
            reasons=self._reasons,
            decision=self._decision,
            would_be=self._would_be,
            definition_hash=self._definition_hash,
            arguments_hash=self._arguments_hash,
            status=status,
            error=error,
            upstream=self._upstream,
            duration_us=(audit.monotonic_ns() - self._started_ns) // 1000,
            service_version=audit.service_version,
            environment=audit.environment,
            approval=self._approval,
            note=self._note,
        )
