"""A task ends when the house does, whatever its drivers do with a cancellation."""

import asyncio

from gateway.stopping import stopped


async def test_a_cancellation_that_was_swallowed_is_repeated() -> None:
    """A driver that catches it leaves the loop running; the second one ends it."""
    heard = 0

    async def stubborn() -> None:
        nonlocal heard
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                heard += 1
                if heard > 1:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await stopped(task)
    assert (heard, task.cancelled()) == (2, True)


async def test_a_task_that_failed_long_ago_is_no_trouble() -> None:
    """Its error was its own."""

    async def broken() -> None:
        raise ValueError

    task = asyncio.create_task(broken())
    await asyncio.wait({task})
    await stopped(task)
    assert isinstance(task.exception(), ValueError)
