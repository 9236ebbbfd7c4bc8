"""What the walk tells the audit: the rooms' values, translated into one entry. Beside the walk, because it knows
all rooms and the audit knows none.

Opened before the first room, closed after the last. A refusal of ours (a burnt token, an unknown tool) is recorded as
*refused*; what broke on the way is *failed*, and what may have left is *unknown* (``audit/ledger.py``).
"""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Self

from gateway.audit.chain import Position
from gateway.audit.ledger import Audit, AuditEntry
from gateway.audit.record import AuditRecord, Phase, Status
from gateway.catalog.catalog import Entry
from gateway.door.call import Era, ToolCall
from gateway.errors import CountersignError, Unavailable
from gateway.identity.caller import Caller
from gateway.outcome.answer import Again, Answer, Executed, MoreInput, Refused, Unknown
from gateway.policy.decision import Decision, outcome_of
from gateway.signature_book import SignatureBook
from gateway.transactions.transaction import Transaction
from gateway.upstream.target import Effect, Reply

_STATUS = {
    Effect.EXECUTED: Status.EXECUTED,
    Effect.WAITING: Status.WAITING,
    Effect.REFUSED: Status.FAILED,
    Effect.UNKNOWN: Status.UNKNOWN,
}


class CallBook:
    """The page of one call."""

    def __init__(self, entry: AuditEntry, *, sensitive: bool = True) -> None:
        self._entry = entry
        self._sensitive = sensitive
        self._reply: Reply | None = None
        self._decided: Decision | None = None

    async def __aenter__(self) -> Self:
        await self._entry.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, CountersignError) and self._reply is None:
            broken = isinstance(error, Unavailable)
            self._entry.finished(Status.FAILED if broken else Status.REFUSED, error=error.code)
        await self._entry.__aexit__(kind, error, traceback)

    @property
    def written(self) -> tuple[AuditRecord, Position | None] | None:
        """The page as it was closed, and its place in the chain; None before."""
        return self._entry.written

    def caller(self, caller: Caller) -> Caller:
        """Who asks."""
        self._entry.caller(issuer=caller.issuer, subject=caller.subject, client_id=caller.client_id)
        return caller

    def tool(self, entry: Entry) -> Entry:
        """What is asked for, as it is now."""
        self._entry.tool(definition_hash=entry.tool.definition_hash)
        return entry

    def decided(self, decision: Decision, transaction_id: str) -> None:
        """What the policy said."""
        self._decided = decision
        self._entry.transaction(transaction_id)
        self._entry.decided(
            outcome_of(decision),
            reasons=[*(reason.code for reason in decision.reasons), *decision.obligations.softened],
            decision_id=decision.decision_id,
            revision=decision.revision,
            engine=decision.engine,
            data_class=decision.data_class,
            tier=decision.tier,
            would_be=decision.would_be,
        )

    async def before_upstream(self, *, durable: bool) -> None:
        """A sensitive tool's record is on disk first, also when the policy's answer names a milder class.

        :raises AuditUnavailable: the record must be on disk first, and cannot be.
        """
        await self._entry.before_upstream(durable=durable or self._sensitive)

    def upstream(self, reply: Reply) -> None:
        """How the target answered."""
        self._reply = reply
        self._entry.upstream(status=reply.status, debug_id=reply.debug_id, request_id=reply.request_id)

    def answered(self, answer: Answer) -> Answer:
        """What became of the call."""
        match answer:
            case Executed() | Unknown() if answer.about.duplicate_of is not None:
                # Of this call itself there is no doubt: it was not sent. The transaction is the first one's.
                self._entry.transaction(answer.about.duplicate_of)
                self._entry.finished(Status.REFUSED, error="transaction.duplicate")
            case Executed():
                assert self._reply is not None
                status = _STATUS[self._reply.effect]
                if status is Status.EXECUTED and self._reply.is_error:
                    status = Status.FAILED
                self._entry.finished(status)
            case Unknown():
                self._entry.finished(Status.UNKNOWN)
            case Again() | MoreInput():
                self._entry.finished(Status.WAITING)
            case Refused():
                self._gateway_refused(answer)
                self._entry.finished(Status.REFUSED)
        return answer

    def recovered(self, transaction: Transaction) -> None:
        """What a recovery found out about a call that a crash cut short."""
        assert transaction.outcome is not None
        unknown = transaction.outcome is Effect.UNKNOWN
        self._entry.finished(_STATUS[transaction.outcome], error="transaction.unknown" if unknown else None)

    def judged(self, decision: Decision) -> None:
        """What the policy said about a request that is no call."""
        self._entry.decided(
            outcome_of(decision),
            reasons=[reason.code for reason in decision.reasons],
            decision_id=decision.decision_id,
            revision=decision.revision,
            engine=decision.engine,
        )

    def passed(self, reply: Reply | None) -> None:
        """The server's answer to it; None where a stream was opened."""
        status = Status.EXECUTED if reply is None else _STATUS[reply.effect]
        if status is Status.EXECUTED and reply is not None and reply.error is not None:
            status = Status.FAILED
        self._entry.finished(status)

    def listed(self, count: int) -> None:
        """A listing was answered; how many tools it showed is nobody's secret and nobody's need."""
        del count
        self._entry.finished(Status.EXECUTED)

    def _gateway_refused(self, answer: Refused) -> None:
        """The gateway's own walls may refuse what the policy allowed; then their reasons are the record's."""
        decision = self._decided
        if decision is not None and answer.about.reasons != decision.reasons:
            self._entry.decided(
                "deny",
                reasons=[reason.code for reason in answer.about.reasons],
                decision_id=decision.decision_id,
                revision=decision.revision,
                engine=decision.engine,
                data_class=decision.data_class,
                tier=decision.tier,
            )


