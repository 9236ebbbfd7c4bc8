"""What an equal call answers for is answered before a person is bothered: where the policy says so, and only then."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.state.store import Space
from gateway.transactions.book import TransactionBook
from tests.support.answers import said, status_of, token_of
from tests.support.calls import confirmed, first_phase, refund
from tests.support.console import signed_in
from tests.support.house import OTHER_TOKEN, House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.traces import Trace

REFUND = refund("2.50")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway whose policy lets a refund that was made answer for the next equal one."""
    policies = copied(tmp_path)
    edit_data(policies, "transactions", windows={"2": {"window_seconds": 600, "answers": "all"}})
    async with running_house(tmp_path, policy=judged_by(policies)) as running:
        yield running


async def made(house: House) -> dict[str, Any]:
    """One refund with all its signatures."""
    async with signed_in(house) as person:
        token = await confirmed(house, person, "create_refund", REFUND)
    answer = await house.call("create_refund", REFUND, state=token)
    assert status_of(answer) == "executed"
    return answer


async def again(house: House, **how: Any) -> dict[str, Any]:
    """The same call anew, with its own handshake."""
    token = await first_phase(house, "create_refund", REFUND, **how)
    return await house.call("create_refund", REFUND, state=token, **how)


async def test_nobody_is_asked_twice_for_one_refund(house: House) -> None:
    """The first one's own result, said to be that; nothing waits in the console, nothing was sent, one record tells."""
    first = await made(house)
    trace = Trace(house)
    second = await again(house)
    assert second["result"]["structuredContent"] == first["result"]["structuredContent"]
    book = TransactionBook(house.gateway.store)
    (transaction,) = [one async for one in book.all()]
    assert said(second)["duplicate_of"] == transaction.transaction_id
    assert trace.writes == []
    assert await house.gateway.house.waiting.waiting() == []
    assert (trace.records[-1]["status"], trace.records[-1]["error"]) == ("refused", "transaction.duplicate")
    assert trace.records[-1]["transaction_id"] == transaction.transaction_id


async def test_the_handshake_comes_first(house: House) -> None:
    """What was refunded is not told to whoever makes one request."""
    await made(house)
    assert status_of(await house.call("create_refund", REFUND)) == "handshake_required"


async def test_another_caller_waits_for_a_person(house: House) -> None:
    """Attack: agent two learns what agent one refunded, or has its own refund swallowed."""
    await made(house)
    assert status_of(await again(house, token=OTHER_TOKEN)) == "confirmation_required"


@pytest.mark.parametrize("member", ["definition_hash", "revision", "outcome", "arguments"])
async def test_what_is_not_the_same_waits_for_a_person(house: House, member: str) -> None:
    """Another definition, another policy, an outcome that is not known to be done, other arguments."""
    await made(house)
    store = house.gateway.store
    (transaction,) = [one async for one in TransactionBook(store).all()]
    arguments = copy.deepcopy(REFUND)
    if member == "arguments":
        arguments["note_to_payer"] = "again"
    else:
        changed = msgspec.structs.replace(transaction, **{member: None if member == "outcome" else "other"})
        row = msgspec.json.encode(changed)
        await store.put(Space.TRANSACTION, transaction.transaction_id, row, ttl_s=None)
    token = await first_phase(house, "create_refund", arguments)
    answer = await house.call("create_refund", arguments, state=token)
    assert status_of(answer) == "confirmation_required"


async def test_without_a_kept_result_a_person_is_asked(house: House) -> None:
    """It was too large to keep, say: there is nothing to answer with."""
    await made(house)
    store = house.gateway.store
    for key, _ in await store.entries(Space.DUPLICATE, limit=10):
        if key.startswith("result:"):
            await store.take(Space.DUPLICATE, key)
    assert status_of(await again(house)) == "confirmation_required"


async def test_a_call_that_waits_already_goes_on_waiting(house: House) -> None:
    """It has its place in the console, and its own signatures to come; it is recognised when it is about to leave."""
    async with signed_in(house) as person:
        token = await first_phase(house, "create_refund", REFUND)
        waiting = await house.call("create_refund", REFUND, state=token)
        assert status_of(waiting) == "confirmation_required"
        (pending,) = await house.gateway.house.waiting.waiting()
        approved = await person.approve(f"{house.url}/console/pending/{pending.key}")
        assert approved.status_code == 200
        assert status_of(await house.call("create_refund", REFUND, state=token_of(waiting))) == "executed"
    assert len(house.simulator.ledger.refunds) == 1


async def test_by_default_both_are_asked_for(tmp_path: Path) -> None:
    """Two equal refunds may both be meant."""
    async with running_house(tmp_path) as house:
        await made(house)
        assert status_of(await again(house)) == "confirmation_required"
