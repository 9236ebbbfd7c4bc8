"""Around a call of the classes 1 to 3: written down before it leaves, settled after it was answered.

Two round trips to the store, one before and one after; a third where the policy wants equal calls recognised. Classes 4
and 5 cost nothing. What is open when a process ends is the next recovery's (``recovery.py``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from gateway.errors import CountersignError, StoreUnavailable, TokenRefused, UpstreamUnavailable
from gateway.outcome.allow import LEAST_SENSITIVE_DURABLE
from gateway.outcome.consent import Consent
from gateway.outcome.journal import Earlier
from gateway.outcome.parked import Question
from gateway.outcome.pending import CONTINUATION_TTL_S
from gateway.outcome.redact import masked_result
from gateway.policy.classes import Classes
from gateway.policy.decision import Allow, Confirm
from gateway.policy.question import Asked
from gateway.transactions.book import TransactionBook
from gateway.transactions.duplicates import Duplicates
from gateway.transactions.lease import Lease
from gateway.transactions.rules import RecoveryRules
from gateway.transactions.sent import sent_of
from gateway.transactions.transaction import How, Settled, State, Transaction, follow
from gateway.upstream.target import Effect, Reply

ALREADY_BEGUN = "transaction.already_begun"
WAITING_MARGIN_S = 60.0
"""Seconds that whoever comes back in the last moment has until it is written down."""
_Begun = Transaction | Earlier
_LOG = logging.getLogger("countersign.transactions")


class _Read(msgspec.Struct):
    structuredContent: dict[str, Any] | None = None  # noqa: N815 - the name on the MCP wire


_READ = msgspec.json.Decoder(_Read)


class TransactionJournal:
    """:class:`gateway.outcome.journal.Journal` over a store. ``rules`` by server: what a recovery could find out."""

    def __init__(
        self,
        book: TransactionBook,
        lease: Lease,
        duplicates: Duplicates,
        *,
        classes: Classes,
        rules: Mapping[str, RecoveryRules],
        now: Callable[[], float],
        followers: Sequence[Settled] = (),
        keep_arguments: bool = True,
    ) -> None:
        self._keep_arguments = keep_arguments
        self._book = book
        self._lease = lease
        self._duplicates = duplicates
        self._followers = followers
        self._classes = classes
        self._rules = rules
        self._now = now
        self._settling: set[asyncio.Task[object]] = set()

    async def carried(
        self,
        asked: Asked,
        decision: Allow,
        consent: Consent,
        send: Callable[[], Awaitable[Reply | Question]],
    ) -> Reply | Question | Earlier:
        """See ``Journal.carried``."""
        if not self._keeps(asked, decision, consent):
            return await send()
        beginning = asyncio.ensure_future(self._begun(asked, decision, consent))
        try:
            begun = await asyncio.shield(beginning)
        except asyncio.CancelledError:
            # Attack: hang up at this moment. The row would stay open while this process lives, and hold back every
            # equal call, and its budget.
            await self._kept_up(self._given_up(beginning, decision, consent))
            raise
        if isinstance(begun, Earlier):
            return begun
        try:
            reply = await send()
        except UpstreamUnavailable:
            await self._settled(begun, decision, Reply(effect=Effect.REFUSED), How.NEVER_SENT)
            raise
        except BaseException:
            # Most likely its host went away and the target was told to stop: nobody knows how far it got.
            await self._settled(begun, decision, Reply(effect=Effect.UNKNOWN), How.NOBODY)
            raise
        if isinstance(reply, Question):
            await self._settled(begun, decision, Reply(effect=Effect.WAITING), How.ANSWER)
        else:
            how = How.NOBODY if reply.effect is Effect.UNKNOWN else How.ANSWER
            await self._settled(begun, decision, reply, how)
        return reply

    async def answered(self, asked: Asked, decision: Confirm) -> Earlier | None:
        """See ``Earliers.answered``."""
        wanted = decision.obligations.duplicates
        if wanted is None:
            return None
        return await self._duplicates.answered(self._opened(asked, decision, asked.call.call_id), wanted)

    async def lapsed(self, transaction_id: str) -> None:
        """Nobody came back to a call whose target had begun: unknown. Never raises."""
        try:
            waiting = await self._book.find(transaction_id)
            if waiting is not None and waiting.state is State.WAITING:
                await self._book.replace(
                    waiting, self._ended(waiting, Reply(effect=Effect.UNKNOWN), How.NOBODY)
                )
        except StoreUnavailable as problem:
            _LOG.error("transaction %s lapsed and stays open: %s", transaction_id, problem.message)

    async def aclose(self) -> None:
        """Wait for what is being written."""
        while self._settling:
            await asyncio.gather(*self._settling)

    def _keeps(self, asked: Asked, decision: Allow, consent: Consent) -> bool:
        """Classes 1 to 3, by the policy's word or by the table's: the stricter one counts. And whatever a token let
        out: that the token was used is on the disk with this row, and not before."""
        if consent.facts.handshake.satisfied:
            return True
        by_policy = decision.data_class
        if by_policy is None or by_policy <= LEAST_SENSITIVE_DURABLE:
            return True
        return self._classes.is_sensitive(asked.call.server, asked.call.tool)

    async def _begun(self, asked: Asked, decision: Allow, consent: Consent) -> _Begun:
        await self._lease.ensure()
        mine = self._opened(asked, decision, consent.transaction_id)
        if consent.continuation is not None:
            mine = await self._resumed(mine)
        else:
            wanted = decision.obligations.duplicates
            if wanted is not None:
                earlier = await self._duplicates.admit(mine, wanted)
                if earlier is not None:
                    return earlier
            if not await self._book.open(mine):
                raise _already_begun()
        if not self._lease.held:
            # The store took its time: by now another gateway may believe that this one died, and look the call up.
            await self._settled(mine, decision, Reply(effect=Effect.REFUSED), How.NEVER_SENT)
            raise StoreUnavailable("The state store answered too late.")
        return mine

    async def _resumed(self, mine: Transaction) -> Transaction:
        """A later round of a call that its target has begun: the same transaction, open again."""
        waiting = await self._book.find(mine.transaction_id)
        if waiting is None or waiting.state is not State.WAITING:
            raise _already_begun()
        again = msgspec.structs.replace(waiting, state=State.OPEN, instance=mine.instance, waiting_until=None)
        if not await self._book.replace(waiting, again):
            raise _already_begun()
        return again

    def _opened(self, asked: Asked, decision: Allow | Confirm, transaction_id: str) -> Transaction:
        call, rules, now = asked.call, self._rules.get(asked.call.server), self._now()
        replay = decision.obligations.replay
        return Transaction(
            transaction_id=transaction_id,
            state=State.OPEN,
            call_id=call.call_id,
            server=call.server,
            tool=call.tool,
            arguments_hash=call.arguments_hash,
            definition_hash=asked.tool.definition_hash,
            issuer=asked.caller.issuer,
            subject=asked.caller.subject,
            instance=self._lease.instance,
            started_at=now,
            data_class=decision.data_class,
            idempotency_key=transaction_id if rules is not None and rules.idempotent(call.tool) else None,
            kept={} if rules is None else rules.kept_of(call.tool, call.arguments),
            sent=sent_of(call.arguments) if self._keep_arguments else None,
            money=asked.money,
            revision=decision.revision,
            replay_until=None if replay is None else now + replay.within_seconds,
        )

    async def _settled(self, begun: Transaction, decision: Allow, reply: Reply, how: How) -> None:
        """Write the end, also when the caller is cancelled meanwhile. A write that fails is logged, never raised: the
        money has moved, an error would invite a second try, and the next recovery finds the transaction open."""
        await self._kept_up(self._write(begun, decision, reply, how))

    async def _given_up(self, beginning: asyncio.Task[_Begun], decision: Allow, consent: Consent) -> None:
        """Its host went away before it left: it had no effect, unless its target had begun in an earlier round."""
        with suppress(CountersignError):
            begun = await beginning
            if isinstance(begun, Transaction):
                again = consent.continuation is not None
                reply = Reply(effect=Effect.UNKNOWN if again else Effect.REFUSED)
                how = How.NOBODY if again else How.NEVER_SENT
                await follow(self._followers, await self._write(begun, decision, reply, how))

    async def _kept_up(self, writing: Coroutine[Any, Any, object]) -> None:
        """To its end, whoever waits for it."""
        task = asyncio.ensure_future(writing)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        await asyncio.shield(task)

    async def _write(self, begun: Transaction, decision: Allow, reply: Reply, how: How) -> Transaction:
        ended = self._ended(begun, reply, how)
        wanted = decision.obligations.duplicates
        try:
            if wanted is not None and wanted.answers == "all" and ended.outcome is Effect.EXECUTED:
                pointers = decision.obligations.redact
                shown = masked_result(reply.result, pointers) if pointers else reply.result
                if shown is not None:
                    await self._duplicates.keep(ended, shown, reply.result_type, ttl_s=wanted.window_seconds)
            if not await self._book.replace(begun, ended):
                await self._overtaken(begun, ended)
        except CountersignError as problem:
            _LOG.error(
                "transaction %s (%s at %s) ended %s and stays open in the journal: %s",
                begun.transaction_id,
                begun.tool,
                begun.server,
                reply.effect,
                problem.message,
            )
        return ended

    async def _overtaken(self, begun: Transaction, ended: Transaction) -> None:
        """Somebody took this process for dead and looked the call up. The target's own answer is better than what they
        found, except than what a person or the target said."""
        found = await self._book.find(begun.transaction_id)
        if found is None or (found.unsettled and ended.outcome is not Effect.UNKNOWN):
            stands = await (self._book.open(ended) if found is None else self._book.replace(found, ended))
            if stands:
                await follow(self._followers, ended)
                return
        _LOG.error(
            "transaction %s: this call's own outcome is %s, the journal says %s",
            begun.transaction_id,
            ended.outcome,
            None if found is None else found.outcome,
        )

    def _ended(self, begun: Transaction, reply: Reply, how: How) -> Transaction:
        if reply.effect is Effect.WAITING:
            until = self._now() + CONTINUATION_TTL_S + WAITING_MARGIN_S
            return msgspec.structs.replace(begun, state=State.WAITING, waiting_until=until)
        rules = self._rules.get(begun.server)
        return msgspec.structs.replace(
            begun,
            state=State.SETTLED,
            waiting_until=None,
            outcome=reply.effect,
            how=how,
            is_error=reply.is_error,
            status=reply.status,
            debug_id=reply.debug_id,
            request_id=reply.request_id,
            resource_id=None if rules is None else resource_of(rules, reply),
            finished_at=self._now(),
            # What is known needs no lookup, and what needs none is not kept.
            kept=begun.kept if reply.effect is Effect.UNKNOWN else {},
            sent=begun.sent if reply.effect is Effect.UNKNOWN else None,
        )


def structured_of(reply: Reply) -> Mapping[str, Any]:
    """The structured part of a result; empty where there is none to read."""
    if reply.result is None or reply.is_error:
        return {}
    try:
        return _READ.decode(reply.result).structuredContent or {}
    except (ValueError, RecursionError):
        return {}


def resource_of(rules: RecoveryRules, reply: Reply) -> str | None:
    """The id of what a call made, where it was carried out."""
    return rules.resource_of(structured_of(reply)) if reply.effect is Effect.EXECUTED else None


def _already_begun() -> TokenRefused:
    return TokenRefused(
        "This transaction was begun already and does not leave a second time; start again", code=ALREADY_BEGUN
    )
