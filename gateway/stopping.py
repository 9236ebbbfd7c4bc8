"""Ends a task that runs beside the house, for certain."""

from __future__ import annotations

import asyncio
from typing import Any, Final

AGAIN_S: Final = 0.5
"""Seconds until a cancellation that was not heeded is repeated: a driver in the middle of its own clean-up may swallow
one, and a loop would go on as if nothing had been said."""


async def stopped(task: asyncio.Task[Any]) -> None:
    """Cancel it, as often as it takes. How it ended is nobody's concern any more."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=AGAIN_S)
    if not task.cancelled():
        task.exception()
