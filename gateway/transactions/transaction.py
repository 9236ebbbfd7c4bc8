"""One call that leaves for its target, as it is written down before and after; and who else hears how it ended.

``kept`` is what a lookup at the target needs and the audit may show: ids and amounts, never names, addresses or free
text. ``sent`` is all of the arguments (:mod:`.sent`). Neither outlives the doubt. Times are unix seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from gateway.policy.money import Money
from gateway.transactions.sent import Sent
from gateway.upstream.target import Effect

_LOG = logging.getLogger("countersign.transactions")


class State(StrEnum):
    """``open``: it may be on its way right now. ``waiting``: its target asked for something before it goes on.
    ``settled``: its ``outcome`` is final, or *unknown* until somebody finds out."""

    OPEN = "open"
    WAITING = "waiting"
    SETTLED = "settled"


class How(StrEnum):
    """Who or what told the outcome."""

    ANSWER = "answer"
    """The target's own answer to the call."""
    LOOKUP = "lookup"
    """A read at the target, after a crash."""
    REPLAY = "replay"
    """The same request with the same idempotency key, after a crash or by a person's order."""
    PERSON = "person"
    """Somebody who looked there."""
    NEVER_SENT = "never_sent"
    """It certainly did not leave."""
    NOBODY = "nobody"
    """There was no answer, and no lookup that tells: the outcome is unknown."""


class Transaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One transaction. ``instance`` is the gateway process that answers for it while it is not settled.

    ``idempotency_key`` is what the target got to tell a repeat from a new request, and None where it knows no such
    thing. ``replay_until``: until when the policy lets a recovery ask again with that key. ``resource_id`` is the
    target's id of what the call made (a refund, an order). ``money`` is what was countersigned, ``revision``
    that of the policy which allowed it. ``waiting_until``: while it waits for its host, when nobody can come back to it
    any more, wherever that host was served.
    """

    transaction_id: str
    state: State
    call_id: str
    server: str
    tool: str
    arguments_hash: str
    definition_hash: str
    issuer: str
    subject: str
    instance: str
    started_at: float
    data_class: int | None = None
    idempotency_key: str | None = None
    kept: dict[str, Any] = {}
    sent: Sent | None = None
    money: Money | None = None
    revision: str = ""
    replay_until: float | None = None
    waiting_until: float | None = None
    outcome: Effect | None = None
    how: How | None = None
    is_error: bool = False
    status: int | None = None
    debug_id: str | None = None
    request_id: str | None = None
    resource_id: str | None = None
    finished_at: float | None = None
    settled_by: str | None = None

    @property
    def unsettled(self) -> bool:
        """Nobody knows yet, or nobody can know: what needs a lookup or a person."""
        return self.state is not State.SETTLED or self.outcome is Effect.UNKNOWN


class Settled(Protocol):
    """Whoever has to follow when an outcome becomes known after the call was answered, or lost: budgets, say.

    Called after the journal says so, for a transaction that a recovery or a person settled, whose own answer came after
    that, or whose host went away before it left. At most once for each: a crash between the two is not made up for, so
    a follower that must not miss one reads the journal as well.
    """

    async def settled(self, transaction: Transaction) -> None:
        """``outcome`` is executed, refused or unknown. Errors are logged, and the outcome stands."""
        ...


async def follow(followers: Sequence[Settled], transaction: Transaction) -> None:
    """Tell everybody who has to follow; one that breaks keeps none of the others from it."""
    for one in followers:
        try:
            await one.settled(transaction)
        except Exception:  # noqa: BLE001 - whatever it is, the outcome stands
            _LOG.exception("transaction %s: a follower broke", transaction.transaction_id)
