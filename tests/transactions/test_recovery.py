"""What a dead process left is looked up; what a living one holds is left alone; nothing is concluded from silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from gateway.canonical import canonical_hash
from gateway.catalog.catalog import Entry
from gateway.catalog.definition import read_definition
from gateway.catalog.schema import InputSchema
from gateway.catalog.tool import Approval
from gateway.errors import AuditUnavailable, StoreUnavailable, UpstreamUnavailable
from gateway.kill.order import KillOrder, Kind, Orders
from gateway.outcome.pending import CONTINUATION_TTL_S
from gateway.state.store import Space
from gateway.transactions.recovery import ARGUMENTS_S, Recovery, Sweep
from gateway.transactions.sent import Sent
from gateway.transactions.settlement import can_be_settled
from gateway.transactions.transaction import How, State, Transaction
from gateway.upstream.paypal import recovery as paypal_recovery
from gateway.upstream.target import Effect, Reply
from tests.support.stores import Stores
from tests.support.transactions import KEPT, STARTED, a_transaction
from tests.support.walking import KeepingUpstream, a_definition, a_tool, an_approval, done
from tests.transactions.conftest import Desk


def at(seconds: float) -> str:
    """So long after the call had left, as PayPal writes it."""
    return datetime.fromtimestamp(STARTED + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


PAY = {"id": "5O190127TN364715T"}
CAPTURED = done(
    {
        "structuredContent": {
            "id": PAY["id"],
            "status": "COMPLETED",
            "purchase_units": [{"payments": {"captures": [{"create_time": at(5)}]}}],
        }
    },
    debug_id="f2",
)


class Book:
    """The audit of recoveries, as its own page."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.recorded: list[Transaction] = []

    @asynccontextmanager
    async def recovery(self, transaction: Transaction) -> AsyncIterator[Book]:
        """See ``RecoveryAudit``."""
        yield self

    async def before_upstream(self, *, durable: bool) -> None:
        """See ``Page``."""
        assert durable
        if self.problem is not None:
            raise self.problem

    def upstream(self, reply: Reply) -> None:
        """See ``Page``."""

    def recovered(self, transaction: Transaction) -> None:
        """See ``Page``."""
        self.recorded.append(transaction)


class Tools:
    """The one tool, as it is now."""

    def __init__(self) -> None:
        self.approval: Approval | None = an_approval()
        self.tool = a_tool("create_refund")

    async def current(self, server: str, name: str, *, sensitive: bool) -> Entry:
        """See ``Definitions``."""
        assert sensitive
        definition = read_definition(a_definition(name))
        return Entry(
            tool=self.tool,
            approval=self.approval,
            definition=definition,
            schema=InputSchema({"type": "object"}),
        )


class Followers:
    """Hears of late outcomes; the first of them breaks."""

    def __init__(self) -> None:
        self.heard: list[Transaction] = []

    async def settled(self, transaction: Transaction) -> None:
        """See ``Settled``."""
        self.heard.append(transaction)
        if len(self.heard) % 2:
            raise RuntimeError("a follower that breaks")


class House:
    """A recovery, and what stands around it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.upstream = KeepingUpstream("paypal")
        self.audit, self.tools, self.followers = Book(), Tools(), Followers()
        self.stopped: Orders | StoreUnavailable = Orders(())
        self.recovery = Recovery(
            desk.book,
            desk.lease,
            {"paypal": self.upstream},
            self.tools,
            self.audit,
            stops=self.stops,
            rules={"paypal": paypal_recovery},
            now=desk.clock,
            followers=[self.followers, self.followers],
        )

    async def stops(self) -> Orders:
        """What the operator stopped, if that can be read."""
        if isinstance(self.stopped, StoreUnavailable):
            raise self.stopped
        return self.stopped

    async def left(self, transaction_id: str = "t1", **members: Any) -> Transaction:
        """A transaction in the store, by default of a process that is gone."""
        one = a_transaction(transaction_id, **members)
        assert await self.desk.book.open(one)
        return one

    @property
    def calls(self) -> list[tuple[str, str]]:
        """What the target was sent: tool and transaction id."""
        return [(tool, transaction_id) for tool, _, transaction_id, _ in self.upstream.calls]


@pytest.fixture
def house(desk: Desk) -> House:
    """The gateway that looks."""
    desk.clock.now = STARTED + 60
    return House(desk)


async def test_what_a_lookup_shows_is_settled(house: House) -> None:
    """PayPal's own order says that it was captured; under a key of its own, and the followers hear of it."""
    await house.left(tool="pay_order", kept=PAY, arguments_hash=canonical_hash(PAY))
    house.upstream.reply = CAPTURED
    assert await house.recovery.sweep() == Sweep(recovered=1)
    kept = await house.desk.kept()
    assert (kept.outcome, kept.how, kept.debug_id) == (Effect.EXECUTED, How.LOOKUP, "f2")
    assert (kept.resource_id, kept.kept) == (PAY["id"], {})
    assert house.calls == [("get_order", "t1-recover")]
    assert house.audit.recorded == [kept]
    assert house.followers.heard == [kept, kept]  # although the first broke
    assert await house.recovery.sweep() == Sweep()


