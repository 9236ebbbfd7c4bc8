"""Gateways on one store count a caller together, and no call waits for the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import StoreUnavailable
from gateway.policy.question import Asked, Often, Within
from gateway.state.open import open_store
from gateway.state.sqlite import SqliteStore
from gateway.state.store import MAX_ENTRIES, Space, Store
from gateway.usage.counter import MAX_ROUND, UsageCounter, open_usage
from tests.support import parts
from tests.support.clock import ManualClock
from tests.support.redis import RedisServer
from tests.support.walking import CALLER, a_call, an_asked

NEVER = Within()
READ = an_asked(a_call("read_balance"))


class Watched(SqliteStore):
    """What it was asked, in order."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.asked: list[str] = []
        self.breaks_at = ""

    async def increment(self, *arguments: Any, **named: Any) -> int:
        """See ``Store.increment``."""
        self.asked.append(f"increment {arguments[2]}")
        if self.asked[-1] == self.breaks_at:
            raise StoreUnavailable("The state store did not answer in time.")
        return await super().increment(*arguments, **named)

    async def get(self, *arguments: Any, **named: Any) -> bytes | None:
        """See ``Store.get``."""
        self.asked.append("get")
        return await super().get(*arguments, **named)

    async def ping(self) -> None:
        """See ``Store.ping``."""
        self.asked.append("ping")
        await super().ping()


@pytest.fixture
def clock() -> ManualClock:
    """At midnight, and so at the beginning of every window."""
    return ManualClock(20_778 * 86_400.0)


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Watched]:
    """One for all."""
    made = Watched(tmp_path / "state.sqlite3", now=clock)
    yield made
    await made.aclose()


