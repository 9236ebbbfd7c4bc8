"""The switch in the walk: what is stopped is refused in every phase, and nothing of it is sent."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.door.call import ToolCall
from gateway.errors import StoreUnavailable, TokenRefused
from gateway.identity.caller import Caller
from gateway.kill.orders import KEY, give, lift
from gateway.kill.switch import KillSwitch
from gateway.outcome.answer import Again, Answer, Executed, Refused
from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space
from gateway.walk import House, walk
from tests.kill.test_orders import an_order
from tests.support.until import until
from tests.support.waiting import a_signature
from tests.support.walking import MAKE, OTHER, PAY, READ, REVISION, Rooms, a_call, an_answer, rooms

NOBODY = Caller(issuer="nobody", subject="nobody")


@dataclasses.dataclass(kw_only=True)
class Switched:
    """Rooms with a switch, and a second gateway's switch over the same file."""

    rooms: Rooms
    switch: KillSwitch
    house: House

    async def call(self, tool: str, **how: Any) -> Answer:
        """One call."""
        return await walk(a_call(tool, {"n": 1}, **how), self.house)

    async def stopped(self, call: ToolCall) -> str:
        """It is refused, for this reason, and nothing was sent for it."""
        before = len(self.rooms.upstream.calls)
        answer = await walk(call, self.house)
        assert isinstance(answer, Refused)
        assert len(self.rooms.upstream.calls) == before
        assert self.rooms.records()[-1]["status"] == "refused"
        (reason,) = answer.about.reasons
        assert self.rooms.records()[-1]["reasons"] == [reason.code]
        assert "Odd." not in reason.message
        return reason.code


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Switched]:
    """Three tools, of the classes 4, 3 and 2. The switch's own task does not run: a test renews it."""
    async with rooms(tmp_path) as running:
        switch = KillSwitch(running.store)
        await switch.refresh()
        yield Switched(rooms=running, switch=switch, house=dataclasses.replace(running.house, kills=switch))


@pytest.mark.parametrize("kind", ["caller", "tool", "definition", "revision"])
async def test_an_outstanding_token_is_worth_nothing(house: Switched, kind: str) -> None:
    """Handed out before the order; the copy of this process does not even know of it yet."""
    first = await house.call(MAKE)
    assert isinstance(first, Again)
    entry = await house.house.catalog.current("bank", MAKE, sensitive=True)
    value = {
        "caller": "agent-one",
        "tool": MAKE,
        "definition": entry.tool.definition_hash,
        "revision": REVISION,
    }
    await give(house.rooms.store, an_order(kind, value[kind]))
    assert await house.stopped(a_call(MAKE, {"n": 1}, token=first.token)) == f"kill.{kind}"
    # Burnt: lifting the order brings nothing back.
    await lift(house.rooms.store, "o1")
    await house.switch.refresh()
    with pytest.raises(TokenRefused):
        await house.call(MAKE, token=first.token)
    assert house.rooms.upstream.calls == []


async def test_a_token_is_burnt_by_the_early_look_too(house: Switched) -> None:
    """The copy knows: refused before the policy is asked."""
    first = await house.call(MAKE)
    assert isinstance(first, Again)
    await give(house.rooms.store, an_order())
    await house.switch.refresh()
    asked = len(house.rooms.engine.questions)
    assert await house.stopped(a_call(MAKE, {"n": 1}, token=first.token)) == "kill.caller"
    assert len(house.rooms.engine.questions) == asked
    await lift(house.rooms.store, "o1")
    await house.switch.refresh()
    with pytest.raises(TokenRefused):
        await house.call(MAKE, token=first.token)


async def test_a_repeat_that_stands_for_a_token_is_burnt_by_the_early_look_too(house: Switched) -> None:
    """A host that can carry no token repeats its call while it is stopped, and once more after the order was lifted."""
    first = await house.call(MAKE, legacy=True)
    assert isinstance(first, Again)
    await give(house.rooms.store, an_order())
    await house.switch.refresh()
    assert await house.stopped(a_call(MAKE, {"n": 1}, legacy=True)) == "kill.caller"
    await lift(house.rooms.store, "o1")
    await house.switch.refresh()
    again = await house.call(MAKE, legacy=True)
    assert isinstance(again, Again)
    assert again.status == "handshake_required"
    assert house.rooms.upstream.calls == []


async def test_a_confirmed_call_that_waits_is_stopped(house: Switched) -> None:
    """Signed by a person, and killed before the host came back."""
    first = await house.call(PAY)
    assert isinstance(first, Again)
    waiting = await house.call(PAY, token=first.token)
    assert isinstance(waiting, Again)
    (pending,) = await house.rooms.waiting.waiting()
    signature = a_signature(pending, at=int(house.rooms.clock.now))
    assert await house.rooms.waiting.replace(
        pending, msgspec.structs.replace(pending, confirmations=(signature,))
    )
    await give(house.rooms.store, an_order("tool", PAY))
    assert await house.stopped(a_call(PAY, {"n": 1}, token=waiting.token)) == "kill.tool"


async def test_others_go_on(house: Switched) -> None:
    """Another caller, another tool."""
    await give(house.rooms.store, an_order())
    await house.switch.refresh()
    assert await house.stopped(a_call(READ)) == "kill.caller"
    assert isinstance(await house.call(READ, bearer=OTHER), Executed)


async def test_a_read_asks_no_store(house: Switched) -> None:
    """It goes by the copy, which is at most a second old; the task renews it."""
    await give(house.rooms.store, an_order("tool", READ))
    assert isinstance(await house.call(READ), Executed)
    task = asyncio.create_task(house.switch.run())
    try:
        async with asyncio.timeout(20):
            await until(lambda: house.switch.orders.against_call(NOBODY, "bank", READ, "") is not None)
    finally:
        task.cancel()
    assert await house.stopped(a_call(READ)) == "kill.tool"


async def test_without_a_store_nothing_sensitive_is_sent(house: Switched) -> None:
    """The switch cannot say: an error, not an allow, whatever the policy says."""
    house.rooms.engine.answering = lambda _: an_answer("allow", data_class=5)
    lonely = SqliteStore(house.rooms.store_path.parent / "gone.sqlite3")
    switch = KillSwitch(lonely)
    await switch.refresh()
    await lonely.aclose()
    alone = dataclasses.replace(house.rooms.house, kills=switch)
    for tool in (MAKE, PAY):
        with pytest.raises(StoreUnavailable):
            await walk(a_call(tool), alone)
    assert house.rooms.upstream.calls == []
    assert [one["status"] for one in house.rooms.records()] == ["failed", "failed"]
    assert isinstance(await walk(a_call(READ), alone), Executed)


async def test_orders_that_cannot_be_read_stop_what_is_sensitive(house: Switched) -> None:
    """Somebody wrote over them."""
    house.rooms.engine.answering = lambda _: an_answer("allow", data_class=3)
    await house.rooms.store.put(Space.KILL, KEY, b"\xff", ttl_s=None)
    with pytest.raises(StoreUnavailable) as problem:
        await house.call(MAKE)
    assert problem.value.code == "kill.unreadable"
    assert house.rooms.upstream.calls == []


async def test_a_switch_that_never_knew_asks_for_reads_too(house: Switched) -> None:
    """A gateway that started without its store does not take silence for *nothing is stopped*."""
    await give(house.rooms.store, an_order("tool", READ))
    fresh = dataclasses.replace(house.house, kills=KillSwitch(house.rooms.store))
    answer = await walk(a_call(READ), fresh)
    assert isinstance(answer, Refused)
    assert house.rooms.upstream.calls == []