SILENCE: dict[str, Reply] = {
    "no answer": Reply(effect=Effect.UNKNOWN),
    "an error": Reply(effect=Effect.REFUSED, is_error=True, result=msgspec.Raw(b"{}")),
    "not captured": done({"structuredContent": {"status": "APPROVED", "purchase_units": []}}),
    "captured long before": done(
        {
            "structuredContent": {
                "status": "COMPLETED",
                "purchase_units": [{"payments": {"captures": [{"create_time": at(-86_400)}]}}],
            }
        }
    ),
    "nonsense": done({"structuredContent": {"status": "COMPLETED", "purchase_units": [{"payments": 7}]}}),
}


@pytest.mark.parametrize("said", SILENCE)
async def test_what_a_lookup_does_not_show_proves_nothing(house: House, said: str) -> None:
    """Unknown, and shown to a person with the ids to look for; nothing is sent but the read."""
    await house.left(tool="pay_order", kept=PAY, arguments_hash=canonical_hash(PAY))
    house.upstream.reply = SILENCE[said]
    await house.recovery.sweep()
    kept = await house.desk.kept()
    assert (kept.state, kept.outcome, kept.how, kept.kept) == (
        State.SETTLED,
        Effect.UNKNOWN,
        How.NOBODY,
        PAY,
    )
    assert house.calls == [("get_order", "t1-recover")]
    assert house.followers.heard[0] == kept


async def test_a_refund_has_no_lookup(house: House) -> None:
    """None of the tools reads a capture: unknown, and PayPal is not asked anything."""
    await house.left()
    await house.recovery.sweep()
    assert (await house.desk.kept()).outcome is Effect.UNKNOWN
    assert house.calls == []


async def test_a_foreign_server_is_asked_nothing(house: House) -> None:
    """Nobody knows what its tools do."""
    await house.left(server="depot", tool="ship_parcel")
    await house.recovery.sweep()
    assert (await house.desk.kept()).outcome is Effect.UNKNOWN


async def test_a_lost_read_is_no_doubt(house: House) -> None:
    """A QR code of class 3 changed nothing at PayPal."""
    await house.left(tool="generate_invoice_qr_code")
    await house.recovery.sweep()
    assert (await house.desk.kept()).outcome is Effect.REFUSED
    assert house.calls == []


async def test_a_living_process_keeps_its_own(house: House, beside: Desk) -> None:
    """However long its call takes; and this process keeps its own, too."""
    await house.left("theirs", instance="two")
    await house.left("mine", instance="one")
    assert await house.recovery.sweep() == Sweep(left=1)
    assert (await house.desk.kept("theirs")).state is State.OPEN
    assert (await house.desk.kept("mine")).state is State.OPEN
    await beside.lease.release()
    assert await house.recovery.sweep() == Sweep(recovered=1)
    assert (await house.desk.kept("theirs")).outcome is Effect.UNKNOWN


async def test_a_process_is_dead_when_its_lease_is_over(house: House, beside: Desk, stores: Stores) -> None:
    """By the store's clock."""
    await house.left(instance="two")
    stores.advance(beside.lease.ttl_s - 1)
    assert (await house.recovery.sweep()).left == 1
    stores.advance(1)
    assert (await house.recovery.sweep()).recovered == 1


async def test_of_two_gateways_one_looks_it_up(house: House, beside: Desk) -> None:
    """At the same time: one takes it over, the other leaves it."""
    other = House(beside)
    for number in range(20):
        await house.left(f"t{number}", tool="pay_order", kept=PAY)
    swept = await asyncio.gather(house.recovery.sweep(), other.recovery.sweep())
    assert sum(one.recovered for one in swept) == 20
    assert len(house.calls) + len(other.calls) == 20


