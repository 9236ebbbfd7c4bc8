"""Who hears of questions about calls: the decision log, the shadow, both or neither."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

import msgspec

from gateway.decisions.opened import open_decisions
from gateway.policy.policy import Recorder
from gateway.policy.recorders import together
from gateway.settings import Settings
from gateway.shadow.opened import open_shadow
from gateway.shadow.shadow import Shadow


class Recording(msgspec.Struct, frozen=True):
    """``recorder`` is all who hear, the shadow among them. Each is None where there is none."""

    recorder: Recorder | None
    shadow: Shadow | None


async def open_recording(settings: Settings, stack: AsyncExitStack, *, now: Callable[[], float]) -> Recording:
    """Open and on the stack.

    :raises PolicyRefused: the policy's word on what may be kept cannot be read.
    :raises OSError: the decision log cannot be opened.
    """
    log = open_decisions(settings, stack, now=now)
    shadow = await open_shadow(settings, stack, now=now)
    return Recording(together(log, shadow), shadow)