class Books(SignatureBook):
    """Opens pages over one audit."""

    def __init__(self, audit: Audit) -> None:
        super().__init__(audit)
        self._audit = audit

    def call(self, call: ToolCall, *, sensitive: bool = True) -> CallBook:
        """The page of one tool call. ``sensitive`` comes from the class table, not from the policy's answer."""
        entry = self._audit.record(call_id=call.call_id, phase=Phase.CALL)
        entry.tool(server=call.server, name=call.tool, era=call.era, arguments_hash=call.arguments_hash)
        return CallBook(entry, sensitive=sensitive)

    def listing(self, *, call_id: str, server: str, era: Era) -> CallBook:
        """The page of one ``tools/list``."""
        entry = self._audit.record(call_id=call_id, phase=Phase.LIST)
        entry.tool(server=server, era=era)
        return CallBook(entry)

    def passage(self, *, call_id: str, server: str, method: str, era: Era) -> CallBook:
        """The page of a request that is neither a call nor a listing; the method stands where the tool would."""
        entry = self._audit.record(call_id=call_id, phase=Phase.PASSAGE)
        entry.tool(server=server, name=method, era=era)
        return CallBook(entry, sensitive=False)

    async def rejected(
        self, *, call_id: str, server: str, method: str | None, error: CountersignError
    ) -> None:
        """What was no proper call. The method is named where it was understood."""
        async with self._audit.record(call_id=call_id, phase=Phase.CALL) as entry:
            entry.tool(server=server, name=method)
            entry.finished(Status.REFUSED, error=error.code)

    async def lapsed(self, call: ToolCall, transaction_id: str) -> None:
        """A call whose target asked back, and whose host did not return (``outcome.allow.Lapses``)."""
        async with self._audit.record(call_id=call.call_id, phase=Phase.UPSTREAM) as entry:
            entry.tool(server=call.server, name=call.tool, era=call.era, arguments_hash=call.arguments_hash)
            entry.transaction(transaction_id)
            entry.finished(Status.UNKNOWN, error="upstream.lapsed")

    def recovery(self, transaction: Transaction) -> CallBook:
        """The page of one recovery (``transactions.recovery.RecoveryAudit``): whose call it was, and which."""
        entry = self._audit.record(call_id=transaction.call_id, phase=Phase.UPSTREAM)
        entry.caller(issuer=transaction.issuer, subject=transaction.subject, client_id=None)
        entry.tool(
            server=transaction.server,
            name=transaction.tool,
            definition_hash=transaction.definition_hash,
            arguments_hash=transaction.arguments_hash,
        )
        entry.transaction(transaction.transaction_id)
        return CallBook(entry)

    def state(self) -> Literal["ok", "degraded"]:
        """Whether the audit takes records; policy refuses the classes 1 to 3 while it does not."""
        return "ok" if self._audit.healthy else "degraded"