async def test_what_waits_for_its_host_is_left_until_its_time_is_over(house: House) -> None:
    """The host may come back to any gateway; a dead process is no reason to give up."""
    await house.left(state=State.WAITING)
    assert await house.recovery.sweep() == Sweep(left=1)
    house.desk.clock.now = STARTED + CONTINUATION_TTL_S
    assert await house.recovery.sweep() == Sweep(recovered=1)
    assert (await house.desk.kept()).outcome is Effect.UNKNOWN


@pytest.mark.parametrize("instance", ["one", "two", "gone"])
async def test_a_host_that_never_comes_back_leaves_nothing_open(
    house: House, beside: Desk, instance: str
) -> None:
    """Attack: have a target ask something, and go away, again and again. However long the gateway lives, what waited is
    unknown when its time is over, and a person can settle it."""
    until = STARTED + CONTINUATION_TTL_S + 60
    await house.left(state=State.WAITING, instance=instance, waiting_until=until)
    house.desk.clock.now = until - 1
    assert await house.recovery.sweep() == Sweep(left=1)
    house.desk.clock.now = until
    assert await house.recovery.sweep() == Sweep(recovered=1)
    kept = await house.desk.kept()
    assert can_be_settled(kept)
    assert kept.waiting_until is None
    assert house.calls == []


async def test_without_an_audit_nothing_is_asked(house: House) -> None:
    """Invariant 5 holds for recoveries; it is as it was, and the next look has it."""
    before = await house.left(tool="pay_order", kept=PAY)
    house.audit.problem = AuditUnavailable("full")
    assert await house.recovery.sweep() == Sweep()
    assert await house.desk.kept() == before
    assert house.calls == []
    house.audit.problem = None
    assert await house.recovery.sweep() == Sweep(recovered=1)


async def test_a_recovery_that_breaks_gives_it_back(house: House) -> None:
    """A defect of ours must not leave it to a process that lives and does nothing about it."""
    before = await house.left(tool="pay_order", kept=PAY)
    house.audit.problem = RuntimeError("broken")
    assert await house.recovery.sweep() == Sweep()
    assert await house.desk.kept() == before


async def test_a_target_that_is_away_is_asked_later(house: House) -> None:
    """Nothing was concluded, so nothing is settled."""
    before = await house.left(tool="pay_order", kept=PAY)
    house.upstream.reply = UpstreamUnavailable("away")
    assert await house.recovery.sweep() == Sweep()
    assert await house.desk.kept() == before


# -- replays --------------------------------------------------------------------------------------------------------

ALLOWED: dict[str, Any] = {"replay_until": STARTED + 900}


async def test_a_permitted_replay_is_the_same_request(house: House) -> None:
    """Same arguments, same idempotency key; the target's answer settles it."""
    await house.left(**ALLOWED)
    house.upstream.reply = done({"structuredContent": {"id": "R1"}}, request_id="t1")
    await house.recovery.sweep()
    assert house.upstream.calls == [("create_refund", KEPT, "t1", {})]
    kept = await house.desk.kept()
    assert (kept.outcome, kept.how, kept.resource_id) == (Effect.EXECUTED, How.REPLAY, "R1")


async def test_a_replay_that_is_refused_proves_nothing(house: House) -> None:
    """A target that had forgotten the key would say that it is refunded already: that is no *failed*."""
    await house.left(**ALLOWED)
    house.upstream.reply = Reply(effect=Effect.REFUSED, is_error=True, result=msgspec.Raw(b"{}"))
    await house.recovery.sweep()
    kept = await house.desk.kept()
    assert (kept.outcome, kept.kept) == (Effect.UNKNOWN, KEPT)


async def test_a_replay_without_an_answer_is_not_repeated(house: House) -> None:
    """Unknown, once and for all: the next look sends nothing."""
    await house.left(**ALLOWED)
    house.upstream.reply = Reply(effect=Effect.UNKNOWN)
    for _ in range(2):
        await house.recovery.sweep()
    assert house.calls == [("create_refund", "t1")]
    assert (await house.desk.kept()).outcome is Effect.UNKNOWN


FORBIDDEN: dict[str, dict[str, Any]] = {
    "the policy does not say so": {"replay_until": None},
    "its time is over": {"replay_until": STARTED + 60},
    "what is kept is not the whole call": {**ALLOWED, "arguments_hash": "a" * 64},
    "PayPal promises nothing for this tool": {**ALLOWED, "tool": "create_invoice"},
    "the definition is another one by now": {**ALLOWED, "definition_hash": "e" * 64},
}


