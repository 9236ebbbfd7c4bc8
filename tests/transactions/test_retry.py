"""One more try of a call in doubt, at the simulated PayPal: the same request under the same key, or nothing at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.cli.retry import retried
from gateway.errors import CountersignError
from gateway.kill.order import KillOrder
from gateway.kill.orders import give
from gateway.state.store import Space
from gateway.transactions.book import TransactionBook
from gateway.transactions.retry import MARGIN_S, RetryRefused
from gateway.transactions.sent import Sent
from gateway.transactions.transaction import How, State, Transaction
from gateway.upstream.paypal.recovery import REPLAY_S
from gateway.upstream.paypal.simulator.faults import Fault, Match
from gateway.upstream.paypal.simulator.seeds import APPROVED_ORDER, CAPTURE
from gateway.upstream.target import Effect
from tests.support.answers import status_of
from tests.support.calls import PAY, confirmed, first_phase, invoice, refund
from tests.support.console import signed_in
from tests.support.house import House, running_house

NOTED = refund("1.25", note_to_payer="Sorry, Ann", invoice_id="R-7")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway whose PayPal is made to fail."""
    async with running_house(tmp_path) as running:
        yield running


async def doubtful(
    house: House, fault: str = "drop_after_effect", tool: str = "create_refund", arguments: Any = NOTED
) -> Transaction:
    """A call with all its signatures whose answer was lost."""
    async with signed_in(house) as person:
        token = await confirmed(house, person, tool, arguments)
    house.simulator.faults.add(Fault(match=Match(method="POST"), kind=fault))  # type: ignore[arg-type]
    assert status_of(await house.call(tool, arguments, state=token)) == "failed"
    (unknown,) = [one async for one in TransactionBook(house.gateway.store).all() if one.unsettled]
    assert unknown.outcome is Effect.UNKNOWN
    return unknown


async def changed(house: House, one: Transaction, **members: Any) -> Transaction:
    """The same transaction, otherwise."""
    other = msgspec.structs.replace(one, **members)
    await house.gateway.store.put(
        Space.TRANSACTION, other.transaction_id, msgspec.json.encode(other), ttl_s=None
    )
    return other


async def retry(house: House, one: Transaction) -> Transaction:
    """What ``countersign transactions retry`` does."""
    ended, _ = await retried(house.settings, one.transaction_id, by="ann")
    assert ended is not None
    return ended


def refund_ids(house: House) -> list[str | None]:
    """The request ids of the refunds that reached PayPal, in order."""
    return [one.request_id for one in house.simulator.calls if one.path.endswith("/refund")]


@pytest.mark.parametrize(("fault", "before"), [("drop_after_effect", 1), ("drop_before_effect", 0)])
async def test_a_refund_with_a_note_is_made_once(house: House, fault: str, before: int) -> None:
    """Carried out before or not: the same arguments, the same PayPal-Request-Id, one refund; and nothing is kept."""
    left = await doubtful(house, fault)
    assert left.sent is not None
    assert left.sent.arguments == NOTED
    assert len(house.simulator.ledger.refunds) == before
    ended = await retry(house, left)
    assert (ended.outcome, ended.how, ended.settled_by) == (Effect.EXECUTED, How.REPLAY, "ann")
    assert len(house.simulator.ledger.refunds) == 1
    assert refund_ids(house) == [left.transaction_id] * 2
    (made,) = house.simulator.ledger.refunds.values()
    assert (made["note_to_payer"], made["invoice_id"]) == ("Sorry, Ann", "R-7")
    kept = await TransactionBook(house.gateway.store).find(left.transaction_id)
    assert kept == ended
    assert kept is not None
    assert (kept.sent, kept.kept) == (None, {})


