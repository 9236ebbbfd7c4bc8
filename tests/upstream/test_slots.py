"""Turns: as many as may, in order, and none is lost when somebody goes away."""

import asyncio

import pytest

from gateway.upstream.slots import Full, Slots
from tests.support.until import until


class Line:
    """Those who hold a slot, in the order in which they got one."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.got: list[int] = []

    async def take(self, number: int) -> None:
        """Wait for one."""
        await self.slots.take()
        self.got.append(number)

    async def queued(self, *numbers: int) -> list[asyncio.Task[None]]:
        """Tasks that wait, one after the other."""
        tasks = [asyncio.create_task(self.take(number)) for number in numbers]
        await asyncio.sleep(0)
        return tasks


async def test_first_come_first_served() -> None:
    """And one too many is turned away at once."""
    line = Line(Slots(1, queue=2, wait_s=60))
    await line.take(0)
    await line.queued(1, 2)
    with pytest.raises(Full):
        await line.take(3)
    line.slots.give()
    await until(lambda: line.got == [0, 1])
    line.slots.give()
    await until(lambda: line.got == [0, 1, 2])
    with_room = await line.queued(4)
    line.slots.give()
    await asyncio.gather(*with_room)


async def test_whoever_leaves_the_queue_takes_no_turn() -> None:
    """Also when the turn came in the very moment."""
    line = Line(Slots(1, queue=3, wait_s=60))
    await line.take(0)
    early, late, _ = await line.queued(1, 2, 3)
    early.cancel()
    await until(early.done)
    line.slots.give()
    late.cancel()  # its turn has come, and it has not run since
    await until(lambda: line.got == [0, 3])
    line.slots.give()
    await line.take(4)


async def test_nobody_waits_for_ever() -> None:
    """And afterwards the place in the queue is free again."""
    slots = Slots(1, queue=1, wait_s=0.01)
    await slots.take()
    for _ in range(2):
        with pytest.raises(Full):
            await slots.take()
    slots.give()
    await slots.take()


async def test_what_has_begun_is_finished_first() -> None:
    """A slot that was lent comes back without a wait, and nobody gets in until there is room again."""
    line = Line(Slots(1, queue=2, wait_s=60))
    await line.take(0)
    line.slots.give()
    await line.take(1)
    line.slots.retake()
    (waiting,) = await line.queued(2)
    line.slots.give()
    await asyncio.sleep(0)
    assert not waiting.done()
    line.slots.give()
    await waiting
