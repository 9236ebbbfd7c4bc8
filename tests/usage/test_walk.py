"""Through the whole walk: what the policy is told of calls that are cut short, go on later, or never leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.errors import UpstreamUnavailable
from gateway.outcome.answer import Executed, MoreInput, Refused, Unknown
from gateway.upstream.target import Effect, Reply
from gateway.walk import walk
from tests.outcome.test_parked import ARGUMENTS, Asking, back, first, modern_host
from tests.support.walking import MAKE, OTHER, READ, Rooms, a_call, a_reason, an_answer, done, rooms


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Rooms]:
    """All rooms, before one server."""
    async with rooms(tmp_path) as running:
        yield running


def told(bank: Rooms) -> tuple[int, int]:
    """Calls and failures of the last hour, as the last question had them."""
    usage = bank.engine.questions[-1]["usage"]
    return usage["calls"]["hour"], usage["failures"]["hour"]


async def before(bank: Rooms) -> tuple[int, int]:
    """What the policy is told before the next call, which leaves as well."""
    bank.upstream.asking, bank.upstream.reply = None, done()
    assert isinstance(await walk(a_call(READ), bank.house), Executed)
    return told(bank)


async def test_each_call_is_judged_by_those_before_it(bank: Rooms) -> None:
    """Not by itself; and by no other caller's."""
    for number in range(3):
        assert await before(bank) == (number, 0)
    assert isinstance(await walk(a_call(READ, bearer=OTHER), bank.house), Executed)
    assert told(bank) == (0, 0)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(effect=Effect.REFUSED, result=msgspec.Raw(b'{"content":[]}'), is_error=True, status=422),
        Reply(effect=Effect.UNKNOWN),
        RuntimeError("broken"),
    ],
    ids=["declined", "unknown", "broken"],
)
async def test_what_was_in_vain_is_a_failure(bank: Rooms, reply: Any) -> None:
    """Whatever it is called in the answer."""
    bank.upstream.reply = reply
    await walk(a_call(READ), bank.house)
    assert await before(bank) == (1, 1)


async def test_whoever_hangs_up_has_called(bank: Rooms) -> None:
    """Attack: read, hang up before the gateway has written its answer, read again."""
    begun = asyncio.Event()

    async def slow() -> Reply:
        begun.set()
        await asyncio.Event().wait()
        return done()

    bank.upstream.reply = lambda *_: slow()
    calling = asyncio.ensure_future(walk(a_call(READ), bank.house))
    await begun.wait()
    bank.upstream.reply = done()
    await walk(a_call(READ), bank.house)
    assert told(bank) == (1, 0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert await before(bank) == (2, 1)


async def test_a_call_that_never_left_is_none(bank: Rooms) -> None:
    """The target is down, or the policy says no."""
    bank.upstream.reply = UpstreamUnavailable("down", code="upstream.not_sent")
    with pytest.raises(UpstreamUnavailable):
        await walk(a_call(READ), bank.house)
    bank.engine.answering = lambda _: an_answer("deny")
    assert isinstance(await walk(a_call(READ), bank.house), Refused)
    bank.engine.answering = lambda _: an_answer("allow")
    assert await before(bank) == (0, 0)


async def test_a_later_round_is_the_same_call(bank: Rooms) -> None:
    """It is not judged by itself, or its own limit would cut it off in the middle; and it counts once."""
    bank.engine.answering = lambda question: (
        an_answer("deny", reasons=[a_reason("deny", "usage.calls_exceeded")])
        if question["usage"]["calls"]["hour"] >= 1
        else an_answer("allow")
    )
    Asking(bank)
    asked = await first(bank)
    assert isinstance(await back(bank, asked.token), Executed)
    assert (told(bank), len(bank.upstream.calls)) == ((0, 0), 1)
    bank.upstream.asking = None
    assert isinstance(await walk(a_call(READ), bank.house), Refused)
    assert (told(bank), len(bank.upstream.calls)) == ((1, 0), 1)


async def test_a_later_round_is_the_same_call_to_a_budget_as_well(bank: Rooms) -> None:
    """Where the policy is asked twice in each round, each time without the call itself."""
    daily = {"budget": "d", "per": [], "currency": "USD", "limit": "99.00", "window_seconds": 86400}
    bank.engine.answering = lambda _: an_answer("allow", obligations={"limits": [daily]})
    Asking(bank)
    asked = await first(bank, MAKE)
    assert isinstance(await back(bank, asked.token, tool=MAKE), Executed)
    usages = [question["usage"] for question in bank.engine.questions]
    assert [usage["budgets"] is None for usage in usages] == [True, False] * 2
    assert [usage["calls"]["hour"] for usage in usages] == [0] * 4


async def test_a_round_that_the_target_keeps_no_line_open_for(bank: Rooms) -> None:
    """A server of the newer era is called again in each round: one call all the same."""
    state = msgspec.Raw(b'{"requestState":"s","inputRequests":{}}')
    bank.upstream.reply = Reply(effect=Effect.WAITING, result=state, result_type="input_required")
    asked = await walk(a_call(READ, ARGUMENTS), bank.house, modern_host())
    assert isinstance(asked, MoreInput)
    bank.upstream.reply = done()
    assert isinstance(await back(bank, asked.token), Executed)
    assert (told(bank), len(bank.upstream.calls)) == ((0, 0), 2)
    assert await before(bank) == (1, 0)


async def test_a_question_that_nobody_comes_back_to_is_a_failure(bank: Rooms) -> None:
    """The call had begun, and was cancelled at the server."""
    Asking(bank)
    await first(bank)
    await bank.parking.aclose()
    assert await before(bank) == (1, 1)


async def test_a_question_to_a_host_that_cannot_be_asked_is_a_failure(bank: Rooms) -> None:
    """The target has begun, and waits for somebody who will not come."""
    bank.upstream.reply = Reply(effect=Effect.WAITING, result=msgspec.Raw(b'{"inputRequests":{}}'))
    assert isinstance(await walk(a_call(READ, legacy=True), bank.house), Unknown)
    assert await before(bank) == (1, 1)


async def test_phases_that_send_nothing_are_no_calls(bank: Rooms) -> None:
    """Handshakes and confirmations have limits of their own (``rate``)."""
    for _ in range(3):
        await walk(a_call(MAKE), bank.house)
    assert told(bank) == (0, 0)
