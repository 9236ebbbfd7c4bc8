"""Sends a call of unknown outcome once more, on a person's explicit order: the same request under the same key.

Where the target tells a repeat by that key and promises to answer it with the first result, this finds out what became
of the first; if the first never arrived, the call is carried out now, once, as it was countersigned. Nothing is sent
where any of that is not certain, and each refusal says why:

* the outcome is not unknown, the target promises nothing for the tool, or its promise is over;
* the arguments are not kept, or are not those that were judged;
* an equal call came after this one, and was carried out or is not settled. Attack by accident: the agent got it done by
  a new call, and a repeat of the old one would be a second refund;
* the tool is not the approved one any more, or the operator stopped it, or its caller;
* the money is another. Attack: the order is made dearer while its first capture is in doubt.

Until it is settled again, the call is announced as its caller's first one, so that no equal call begins beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from gateway.catalog.drift import drift
from gateway.errors import CountersignError
from gateway.transactions.book import TransactionBook
from gateway.transactions.duplicates import Duplicates
from gateway.transactions.journal import resource_of
from gateway.transactions.lease import Lease
from gateway.transactions.prices import Prices, as_countersigned
from gateway.transactions.recovery import Definitions, RecoveryAudit
from gateway.transactions.rules import RecoveryRules
from gateway.transactions.sent import Sent, whole
from gateway.transactions.settlement import can_be_settled
from gateway.transactions.stops import Stops, against
from gateway.transactions.transaction import How, State, Transaction
from gateway.upstream.target import Effect, Reply, Upstream

MARGIN_S = 300.0
"""Seconds before the target's promise ends in which nothing is sent: clocks differ, and a request takes its time."""


class RetryRefused(CountersignError):
    """It was not sent again; the message says why, and what to do."""

    code = "transaction.not_retried"


class Retry:
    """One more try. Errors: ``RetryRefused``, ``StoreUnavailable``, ``AuditUnavailable``, ``UpstreamUnavailable``; with
    each of them nothing was sent."""

    def __init__(
        self,
        book: TransactionBook,
        lease: Lease,
        duplicates: Duplicates,
        upstreams: Mapping[str, Upstream],
        definitions: Definitions,
        audit: RecoveryAudit,
        prices: Prices,
        stops: Stops,
        *,
        rules: Mapping[str, RecoveryRules],
        now: Callable[[], float],
    ) -> None:
        self._book = book
        self._lease = lease
        self._duplicates = duplicates
        self._upstreams = upstreams
        self._definitions = definitions
        self._audit = audit
        self._prices = prices
        self._stops = stops
        self._rules = rules
        self._now = now

    async def judged(self, one: Transaction) -> Sent:
        """The arguments that may be sent again. :raises RetryRefused:"""
        promise_s = self._promised(one)
        if self._now() >= one.started_at + promise_s - MARGIN_S:
            raise _refused(one, "the target no longer promises to tell a repeat by its key")
        if one.sent is None:
            raise _refused(one, "its arguments are not kept")
        if not whole(one.sent.arguments, one.arguments_hash):
            raise _refused(one, "what is kept of its arguments is not what was judged")
        await self._check_alone(one)
        entry = await self._definitions.current(one.server, one.tool, sensitive=True)
        changed = entry.tool.definition_hash != one.definition_hash
        if changed or drift(entry.tool, entry.approval, now=self._now()) is not None:
            raise _refused(one, "the tool is not the one that was approved when the call was allowed")
        stopped = against(self._stops, one)
        if stopped is not None:
            raise _refused(one, stopped)
        if not await as_countersigned(self._prices, one, one.sent.arguments):
            raise _refused(one, "amount or payee are not, or not certainly, those that were countersigned")
        return one.sent

    async def retried(self, one: Transaction, sent: Sent, *, by: str) -> tuple[Transaction, Reply]:
        """Send what :meth:`judged` let pass; how the transaction stands from now on, and what the target said."""
        await self._lease.ensure()
        if not await self._duplicates.announce(one):
            raise _refused(one, "an equal call is about to begin, or was made after this one")
        mine = msgspec.structs.replace(one, state=State.OPEN, outcome=None, instance=self._lease.instance)
        if not await self._book.replace(one, mine):
            raise _refused(one, "somebody else took it up at this moment")
        try:
            async with self._audit.recovery(mine) as page:
                await page.before_upstream(durable=True)
                reply = await self._upstreams[one.server].call(
                    one.tool, sent.arguments, transaction_id=one.transaction_id, meta={}
                )
                page.upstream(reply)
                ended = self._ended(mine, reply, by=by)
                page.recovered(ended)
        except CountersignError:
            await self._book.replace(mine, one)
            raise
        # Written late, or not at all: then its lease runs out and the next recovery finds it open, and unknown.
        await self._book.replace(mine, ended)
        return ended, reply

    def _promised(self, one: Transaction) -> float:
        """For how many seconds from the first time. :raises RetryRefused:"""
        if not can_be_settled(one):
            raise _refused(one, "it is not unknown")
        rules = self._rules.get(one.server)
        promised = None if rules is None else rules.replay_s(one.tool)
        known = rules is not None and rules.idempotent(one.tool) and one.idempotency_key == one.transaction_id
        if promised is None or not known or one.server not in self._upstreams:
            raise _refused(one, "the target takes a repeat of this tool for a new request")
        return promised

    async def _check_alone(self, one: Transaction) -> None:
        """:raises RetryRefused: an equal call after it had an effect, or may have had one."""
        async for other in self._book.all():
            if other.transaction_id == one.transaction_id or other.outcome is Effect.REFUSED:
                continue
            if other.started_at >= one.started_at and _equal(other, one):
                raise _refused(one, f"an equal call was made after it (transaction {other.transaction_id})")

    def _ended(self, mine: Transaction, reply: Reply, *, by: str) -> Transaction:
        """Only success settles it. "Already refunded" is what a repeat is told whose key was forgotten: no refusal
        proves that the first time had no effect, and it stays unknown."""
        done = reply.effect is Effect.EXECUTED and not reply.is_error
        return msgspec.structs.replace(
            mine,
            state=State.SETTLED,
            outcome=Effect.EXECUTED if done else Effect.UNKNOWN,
            how=How.REPLAY if done else How.NOBODY,
            settled_by=by if done else None,
            is_error=reply.is_error,
            status=reply.status,
            debug_id=reply.debug_id,
            request_id=reply.request_id,
            resource_id=resource_of(self._rules[mine.server], reply) if done else None,
            finished_at=self._now(),
            kept={} if done else mine.kept,
            sent=None if done else mine.sent,
        )


def _equal(one: Transaction, other: Transaction) -> bool:
    return _named(one) == _named(other)


def _named(one: Transaction) -> tuple[str, ...]:
    return one.issuer, one.subject, one.server, one.tool, one.arguments_hash


def _refused(one: Transaction, why: str) -> RetryRefused:
    return RetryRefused(
        f"Transaction {one.transaction_id} is not sent again: {why}. Look at the target, then settle it."
    )
