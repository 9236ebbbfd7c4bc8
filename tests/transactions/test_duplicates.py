"""Equal calls: recognised within their window, never sent beside one that is open or unknown."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from gateway.identity.caller import Caller
from gateway.outcome.journal import Earlier
from gateway.outcome.redact import MASK
from gateway.policy.decision import DuplicatesObligation
from gateway.state.store import Space
from gateway.transactions.duplicates import LOOKS, MAX_RESULT_BYTES
from gateway.upstream.target import Effect, Reply
from tests.support.stores import Stores
from tests.support.transactions import KEPT
from tests.support.walking import done
from tests.transactions.conftest import Desk

UNSETTLED = DuplicatesObligation(window_seconds=600)
ALL = DuplicatesObligation(window_seconds=600, answers="all")
UNKNOWN = Reply(effect=Effect.UNKNOWN)


async def test_an_unknown_first_is_never_sent_again(desk: Desk, beside: Desk) -> None:
    """Answered as unknown, with the first one's transaction, at every gateway."""
    desk.reply = UNKNOWN
    await desk.carried("t1", duplicates=UNSETTLED)
    for one in (desk, beside):
        for obligation in (UNSETTLED, ALL):
            assert await one.carried("t2", duplicates=obligation) == Earlier(
                transaction_id="t1", outcome=Effect.UNKNOWN
            )
    assert (desk.sent, beside.sent) == (["t1"], [])
    assert await desk.book.find("t2") is None


async def test_two_equal_refunds_that_are_both_meant_go_through(desk: Desk) -> None:
    """One after the other: the first is known to be done when the second leaves."""
    await desk.carried("t1", duplicates=UNSETTLED)
    assert isinstance(await desk.carried("t2", duplicates=UNSETTLED), Reply)
    assert desk.sent == ["t1", "t2"]


async def test_a_first_that_did_not_happen_is_in_nobodys_way(desk: Desk) -> None:
    """What PayPal refused may be tried again, also where everything else is answered for."""
    desk.reply = Reply(effect=Effect.REFUSED, is_error=True, result=msgspec.Raw(b"{}"))
    await desk.carried("t1", duplicates=ALL)
    assert isinstance(await desk.carried("t2", duplicates=ALL), Reply)
    assert desk.sent == ["t1", "t2"]


async def test_the_first_answers_for_the_second_where_the_policy_says_so(desk: Desk, beside: Desk) -> None:
    """With its own result, masked as it was for its caller."""
    desk.reply = done({"structuredContent": {"id": "R1", "payer": "Ada"}, "content": []})
    await desk.carried("t1", duplicates=ALL, redact=("/payer",))
    earlier = await beside.carried("t2", duplicates=ALL)
    assert isinstance(earlier, Earlier)
    assert (earlier.transaction_id, earlier.outcome) == ("t1", Effect.EXECUTED)
    assert earlier.result is not None
    assert msgspec.json.decode(earlier.result)["structuredContent"] == {"id": "R1", "payer": MASK}
    assert beside.sent == []


async def test_a_large_result_is_not_kept(desk: Desk) -> None:
    """Then the second is told only that the first was carried out."""
    desk.reply = done({"content": [{"type": "text", "text": "x" * MAX_RESULT_BYTES}]})
    await desk.carried("t1", duplicates=ALL)
    assert await desk.carried("t2", duplicates=ALL) == Earlier(transaction_id="t1", outcome=Effect.EXECUTED)


async def test_after_the_window_it_is_a_new_call(desk: Desk, stores: Stores) -> None:
    """Even where the first is unknown: somebody had an hour to look."""
    desk.reply = UNKNOWN
    await desk.carried("t1", duplicates=UNSETTLED)
    stores.advance(600)
    await desk.carried("t2", duplicates=UNSETTLED)
    assert desk.sent == ["t1", "t2"]


OTHERS: dict[str, dict[str, Any]] = {
    "caller": {"caller": Caller(issuer="https://idp.example", subject="agent-two")},
    "issuer": {"caller": Caller(issuer="https://other.example", subject="agent-one")},
    "arguments": {"arguments": {**KEPT, "note_to_payer": "x"}},
    "tool": {"tool": "create_invoice"},
}


@pytest.mark.parametrize("differs", OTHERS)
async def test_only_equal_calls_are_equal(desk: Desk, differs: str) -> None:
    """Nobody is answered for what somebody else asked, or for something else."""
    desk.reply = UNKNOWN
    await desk.carried("t1", duplicates=ALL)
    await desk.carried("t2", duplicates=ALL, **OTHERS[differs])
    assert desk.sent == ["t1", "t2"]


async def test_while_the_first_is_under_way_the_second_waits_briefly(desk: Desk, beside: Desk) -> None:
    """Ended meanwhile, it answers; else the second is told that it is under way."""
    begun, ending = asyncio.Event(), asyncio.Event()

    async def works() -> None:
        begun.set()
        await ending.wait()

    desk.sending = works
    first = asyncio.ensure_future(desk.carried("t1", duplicates=ALL))
    await begun.wait()
    assert await beside.carried("t2", duplicates=ALL) == Earlier(transaction_id="t1", outcome=None)
    assert len(beside.slept) == LOOKS

    async def ends() -> None:
        ending.set()
        await first

    beside.sleeping = ends
    earlier = await beside.carried("t3", duplicates=ALL)
    assert isinstance(earlier, Earlier)
    assert (earlier.outcome, len(beside.slept)) == (Effect.EXECUTED, LOOKS + 1)
    assert beside.sent == []


async def test_an_announcement_of_a_process_that_died_before_it_began(desk: Desk, beside: Desk) -> None:
    """It stands in nobody's way, and its transaction can never begin."""
    desk.reply = UNKNOWN
    await desk.carried("t1", duplicates=UNSETTLED)
    await desk.store.take(Space.TRANSACTION, "t1")  # died between the two writes
    await beside.carried("t2", duplicates=UNSETTLED)
    assert beside.sent == ["t2"]
    with pytest.raises(Exception, match="begun already"):
        await desk.carried("t1")
    assert desk.sent == ["t1"]


async def test_hundreds_of_equal_calls_at_once(desk: Desk, beside: Desk) -> None:
    """Each with its own handshake and signatures, at two gateways: one leaves while the others are told."""
    ending = asyncio.Event()
    desk.sending = beside.sending = ending.wait
    desk.sleeping, beside.sleeping = desk.store.ping, beside.store.ping  # behind all that is asked already
    told = []

    async def asks(one: Desk, number: int) -> None:
        answer = await one.carried(f"{one.instance}-{number}", duplicates=UNSETTLED)
        told.append(answer)
        if len(told) == 199:
            ending.set()  # the one that left is the only one that has no answer yet

    await asyncio.gather(*(asks(one, number) for number in range(100) for one in (desk, beside)))
    assert [isinstance(one, Reply) for one in told] == [False] * 199 + [True]
    assert len(desk.sent) + len(beside.sent) == 1