async def test_it_is_in_the_audit_before_it_leaves(house: House) -> None:
    """Who ordered it, then what was sent and how it ended; the files of both processes together."""
    left = await doubtful(house)
    await retry(house, left)
    lines = [
        msgspec.json.decode(line)
        for path in house.audit_path.parent.glob("audit*.jsonl")
        for line in path.read_bytes().splitlines()
    ]
    records = [one.get("record", one) for one in lines]
    ours = [one for one in records if one.get("phase") in ("admin", "upstream")]
    assert [(one["phase"], one["status"]) for one in ours] == [
        ("admin", "opened"),
        ("admin", "executed"),
        ("upstream", "opened"),
        ("upstream", "executed"),
    ]
    assert {one["transaction_id"] for one in ours} == {left.transaction_id}
    assert ours[1]["caller"]["subject"] == "ann"
    assert ours[1]["reasons"] == ["admin.transaction_retry"]
    assert "Sorry, Ann" not in str(records)


async def test_a_capture_that_never_arrived_is_made_now(house: House) -> None:
    """It was countersigned, and PayPal still asks what was signed."""
    left = await doubtful(house, "drop_before_effect", "pay_order", PAY)
    assert (await retry(house, left)).outcome is Effect.EXECUTED
    assert house.simulator.ledger.orders[APPROVED_ORDER]["status"] == "COMPLETED"


async def test_an_order_that_became_dearer_is_not_captured(house: House) -> None:
    """Attack: the first capture is in doubt, the order is changed, and the repeat would take another amount."""
    left = await doubtful(house, "drop_before_effect", "pay_order", PAY)
    unit = house.simulator.ledger.orders[APPROVED_ORDER]["purchase_units"][0]
    unit["amount"] = {"currency_code": "USD", "value": "4000.00"}
    with pytest.raises(RetryRefused, match="not certainly, those that were countersigned"):
        await retry(house, left)
    assert house.simulator.ledger.orders[APPROVED_ORDER]["status"] == "APPROVED"


async def test_what_is_left_of_a_capture_is_not_refunded_blindly(house: House) -> None:
    """An open refund in doubt: carried out or not, "all that is left" is another amount by now."""
    left = await doubtful(house, "drop_after_effect", arguments={"capture_id": CAPTURE})
    with pytest.raises(RetryRefused, match="amount or payee"):
        await retry(house, left)
    assert len(house.simulator.ledger.refunds) == 1


WHY: dict[str, tuple[dict[str, Any], str]] = {
    "it is settled": ({"outcome": Effect.EXECUTED}, "not unknown"),
    "it is under way": ({"state": State.OPEN, "outcome": None}, "not unknown"),
    "the arguments are gone": ({"sent": None}, "not kept"),
    "they are others": ({"sent": Sent(arguments=refund("9.00"))}, "not what was judged"),
    "PayPal forgot the key": ({"started_at": -REPLAY_S["create_refund"]}, "no longer promises"),
    "PayPal may forget it meanwhile": (
        {"started_at": -REPLAY_S["create_refund"] + MARGIN_S - 5},
        "no longer promises",
    ),
    "no key was sent": ({"idempotency_key": None}, "for a new request"),
    "PayPal promises nothing": ({"tool": "send_invoice"}, "for a new request"),
    "another server": ({"server": "depot"}, "for a new request"),
    "another definition": ({"definition_hash": "0" * 64}, "not the one that was approved"),
    "nobody knows the amount": ({"money": None}, "amount or payee"),
}


@pytest.mark.parametrize("why", WHY)
async def test_nothing_is_sent_where(house: House, why: str) -> None:
    """Each refusal says why, and leaves the transaction as it was; PayPal sees no write."""
    members, said = WHY[why]
    left = await doubtful(house)
    if "started_at" in members:
        members = {"started_at": house.clock() + members["started_at"]}
    left = await changed(house, left, **members)
    before = house.paypal_writes
    with pytest.raises(RetryRefused, match=said):
        await retry(house, left)
    assert house.paypal_writes == before
    assert await TransactionBook(house.gateway.store).find(left.transaction_id) == left


