"""Notices survive the process that could not deliver them, and of many gateways one sends each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway.agents.delivery import Delivery
from gateway.agents.exchange import Exchange
from gateway.agents.notice import Event, Notice, notice_of
from gateway.agents.outbox import HELD_S, KEPT_S, MARK_S, Outbox
from gateway.agents.signature import key_of
from gateway.agents.watch import Watch
from gateway.errors import StoreUnavailable
from gateway.outcome.pending import Waiting
from gateway.settings.model import ConfirmSettings, Hidden, NotifySettings
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space
from tests.support.calls import refund, until_confirmation
from tests.support.clock import ManualClock
from tests.support.house import running_house
from tests.support.second_agents import SECRET, Hangs, SecondAgent, http, second_agent
from tests.support.until import until
from tests.support.waiting import ONE_HUMAN, a_pending


class Post:
    """Processes that die and come back over one store file; one receiver."""

    def __init__(self, path: Path, receiver: SecondAgent) -> None:
        self.clock = ManualClock()
        self.store = SqliteStore(path, now=self.clock)
        self.outbox = Outbox(self.store, now=self.clock)
        self.receiver = receiver
        self.running: list[Delivery] = []

    def process(self) -> Delivery:
        """One more, whose pauses last until it ends."""

        async def for_ever(seconds: float) -> None:
            del seconds
            await asyncio.Event().wait()

        exchange = Exchange(self.receiver.url, timeout_s=30)
        made = Delivery(exchange, key_of(SECRET), now=self.clock, sleep=for_ever, outbox=self.outbox)
        self.running.append(made)
        return made

    def notice(self, event: Event = Event.WAITING, transaction_id: str = "t1") -> Notice:
        """A call that waits for ten minutes more."""
        pending = a_pending(transaction_id=transaction_id, expires_at=self.clock.now + 600)
        return notice_of(pending, event, console_url="https://gate.example")

    @property
    def ids(self) -> list[str]:
        """What arrived, by the id that the receiver goes by."""
        return [one.headers["webhook-id"] for one in self.receiver.heard]


@pytest.fixture
async def receiver() -> AsyncIterator[SecondAgent]:
    """Where notices go."""
    async with second_agent(lambda _: http("204 Taken", b""), "/notices") as running:
        yield running


@pytest.fixture
async def post(tmp_path: Path, receiver: SecondAgent) -> AsyncIterator[Post]:
    """Nobody has died yet."""
    made = Post(tmp_path / "state.sqlite3", receiver)
    yield made
    for one in made.running:
        await one.aclose()
    await made.store.aclose()


async def test_a_restart_loses_nothing(post: Post, receiver: SecondAgent) -> None:
    """The receiver was down; the next process sends what stood in line, under the same ids, in one try each."""
    receiver.answering = lambda _: http("503 Down", b"")
    first = post.process()
    notices = [post.notice(transaction_id=f"t{number}") for number in range(3)]
    for notice in notices:
        first.put(notice)
    await until(lambda: receiver.heard)
    await first.aclose()
    receiver.heard.clear()
    receiver.answering = lambda _: http("204 Taken", b"")
    second = post.process()
    await second.recall()
    await until(lambda: second.sent == 3)
    assert sorted(post.ids) == sorted(one.id for one in notices)


async def test_a_process_that_was_killed_is_followed_when_its_time_is_up(
    post: Post, receiver: SecondAgent
) -> None:
    """Nobody knows before that it is dead; then one takes over, and of two that look one sends."""
    receiver.answering = lambda _: Hangs()
    killed = post.process()
    killed.put(post.notice())
    await until(lambda: receiver.heard)
    receiver.heard.clear()
    receiver.answering = lambda _: http("204 Taken", b"")
    two, three = post.process(), post.process()
    await two.recall()
    assert receiver.heard == []
    post.clock.advance(HELD_S + 2)
    await asyncio.gather(two.recall(), three.recall())
    await until(lambda: two.in_line + three.in_line == 0)
    await asyncio.gather(two.recall(), three.recall())
    await until(lambda: two.in_line + three.in_line == 0)
    assert len(post.ids) == 1


async def test_one_event_is_told_once_by_however_many(post: Post) -> None:
    """Two gateways see the same end; a restart tells of what still waits: the id is known."""
    one, two = post.process(), post.process()
    notice = post.notice()
    one.put(notice)
    two.put(notice)
    await until(lambda: one.in_line + two.in_line == 0)
    after = post.process()
    after.put(notice)
    last = post.notice(Event.REFUSED)
    after.put(last)
    await until(lambda: after.sent == 1)
    assert post.ids == [notice.id, last.id]


async def test_what_is_over_is_not_asked_for(post: Post) -> None:
    """A call that expired while nobody ran is no longer to be confirmed; that it expired is still told."""
    waits, ended = post.notice(), post.notice(Event.EXPIRED)
    for notice in (waits, ended):
        entry = await post.outbox.add(notice)
        assert entry is not None
        await post.outbox.release(entry)
    post.clock.advance(601)
    late = post.process()
    await late.recall()
    await until(lambda: late.sent == 1)
    assert post.ids == [ended.id]


async def test_the_store_forgets(post: Post) -> None:
    """What nobody could deliver after a day, and marks an hour after their call."""
    await post.outbox.add(post.notice())
    entry = await post.outbox.add(post.notice(Event.REFUSED))
    assert entry is not None
    await post.outbox.done(entry)
    post.clock.advance(600 + MARK_S + 1)
    assert len(await post.store.entries(Space.NOTICE, limit=10)) == 1
    post.clock.advance(KEPT_S)
    assert await post.store.entries(Space.NOTICE, limit=10) == []


async def test_without_the_store_people_are_told_all_the_same(post: Post) -> None:
    """One too many is better than none."""
    cut_off = post.process()
    await post.store.aclose()
    cut_off.put(post.notice())
    await until(lambda: cut_off.sent == 1)
    with pytest.raises(StoreUnavailable):
        await cut_off.recall()


async def test_a_watch_goes_on_where_the_last_one_ended(post: Post) -> None:
    """What waits is watched again, and people are not told of it twice."""
    waiting = Waiting(post.store, now=post.clock)
    pending = await waiting.open(a_pending(obligation=ONE_HUMAN, expires_at=post.clock.now + 600))
    for _ in range(2):
        line = post.process()
        watch = Watch(waiting, line, console_url="https://gate.example", now=post.clock)
        await watch.recall(waiting)
        await until(lambda: post.receiver.heard)
        await watch.aclose()
        await line.aclose()
    line = post.process()
    await Watch(waiting, line, console_url="https://gate.example", now=post.clock).timed_out(pending)
    await until(lambda: line.sent == 1)
    assert [one.document["type"] for one in post.receiver.heard] == [
        "confirmation.waiting",
        "confirmation.expired",
    ]
    agents_only = msgspec.structs.replace(
        pending, obligation=msgspec.structs.replace(ONE_HUMAN, by=("agent",))
    )
    await Watch(waiting, line, console_url="https://gate.example", now=post.clock).timed_out(agents_only)
    assert len(post.receiver.heard) == 2


async def test_a_gateway_that_was_stopped_has_people_told_by_the_next(tmp_path: Path) -> None:
    """The whole of it: the receiver is down while the call begins to wait, and up when the next gateway starts."""
    async with second_agent(lambda _: http("503 Down", b""), "/notices") as receiver:
        confirm = ConfirmSettings(
            hold_seconds=0, notify=NotifySettings(url=receiver.url, secret=Hidden(SECRET))
        )
        async with running_house(tmp_path, confirm=confirm) as house:
            await until_confirmation(house, "create_refund", refund("7.00"))
            await until(lambda: receiver.heard)
            down = receiver.heard[0]
        receiver.heard.clear()
        receiver.answering = lambda _: http("204 Taken", b"")
        async with running_house(
            tmp_path, confirm=confirm, state_url=f"sqlite:///{tmp_path / 'state.sqlite3'}"
        ) as house:
            await until(lambda: receiver.heard)
            await until_confirmation(house, "create_refund", refund("8.00"))
            await until(lambda: len(receiver.heard) == 2)
    first, second = receiver.heard
    assert first.headers["webhook-id"] == down.headers["webhook-id"]
    assert ["7.00" in first.data["money"], "8.00" in second.data["money"]] == [True, True]
