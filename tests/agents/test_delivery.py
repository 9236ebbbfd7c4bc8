"""Notices are delivered in order, again if need be, never for ever, and nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.agents.delivery import MAX_LINE, PAUSES_S, Delivery
from gateway.agents.exchange import Exchange
from gateway.agents.notice import Event, Notice, notice_of
from gateway.agents.signature import key_of
from tests.support.second_agents import SECRET, Hangs, Heard, SecondAgent, http, second_agent
from tests.support.until import until
from tests.support.waiting import NOW, a_pending


def a_notice(transaction_id: str = "t1") -> Notice:
    """A call starts to wait."""
    return notice_of(
        a_pending(transaction_id=transaction_id), Event.WAITING, console_url="https://gate.example"
    )


def taken(_: Heard | None) -> bytes:
    """The receiver took it."""
    return http("204 Taken", b"")


class Pauses:
    """Sleeping that takes no time, and is remembered."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """See ``asyncio.sleep``."""
        self.taken.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def pauses() -> Pauses:
    """Those of the delivery."""
    return Pauses()


@pytest.fixture
async def receiver() -> AsyncIterator[SecondAgent]:
    """Where notices go."""
    async with second_agent(taken, "/notices") as running:
        yield running


@pytest.fixture
async def delivery(receiver: SecondAgent, pauses: Pauses) -> AsyncIterator[Delivery]:
    """To that receiver."""
    exchange = Exchange(receiver.url, timeout_s=10)
    made = Delivery(exchange, key_of(SECRET), now=lambda: NOW, sleep=pauses)
    yield made
    await made.aclose()


async def test_a_notice_arrives_signed_and_ready_to_be_mailed(
    receiver: SecondAgent, delivery: Delivery
) -> None:
    """Type, time, and the text as it is."""
    notice = a_notice()
    delivery.put(notice)
    await until(lambda: delivery.sent == 1)
    (heard,) = receiver.heard
    assert heard.is_signed()
    assert heard.headers["webhook-id"] == notice.id
    assert (heard.document["type"], heard.document["timestamp"]) == (
        "confirmation.waiting",
        "2026-11-21T01:20:00Z",
    )
    assert (heard.data["subject"], heard.data["body"]) == (notice.subject, notice.body)


async def test_in_order(receiver: SecondAgent, delivery: Delivery) -> None:
    """One at a time."""
    for number in range(5):
        delivery.put(a_notice(f"t{number}"))
    await until(lambda: delivery.sent == 5)
    assert [one.data["transaction_id"] for one in receiver.heard] == [f"t{number}" for number in range(5)]


@pytest.mark.parametrize("status", ["500 Broken", "503 Busy", "429 Slowly", "408 Late", "307 Elsewhere"])
async def test_again_after_growing_pauses(
    receiver: SecondAgent, delivery: Delivery, pauses: Pauses, status: str
) -> None:
    """Under the same id, so that the receiver knows it again; then it is over."""
    receiver.answering = lambda _: http(status, b"", {"location": "http://127.0.0.1:1/"})
    delivery.put(a_notice())
    await until(lambda: delivery.failed == 1)
    assert pauses.taken == list(PAUSES_S) == sorted(PAUSES_S)
    assert len({one.headers["webhook-id"] for one in receiver.heard}) == 1
    assert len(receiver.heard) == len(PAUSES_S) + 1


async def test_what_comes_back_is_used_again(
    receiver: SecondAgent, delivery: Delivery, pauses: Pauses
) -> None:
    """Down for two tries."""
    answers = iter([http("500 Broken", b""), b"", taken(None)])
    receiver.answering = lambda _: next(answers)
    delivery.put(a_notice())
    await until(lambda: delivery.sent == 1)
    assert pauses.taken == list(PAUSES_S[:2])


async def test_what_the_receiver_does_not_want_is_not_sent_again(
    receiver: SecondAgent, delivery: Delivery, pauses: Pauses
) -> None:
    """The next one goes all the same."""
    answers = iter([http("400 No", b""), http("200 OK", b"fine")])
    receiver.answering = lambda _: next(answers)
    delivery.put(a_notice("t1"))
    delivery.put(a_notice("t2"))
    await until(lambda: (delivery.failed, delivery.sent) == (1, 1))
    assert pauses.taken == []


async def test_a_receiver_that_hangs_holds_nobody(receiver: SecondAgent, delivery: Delivery) -> None:
    """The line is bounded; what does not fit is counted; the end does not wait for it."""
    receiver.answering = lambda _: Hangs()
    for _ in range(MAX_LINE + 3):
        delivery.put(a_notice())
    await until(lambda: receiver.heard)
    assert (delivery.sent, delivery.failed, delivery.dropped) == (0, 0, 3)