@pytest.fixture(params=["sqlite", "redis"])
async def shared(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each kind of store, by its own clock."""
    url = f"sqlite:///{tmp_path}/shared.sqlite3"
    made = open_store(request.getfixturevalue("redis_url") if request.param == "redis" else url)
    yield made
    await made.aclose()


def often(counter: UsageCounter, asked: Asked = READ) -> Often:
    """What the policy would be told of this call."""
    return counter.often(asked, begun=False)


def reads(counter: UsageCounter, asked: Asked = READ) -> int:
    """Calls within the hour."""
    return often(counter, asked).calls.hour


def send(counter: UsageCounter, number: int = 1, asked: Asked = READ) -> None:
    """So many calls leave."""
    for _ in range(number):
        counter.sent(asked)


def of(
    subject: str = "agent-one", tool: str = "read_balance", server: str = "bank", issuer: str = "i"
) -> Asked:
    """A call by somebody of something somewhere."""
    caller = type(CALLER)(issuer=issuer, subject=subject)
    return an_asked(a_call(tool, server=server), caller=caller)


async def test_what_is_counted_is_known_at_once(store: Watched, clock: ManualClock) -> None:
    """Before this call; the store is asked nothing by whoever calls."""
    counter = UsageCounter(store, now=clock)
    assert often(counter) == Often()
    undo = counter.sent(READ)
    counter.sent(READ)
    counter.failed(READ)
    assert often(counter) == Often(calls=Within(2, 2, 2), failures=Within(1, 1, 1))
    assert counter.often(READ, begun=True).calls == Within(1, 1, 1)
    undo()
    assert often(counter) == Often(calls=Within(1, 1, 1), failures=Within(1, 1, 1))
    assert store.asked == []


async def test_each_caller_server_and_tool_by_itself(store: Watched, clock: ManualClock) -> None:
    """No part of a name can run into the next."""
    counter = UsageCounter(store, now=clock)
    send(counter, 1, of())
    others = [
        of("agent-two"),
        of(tool="pay_bill"),
        of(server="other"),
        of(issuer="j"),
        of("iagent-one", issuer=""),
    ]
    assert [reads(counter, asked) for asked in [of(), *others]] == [1, 0, 0, 0, 0, 0]


async def test_two_gateways_count_together(shared: Store, clock: ManualClock) -> None:
    """After a round of each; what was taken back is taken back everywhere."""
    one, two = (UsageCounter(shared, now=clock) for _ in range(2))
    send(one, 5)
    send(two, 2)
    undo = two.sent(READ)
    two.failed(READ)
    for counter in (one, two, one):
        await counter.settle()
    assert reads(two) == 8
    send(one)
    await one.settle()
    assert often(one) == Often(calls=Within(9, 9, 9), failures=Within(1, 1, 1))
    undo()
    await two.settle()
    assert reads(two) == 8
    send(one)
    await one.settle()
    assert reads(one) == 9


async def test_a_restart_remembers(shared: Store, clock: ManualClock) -> None:
    """Also the window before this one, and at a gateway that never saw the caller: once it was asked about them."""
    async with open_usage(shared, now=clock) as counter:
        send(counter, 40)
        counter.failed(READ)
    clock.advance(3600 + 900)
    again = UsageCounter(shared, now=clock)
    assert reads(again) == 0
    await again.settle()
    assert often(again) == Often(calls=Within(0, 30, 40), failures=Within(0, 1, 1))


async def test_what_came_elsewhere_at_the_end_of_a_window_is_heard_after_it(
    store: Watched, clock: ManualClock
) -> None:
    """A gateway that was quiet meanwhile does not go by what it last heard."""
    one, two = (UsageCounter(store, now=clock) for _ in range(2))
    send(one)
    await one.settle()
    send(two, 30)
    await two.settle()
    clock.advance(3600)
    assert reads(one) == 1
    await one.settle()
    assert reads(one) == 31


async def test_a_round_asks_no_more_than_it_must(store: Watched, clock: ManualClock) -> None:
    """A caller not seen before costs twelve operations, then six, then none; a window that is over is asked once."""
    counter = UsageCounter(store, now=clock)
    send(counter, 7)
    await counter.settle()
    assert store.asked == ["ping", *["increment 7", "get"] * 3, *["get"] * 6]
    store.asked.clear()
    send(counter, 2)
    await counter.settle()
    assert store.asked == ["ping", *["increment 2"] * 3, *["get"] * 3]
    store.asked.clear()
    often(counter)
    await counter.settle()
    assert store.asked == []
    clock.advance(600)
    often(counter)
    await counter.settle()
    assert store.asked == ["ping", *["get", "get", "get", "get"] * 2]


async def test_many_callers_take_turns(store: Watched, clock: ManualClock) -> None:
    """A round is bounded; whoever waits longest is next; other tasks run in between."""
    counter, elsewhere = UsageCounter(store, now=clock), UsageCounter(store, now=clock)
    everybody = [of(f"agent-{number}") for number in range(MAX_ROUND + 2)]
    for asked in everybody:
        send(counter, 1, asked)
    send(counter, 1, everybody[0])
    seen: set[int] = set()

    async def other() -> None:
        while True:
            seen.add(len(store.asked))
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await counter.settle()
    beside.cancel()
    assert len(seen) >= MAX_ROUND
    for asked in everybody:
        often(elsewhere, asked)
    await elsewhere.settle()
    await elsewhere.settle()
    assert [reads(elsewhere, asked) for asked in everybody] == [2] + [1] * (MAX_ROUND - 1) + [0, 0]
    await counter.settle()
    assert await settled(store) == 3 * (MAX_ROUND + 2)


async def settled(store: Store) -> int:
    """Counters in the store."""
    return len(await store.entries(Space.COUNTER, limit=MAX_ENTRIES))


async def test_without_the_store_each_counts_alone(
    tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is refused for it; it is said once, and once more when it happens again; then the store is told all."""
    with RedisServer(redis_program()) as server:
        store = open_store(server.url)
        one, two = (UsageCounter(store, now=clock) for _ in range(2))
        server.stop()
        with caplog.at_level(logging.WARNING, logger="countersign.usage"):
            for _ in range(3):
                send(one, 4)
                assert not await one.settle()
        assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
            "calls are counted at each gateway alone"
        ]
        assert (reads(one), reads(two)) == (12, 0)
        server.start()
        assert await one.settle()
        assert await two.settle()
        assert (reads(one), reads(two)) == (12, 12)
        server.stop()
        send(one)
        caplog.clear()
        assert not await one.settle()
        assert len(caplog.records) == 1
        await store.aclose()


