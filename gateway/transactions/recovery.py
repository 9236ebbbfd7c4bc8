"""Finds transactions whose process died, and finds out what became of them: a lookup, a permitted replay, or *unknown*.

A transaction is taken over by compare-and-set, so of several gateways one looks it up; one whose process still lives is
left alone, also while that process is busy or another gateway starts. Nothing is ever concluded from what a lookup does
not show, nor from a replay that is refused. A replay is the same request with the same idempotency key; it is made only
where the target promises to answer it with the first result, the policy let it be replayed when the call was allowed,
that time is not over, the arguments are whole, the operator stopped nothing of it since, the tool is still the approved
one, and the money the same. It may be the first that arrives: then the call, which was countersigned, is carried out
now, once.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import msgspec

from gateway.catalog.catalog import Entry
from gateway.catalog.drift import drift
from gateway.errors import CountersignError
from gateway.outcome.pending import CONTINUATION_TTL_S
from gateway.transactions.book import TransactionBook
from gateway.transactions.journal import resource_of, structured_of
from gateway.transactions.lease import Lease
from gateway.transactions.prices import Prices, as_countersigned
from gateway.transactions.rules import RecoveryRules
from gateway.transactions.sent import whole
from gateway.transactions.stops import Stops, against
from gateway.transactions.transaction import How, Settled, State, Transaction, follow
from gateway.upstream.target import Effect, Reply, Upstream

LOOKUP_SUFFIX = "-recover"
"""Makes a lookup's idempotency key another one than the call's. PayPal allows 38 characters."""
ARGUMENTS_S = 72 * 3600.0
"""Seconds after which the arguments of an unknown call are forgotten: a weekend and a day."""
_LOG = logging.getLogger("countersign.transactions")


class Page(Protocol):
    """The audit's entry about one recovery."""

    async def before_upstream(self, *, durable: bool) -> None:
        """:raises AuditUnavailable: then nothing is asked."""

    def upstream(self, reply: Reply) -> None:
        """How the target answered."""

    def recovered(self, transaction: Transaction) -> None:
        """What was found out."""


class RecoveryAudit(Protocol):
    """Opens such entries."""

    def recovery(self, transaction: Transaction) -> AbstractAsyncContextManager[Page]:
        """The entry of one recovery, closed with the block."""
        ...


