"""Who hears of questions about calls: the decision log, the shadow, both or neither."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

from gateway.decisions.opened import open_decisions
from gateway.policy.policy import Recorder
from gateway.policy.recorders import together
from gateway.settings import Settings
from gateway.shadow.opened import open_shadow


async def open_recorders(
    settings: Settings, stack: AsyncExitStack, *, now: Callable[[], float]
) -> Recorder | None:
    """Open and on the stack. None where nobody wants to hear.

    :raises PolicyRefused: the policy's word on what may be kept cannot be read.
    :raises OSError: the decision log cannot be opened.
    """
    return together(
        open_decisions(settings, stack, now=now),
        await open_shadow(settings, stack, now=now),
    )