async def test_a_store_that_stalls_is_not_told_again_and_again(clock: ManualClock) -> None:
    """It would carry all of it out once it goes on, and the caller would have called a hundred times as often."""
    with RedisServer(redis_program()) as server:
        store, other = (open_store(server.url) for _ in range(2))
        counter = UsageCounter(store, now=clock)
        send(counter, 10)
        server.stall()
        assert not await counter.settle()
        server.resume()
        await other.ping()
        assert await counter.settle()
        again = UsageCounter(other, now=clock)
        often(again)
        await again.settle()
        assert reads(again) == 10
        await store.aclose()
        await other.aclose()


async def test_a_round_that_breaks_off_goes_on_where_it_broke(store: Watched, clock: ManualClock) -> None:
    """What was not told is told, first of all, and what was told is not told again."""
    counter = UsageCounter(store, now=clock)
    for number in (1, 2, 3):
        send(counter, number, of(f"agent-{number}"))
    store.breaks_at = "increment 2"
    assert not await counter.settle()
    told = [one for one in store.asked if one.startswith("increment")]
    assert told == [*["increment 1"] * 3, "increment 2"]
    store.asked.clear()
    store.breaks_at = ""
    assert await counter.settle()
    told = [one for one in store.asked if one.startswith("increment")]
    assert told == [*["increment 2"] * 3, *["increment 3"] * 3]


async def test_memory_is_bounded_and_what_is_forgotten_is_remembered_from_the_store(
    store: Watched, clock: ManualClock
) -> None:
    """Attack: one identity after another. The one that was quiet for longest goes; nobody is refused for it."""
    counter = UsageCounter(store, now=clock, max_keys=10)
    send(counter, 5, of("busy"))
    send(counter, 5, of("quiet"))
    await counter.settle()
    for number in range(50):
        counter.often(of(f"agent-{number}"), begun=False)
        send(counter, 1, of("busy"))
    assert reads(counter, of("busy")) == 55
    assert reads(counter, of("quiet")) == 0
    await counter.settle()
    assert reads(counter, of("quiet")) == 5
    assert len(counter._known) == 10
    assert len(counter._due) <= 10


async def test_a_number_in_the_store_that_is_none_stops_nothing(store: Watched, clock: ManualClock) -> None:
    """Somebody who writes into the store has better ways; the others are counted all the same."""
    counter = UsageCounter(store, now=clock)
    send(counter, 1, of("one"))
    await counter.settle()
    for key, _ in await store.entries(Space.COUNTER, limit=MAX_ENTRIES):
        await store.put(Space.COUNTER, key, b"many", ttl_s=None)
    again = UsageCounter(store, now=clock)
    often(again, of("one"))
    send(again, 1, of("one"))
    send(again, 3, of("two"))
    assert await again.settle()
    last = UsageCounter(store, now=clock)
    often(last, of("two"))
    await last.settle()
    assert reads(last, of("two")) == 3


async def test_the_end_settles_what_is_left(store: Watched, clock: ManualClock) -> None:
    """More than a round of it, without waiting for the next second."""
    async with open_usage(store, now=clock) as counter:
        for number in range(2 * MAX_ROUND + 1):
            send(counter, 1, of(f"agent-{number}"))
    assert await settled(store) == 3 * (2 * MAX_ROUND + 1)


async def test_the_end_does_not_wait_for_a_store_that_is_gone(store: Watched, clock: ManualClock) -> None:
    """One try."""
    async with open_usage(store, now=clock) as counter:
        send(counter)
        await store.aclose()
    assert store.asked == ["ping"] * 2


def redis_program() -> Path:
    """The real one."""
    return parts.require(parts.REDIS)