class Definitions(Protocol):
    """The tools as they are now."""

    async def current(self, server: str, name: str, *, sensitive: bool) -> Entry:
        """:raises CountersignError: no such tool, or it cannot be asked for."""
        ...


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the journal found: transactions recovered now, those left to processes that live, and those that
    had been unknown before and wait for a person."""

    recovered: int = 0
    left: int = 0
    unknown: int = 0


class Recovery:
    """Looks the journal over. Errors of one transaction are logged; it stays open for the next look. ``stops`` reads
    what the operator stopped, or raises ``StoreUnavailable``."""

    def __init__(
        self,
        book: TransactionBook,
        lease: Lease,
        upstreams: Mapping[str, Upstream],
        definitions: Definitions,
        audit: RecoveryAudit,
        *,
        stops: Callable[[], Awaitable[Stops]],
        rules: Mapping[str, RecoveryRules],
        now: Callable[[], float],
        followers: Sequence[Settled] = (),
        arguments_s: float = ARGUMENTS_S,
        prices: Prices | None = None,
    ) -> None:
        self._stops = stops
        self._prices = prices
        self._arguments_s = arguments_s
        self._book = book
        self._lease = lease
        self._upstreams = upstreams
        self._definitions = definitions
        self._audit = audit
        self._rules = rules
        self._now = now
        self._followers = followers

    async def sweep(self) -> Sweep:
        """Recover what dead processes left open. :raises StoreUnavailable:"""
        # Read first, asked for signs of life afterwards: a process gives its first sign before it opens anything.
        rows = [one async for one in self._book.all() if one.unsettled]
        found = [one for one in rows if one.state is not State.SETTLED]
        alive = {one: await self._lease.alive(one) for one in {one.instance for one in found}}
        recovered = left = 0
        await self._forget(rows)
        for transaction in found:
            if transaction.state is State.OPEN and transaction.instance == self._lease.instance:
                continue
            if self._is_kept(transaction, alive=alive[transaction.instance]):
                left += 1
            elif await self._recovered(transaction):
                recovered += 1
        return Sweep(recovered=recovered, left=left, unknown=len(rows) - len(found))

    async def _forget(self, rows: list[Transaction]) -> None:
        """The arguments of what has been unknown for long: nobody may send them again, and a person has had the time
        to look. Ids and amount stay."""
        for one in rows:
            over = self._now() >= one.started_at + self._arguments_s
            if over and one.sent is not None and one.state is State.SETTLED:
                await self._book.replace(one, msgspec.structs.replace(one, sent=None))

    def _is_kept(self, transaction: Transaction, *, alive: bool) -> bool:
        """Its process lives; or it waits for its host, which may come back to any gateway until its time is over. One
        that never does must not leave it open for as long as a process lives: nobody could settle it."""
        if transaction.waiting_until is not None:
            return self._now() < transaction.waiting_until
        if transaction.state is State.WAITING:
            return self._now() < transaction.started_at + CONTINUATION_TTL_S or alive
        return alive

    async def _recovered(self, transaction: Transaction) -> bool:
        mine = msgspec.structs.replace(
            transaction, state=State.OPEN, instance=self._lease.instance, waiting_until=None
        )
        try:
            if not await self._book.replace(transaction, mine):
                return False  # its own process woke up, or another gateway was faster
            async with self._audit.recovery(mine) as page:
                await page.before_upstream(durable=True)
                settled = await self._found_out(mine, page)
                page.recovered(settled)
                stands = await self._book.replace(mine, settled)
        except CountersignError as problem:
            _LOG.error(
                "transaction %s could not be looked up and stays open: %s",
                transaction.transaction_id,
                problem.message,
            )
            await self._given_back(mine, transaction)
            return False
        except Exception:  # noqa: BLE001 - or it would stay with a process that lives and looks no more
            _LOG.exception("the recovery of transaction %s broke", transaction.transaction_id)
            await self._given_back(mine, transaction)
            return False
        if stands:
            _LOG.warning("%s", line_of(settled))
            await follow(self._followers, settled)
        return stands

    async def _given_back(self, mine: Transaction, transaction: Transaction) -> None:
        """As it was, so that a later look, here or elsewhere, takes it up again."""
        try:
            await self._book.replace(mine, transaction)
        except CountersignError as problem:
            _LOG.error("and could not be given back: %s", problem.message)

    async def _found_out(self, mine: Transaction, page: Page) -> Transaction:
        rules = self._rules.get(mine.server)
        if rules is None or mine.server not in self._upstreams:
            return self._ended(mine, Effect.UNKNOWN, How.NOBODY)
        if rules.changes_nothing(mine.tool):
            # Its answer is lost, and that is all: nobody has to look for an effect of a read.
            return self._ended(mine, Effect.REFUSED, How.LOOKUP)
        reply = await self._looked_up(mine, rules)
        if reply is not None:
            page.upstream(reply)
            return self._ended(mine, Effect.EXECUTED, How.LOOKUP, reply)
        if await self._may_replay(mine, rules):
            reply = await self._upstreams[mine.server].call(
                mine.tool, _arguments(mine), transaction_id=mine.transaction_id, meta={}
            )
            page.upstream(reply)
            if reply.effect is Effect.EXECUTED and not reply.is_error:
                return self._ended(mine, Effect.EXECUTED, How.REPLAY, reply)
            # "Already refunded" is what a repeat is told whose key was forgotten: no refusal proves that the first
            # time had no effect.
        return self._ended(mine, Effect.UNKNOWN, How.NOBODY)

    async def _looked_up(self, mine: Transaction, rules: RecoveryRules) -> Reply | None:
        """The answer that shows the effect; None: nothing shows it, which proves nothing."""
        lookup = rules.lookup_for(mine.tool, mine.kept)
        if lookup is None:
            return None
        tool, arguments = lookup
        reply = await self._upstreams[mine.server].call(
            tool, arguments, transaction_id=mine.transaction_id[:30] + LOOKUP_SUFFIX, meta={}
        )
        structured = structured_of(reply)
        if reply.effect is Effect.EXECUTED and rules.shows_effect(
            mine.tool, structured, since=mine.started_at
        ):
            return reply
        return None

    async def _may_replay(self, mine: Transaction, rules: RecoveryRules) -> bool:
        promised, now = rules.replay_s(mine.tool), self._now()
        if mine.replay_until is None or promised is None:
            return False
        if now >= mine.replay_until or now >= mine.started_at + promised:
            return False
        if not whole(_arguments(mine), mine.arguments_hash):
            return False  # what is kept is not the whole call
        entry = await self._definitions.current(mine.server, mine.tool, sensitive=True)
        if entry.tool.definition_hash != mine.definition_hash:
            return False
        if drift(entry.tool, entry.approval, now=now) is not None:
            return False
        if self._prices is not None and not await as_countersigned(self._prices, mine, _arguments(mine)):
            return False
        # Last, and from the store: orders that cannot be read leave the transaction open.
        return against(await self._stops(), mine) is None

    def _ended(self, mine: Transaction, outcome: Effect, how: How, reply: Reply | None = None) -> Transaction:
        rules = self._rules.get(mine.server)
        return msgspec.structs.replace(
            mine,
            state=State.SETTLED,
            outcome=outcome,
            how=how,
            is_error=reply is not None and reply.is_error,
            status=None if reply is None else reply.status,
            debug_id=None if reply is None else reply.debug_id,
            request_id=None if reply is None else reply.request_id,
            resource_id=None if reply is None or rules is None else resource_of(rules, reply),
            finished_at=self._now(),
            kept=mine.kept if outcome is Effect.UNKNOWN else {},
            sent=mine.sent if outcome is Effect.UNKNOWN else None,
        )


def _arguments(mine: Transaction) -> dict[str, Any]:
    """The whole call where it is kept, else the ids and the amount, which may be the whole call."""
    return mine.kept if mine.sent is None else mine.sent.arguments


def line_of(transaction: Transaction) -> str:
    """What a person reads in the log."""
    said = {
        How.LOOKUP: "a lookup at the target says so",
        How.REPLAY: "the target answered the same request again",
        How.PERSON: f"{transaction.settled_by} says so",
    }.get(transaction.how or How.NOBODY, "look at the target, then `countersign transactions settle`")
    return (
        f"transaction {transaction.transaction_id}: {transaction.tool} at {transaction.server}, left by a gateway "
        f"that ended, or by its host: {transaction.outcome} ({said})"
    )