@pytest.mark.parametrize("why", FORBIDDEN)
async def test_it_is_never_sent_again_where(house: House, why: str) -> None:
    """Unknown instead."""
    await house.left(**FORBIDDEN[why])
    await house.recovery.sweep()
    assert house.calls == []
    assert (await house.desk.kept()).outcome is Effect.UNKNOWN


def ordered(kind: Kind, value: str, within: str | None = None) -> Orders:
    """One order in force."""
    return Orders((KillOrder(id="k1", kind=kind, value=value, within=within, reason="Odd.", by="op", at=0),))


@pytest.mark.parametrize("kind", ["caller", "tool", "definition", "revision"])
async def test_what_the_operator_stopped_is_not_replayed(house: House, kind: Kind) -> None:
    """Attack: the gateway of an agent that runs wild is killed and the agent stopped; the next gateway must not carry
    out what the first had under way."""
    left = await house.left(**ALLOWED, revision="r7")
    of = {
        "caller": (left.subject, left.issuer),
        "tool": (left.tool, left.server),
        "definition": (left.definition_hash, None),
        "revision": ("r7", None),
    }
    house.stopped = ordered(kind, *of[kind])
    assert await house.recovery.sweep() == Sweep(recovered=1)
    assert house.calls == []
    assert (await house.desk.kept()).outcome is Effect.UNKNOWN


async def test_while_orders_cannot_be_read_nothing_is_replayed(house: House) -> None:
    """It stays open: the next look may know."""
    before = await house.left(**ALLOWED)
    house.stopped = StoreUnavailable("unreadable", code="kill.unreadable")
    assert await house.recovery.sweep() == Sweep()
    assert house.calls == []
    assert await house.desk.kept() == before


async def test_a_tool_whose_approval_was_revoked_is_not_replayed(house: House) -> None:
    """Invariant 9."""
    await house.left(**ALLOWED)
    house.tools.approval = an_approval(revoked=True)
    await house.recovery.sweep()
    assert house.calls == []


async def test_arguments_are_forgotten_when_nobody_may_send_them_again(house: House) -> None:
    """Of what is unknown; the ids and the amount stay for whoever looks, and so does the transaction."""
    sent = Sent(arguments={**KEPT, "note_to_payer": "Dear Ada"})
    unknown = {"state": State.SETTLED, "outcome": Effect.UNKNOWN, "sent": sent}
    await house.left("old", **unknown, started_at=STARTED - ARGUMENTS_S)
    await house.left("new", **unknown)
    assert await house.recovery.sweep() == Sweep(unknown=2)
    old, new = await house.desk.kept("old"), await house.desk.kept("new")
    assert (old.sent, old.kept, old.outcome) == (None, KEPT, Effect.UNKNOWN)
    assert new.sent == sent
    rows = await house.desk.store.entries(Space.TRANSACTION, limit=10)
    assert sum(b"Ada" in value for _, value in rows) == 1


async def test_a_refund_with_a_note_can_be_replayed(house: House) -> None:
    """Where the policy let it be: its arguments are kept whole."""
    arguments = {**KEPT, "note_to_payer": "Dear Ada"}
    await house.left(
        sent=Sent(arguments=arguments), arguments_hash=canonical_hash(arguments), replay_until=STARTED + 900
    )
    house.upstream.reply = done({"structuredContent": {"id": "R-1"}})
    assert await house.recovery.sweep() == Sweep(recovered=1)
    assert [one[1] for one in house.upstream.calls] == [arguments]
    assert (await house.desk.kept()).sent is None


async def test_what_waits_for_a_person_is_counted_and_left(house: House) -> None:
    """No look settles it, and none asks the target again."""
    await house.left(state=State.SETTLED, outcome=Effect.UNKNOWN)
    await house.left("t2", state=State.SETTLED, outcome=Effect.EXECUTED)
    assert await house.recovery.sweep() == Sweep(unknown=1)
    assert house.calls == []


async def test_a_row_that_is_none_of_ours_is_passed_over(house: House) -> None:
    """Written by a newer version, or by an accident: the others are looked up all the same."""
    await house.desk.store.put(Space.TRANSACTION, "odd", b"{not json", ttl_s=None)
    await house.left()
    assert await house.recovery.sweep() == Sweep(recovered=1)
