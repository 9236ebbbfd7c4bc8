"""The confirmation agent's answer: forged, replayed, for something else, from elsewhere, without end, or none at all.

The policy lets the agent alone confirm class 2, so an answer that was believed would move money.
"""

from __future__ import annotations

import gzip
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gateway.agents.exchange import MAX_QUESTION_BYTES, Exchange
from gateway.agents.said import Failure, NoAnswer
from tests.support.agent_house import agent_house, confirmations, followed, guard
from tests.support.answers import codes_of, status_of, token_of
from tests.support.calls import PAY, refund, until_confirmation
from tests.support.house import House
from tests.support.second_agents import (
    OTHER_SECRET,
    Floods,
    Hangs,
    Heard,
    SecondAgent,
    answer_to,
    approves,
    http,
    refuses,
    second_agent,
    signed,
)
from tests.support.traces import Trace
from tests.support.until import until

AMOUNTS = itertools.count(100)
DAY_S = 24 * 3600


@pytest.fixture(scope="module")
async def agent() -> AsyncIterator[SecondAgent]:
    """The agent, or whoever sits in its place."""
    async with second_agent() as running:
        yield running


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, agent: SecondAgent) -> AsyncIterator[House]:
    """One that waits a second for it."""
    folder = tmp_path_factory.mktemp("forged")
    async with agent_house(folder, {"guard": guard(agent.url, timeout_s=1.0)}) as running:
        yield running


def a_refund() -> dict[str, Any]:
    """One that no other call equals."""
    return refund(f"{next(AMOUNTS) / 100:.2f}")


async def refused_without_an_answer(house: House, failure: str) -> None:
    """The next call is refused, PayPal hears nothing, and the record names what was wrong with the answer."""
    before, trace = len(confirmations(house)), Trace(house)
    answer = await followed(house, "create_refund", a_refund())
    assert (status_of(answer), codes_of(answer)) == ("refused", ["confirm.no_answer"])
    assert trace.paypal == []
    silent, ended = confirmations(house)[before:]
    assert (silent["status"], silent["reasons"]) == ("refused", ["agent.no_answer", f"agent.{failure}"])
    assert ended["reasons"] == ["agent.refuse", "confirm.no_answer"]


def twice(heard: Heard) -> bytes:
    """A document that two parsers read differently."""
    said = json.dumps(answer_to(heard, "refuse"))
    return signed(heard, (said[:-1] + ', "decision": "approve"}').encode())


def tampered(heard: Heard) -> bytes:
    """An honest no, and on the way a yes of the same length in its place."""
    no = signed(heard, answer_to(heard, "refuse", reason="12"))
    return no.replace(b'"refuse"', b'"approve"').replace(b'"reason": "12"', b'"reason": "1"')


FORGED: dict[str, tuple[str, Callable[[Heard], bytes]]] = {
    "by somebody without the secret": (
        "bad_signature",
        lambda h: signed(h, answer_to(h), secret=OTHER_SECRET),
    ),
    "unsigned": ("bad_signature", lambda h: http("200 OK", json.dumps(answer_to(h)).encode())),
    "signed as a no, then changed": ("bad_signature", tampered),
    "signed long ago": ("bad_signature", lambda h: signed(h, answer_to(h), at=int(time.time()) - DAY_S)),
    "given long ago": ("stale", lambda h: signed(h, answer_to(h, at=int(time.time()) - DAY_S))),
    "signed for another message": ("another_call", lambda h: signed(h, answer_to(h), message_id="cfm_0")),
    "with another id": ("another_call", lambda h: signed(h, answer_to(h, id="cfm_0"))),
    "with another nonce": ("another_call", lambda h: signed(h, answer_to(h, nonce="0" * 64))),
    "for another view": ("another_view", lambda h: signed(h, answer_to(h, view_hash="0" * 64))),
    "our own request, sent back": (
        "unreadable",
        lambda h: http("200 OK", h.body, {k: v for k, v in h.headers.items() if k.startswith("webhook-")}),
    ),
    "with a key twice": ("unreadable", twice),
    "with more than asked": ("unreadable", lambda h: signed(h, answer_to(h, by="human"))),
    "a word in capitals": ("unreadable", lambda h: signed(h, answer_to(h, "APPROVE"))),
    "a truthy decision": ("unreadable", lambda h: signed(h, answer_to(h, decision=True))),
    "a list": ("unreadable", lambda h: signed(h, [answer_to(h)])),
    "garbage": ("unreadable", lambda h: signed(h, b"\xff\xfe approve")),
    "nothing": ("bad_signature", lambda h: http("200 OK", b"")),
    "an error that says yes": (
        "http_status",
        lambda h: signed(h, answer_to(h)).replace(b"200 OK", b"500 Broken"),
    ),
    "accepted, but not answered": (
        "http_status",
        lambda h: signed(h, answer_to(h)).replace(b"200 OK", b"202 Later"),
    ),
    "no HTTP": ("unreachable", lambda h: b"approve\r\n\r\n"),
    "compressed": (
        "compressed",
        lambda h: http("200 OK", gzip.compress(b"{}"), {"content-encoding": "gzip"}),
    ),
}


