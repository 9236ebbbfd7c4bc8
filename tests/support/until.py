"""Waiting for what another part of the house does, where there is nothing to await but its effect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

POLL_S = 0.02


async def until(condition: Callable[[], object]) -> None:
    """Return once the condition holds. Bounded by the test's own timeout."""
    while not condition():  # noqa: ASYNC110 - the effect is outside: a file, a list that a server fills
        await asyncio.sleep(POLL_S)


async def until_answered(condition: Callable[[], Awaitable[object]]) -> None:
    """The same for what has to be asked."""
    while not await condition():  # noqa: ASYNC110 - the same
        await asyncio.sleep(POLL_S)