async def test_an_equal_call_that_was_made_since_stands_in_the_way(house: House) -> None:
    """Attack by accident: its agent got the refund by a new call, and the repeat would be a second one."""
    left = await doubtful(house, "drop_before_effect")
    since = {"outcome": Effect.EXECUTED, "started_at": left.started_at + 7200}
    await changed(house, left, transaction_id="the-agents-second", **since)
    with pytest.raises(RetryRefused, match="the-agents-second"):
        await retry(house, left)
    await changed(house, left, transaction_id="the-agents-second", **{**since, "outcome": Effect.REFUSED})
    assert (await retry(house, left)).outcome is Effect.EXECUTED


async def test_an_equal_call_is_not_sent_beside_it(house: House) -> None:
    """Long after the window of the first one: whoever is announced for it is looked at before anything leaves."""
    left = await doubtful(house, "drop_before_effect")
    store = house.gateway.store
    ((key, _),) = [
        one for one in await store.entries(Space.DUPLICATE, limit=10) if one[0].startswith("call:")
    ]
    await store.put(Space.DUPLICATE, key, b"about-to-begin", ttl_s=60)
    with pytest.raises(RetryRefused, match="about to begin"):
        await retry(house, left)
    assert refund_ids(house) == [left.transaction_id]


@pytest.mark.parametrize("kind", ["caller", "tool"])
async def test_what_the_operator_stopped_stays_stopped(house: House, kind: str) -> None:
    """An order against the caller, or the tool, holds for its calls in doubt, too."""
    left = await doubtful(house)
    value = {"caller": "agent-one", "tool": "create_refund"}[kind]
    order = KillOrder(id="k1", kind=kind, value=value, by="bob", at=0, reason="odd")  # type: ignore[arg-type]
    await give(house.gateway.store, order)
    with pytest.raises(RetryRefused, match="operator stopped"):
        await retry(house, left)


async def test_a_refusal_proves_nothing(house: House) -> None:
    """PayPal refuses the repeat: it stays unknown, its arguments stay, and it can be tried or settled later."""
    left = await doubtful(house)
    house.simulator.faults.add(Fault(match=Match(method="POST", path=".*/refund"), kind="status", status=422))
    ended = await retry(house, left)
    assert (ended.outcome, ended.status, ended.sent) == (Effect.UNKNOWN, 422, left.sent)
    assert (await retry(house, ended)).outcome is Effect.EXECUTED
    assert len(house.simulator.ledger.refunds) == 1


async def test_a_target_that_is_away_leaves_it_as_it_was(house: House) -> None:
    """Nothing was sent, and nothing is known that was not known before."""
    left = await doubtful(house)
    paypal = msgspec.structs.replace(house.settings.paypal, base_url="http://127.0.0.1:1")
    settings = msgspec.structs.replace(house.settings, paypal=paypal)
    with pytest.raises(CountersignError):
        await retried(settings, left.transaction_id, by="ann")
    assert await TransactionBook(house.gateway.store).find(left.transaction_id) == left


async def test_there_is_none_of_that_id(house: House) -> None:
    """Nothing to send."""
    assert await retried(house.settings, "nothing", by="ann") == (None, "")


async def test_two_people_order_it_at_once(house: House) -> None:
    """One effect, whichever comes first; the other is told."""
    left = await doubtful(house, "drop_before_effect")
    ends = await asyncio.gather(retry(house, left), retry(house, left), return_exceptions=True)
    assert len(house.simulator.ledger.refunds) == 1
    assert any(isinstance(one, Transaction) for one in ends)
    assert all(isinstance(one, Transaction | RetryRefused) for one in ends)


async def test_a_class_3_call_without_a_promise_is_never_sent_again(house: House) -> None:
    """An invoice in doubt: PayPal takes a repeat for another one."""
    token = await first_phase(house, "create_invoice", invoice("doubt"))
    house.simulator.faults.add(Fault(match=Match(method="POST"), kind="drop_after_effect"))
    assert status_of(await house.call("create_invoice", invoice("doubt"), state=token)) == "failed"
    (left,) = [one async for one in TransactionBook(house.gateway.store).all() if one.unsettled]
    with pytest.raises(RetryRefused, match="for a new request"):
        await retry(house, left)
    assert len(house.paypal_writes) == 1