@pytest.mark.parametrize("how", FORGED)
async def test_a_forged_answer(house: House, agent: SecondAgent, how: str) -> None:
    """It confirms nothing."""
    failure, agent.answering = FORGED[how]
    await refused_without_an_answer(house, failure)


async def test_a_replayed_answer(house: House, agent: SecondAgent) -> None:
    """An honest yes to an earlier call, byte by byte, is no yes to this one, even if it is the same call again."""
    kept: list[bytes] = []

    def keeping(heard: Heard) -> bytes:
        kept.append(approves(heard))
        return kept[-1]

    agent.answering = keeping
    arguments = a_refund()
    trace = Trace(house)
    first = await followed(house, "create_refund", arguments)
    assert len(trace.writes) == 1, first  # believed once: the way to PayPal was open
    agent.answering = lambda _: kept[0]
    await refused_without_an_answer(house, "another_call")
    trace = Trace(house)
    assert codes_of(await followed(house, "create_refund", arguments)) == ["confirm.no_answer"]
    assert trace.paypal == []


async def test_an_agent_that_sends_us_elsewhere(house: House, agent: SecondAgent) -> None:
    """Nobody follows: the other one is not even asked."""
    async with second_agent() as other:
        agent.answering = lambda _: http("307 Over there", b"", {"location": other.url})
        await refused_without_an_answer(house, "redirected")
        assert other.heard == []


async def test_an_agent_that_hangs(house: House, agent: SecondAgent) -> None:
    """What times out is refused, and says so."""
    agent.answering = lambda _: Hangs()
    await refused_without_an_answer(house, "timed_out")


async def test_an_agent_that_never_stops(house: House, agent: SecondAgent) -> None:
    """Of a hundred megabytes the gateway takes what an answer may have, and hangs up."""
    flood = Floods()
    agent.answering = lambda _: flood
    await refused_without_an_answer(house, "too_large")
    assert flood.sent < flood.size / 2


async def test_an_agent_that_is_not_there(house: House, agent: SecondAgent) -> None:
    """It hangs up on everybody."""
    agent.answering = lambda _: b""
    await refused_without_an_answer(house, "unreachable")


async def test_the_amount_moves_after_the_agents_yes(house: House, agent: SecondAgent) -> None:
    """The yes was for 40.00; at 41.00 the agent is asked anew, and its no stands."""
    agent.answering = approves
    before = len(confirmations(house))
    waiting = await until_confirmation(house, "pay_order", PAY)
    await until(lambda: len(confirmations(house)) > before)
    assert agent.heard[-1].data["money"]["amount"] == "40.00"
    amount = house.simulator.ledger.orders[PAY["id"]]["purchase_units"][0]["amount"]
    old, amount["value"] = amount["value"], "41.00"
    try:
        agent.answering = refuses("Not that much.")
        trace = Trace(house)
        answer = await house.call("pay_order", PAY, state=token_of(waiting))
        while status_of(answer) == "confirmation_required":
            answer = await house.call("pay_order", PAY, state=token_of(answer))
        assert codes_of(answer) == ["confirm.refused"]
        assert agent.heard[-1].data["money"]["amount"] == "41.00"
        assert agent.heard[-1].data["view_hash"] != agent.heard[-2].data["view_hash"]
        assert trace.writes == []
    finally:
        amount["value"] = old


async def test_more_than_an_agent_can_look_at(house: House, agent: SecondAgent) -> None:
    """What cannot be shown whole is not confirmed: nobody signs the first half of a call."""
    before = len(agent.heard)
    exchange = Exchange(agent.url, timeout_s=10)
    with pytest.raises(NoAnswer) as caught:
        await exchange.post(b" " * (MAX_QUESTION_BYTES + 1), {})
    assert caught.value.failure is Failure.TOO_LARGE
    assert len(agent.heard) == before
    await exchange.aclose()
