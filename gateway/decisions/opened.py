"""The decision log as the settings want it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from gateway.decisions.entry import Kept
from gateway.decisions.log import DecisionLog
from gateway.parts import policy_folder_of
from gateway.settings import Settings


def open_decisions(
    settings: Settings, stack: AsyncExitStack, *, now: Callable[[], float]
) -> DecisionLog | None:
    """None where nothing is to be recorded. Closed with the stack.

    :raises PolicyRefused: the policy's word on what may be kept cannot be read.
    :raises OSError: the file cannot be opened.
    """
    wanted = settings.decisions
    if wanted.path is None:
        return None
    log = DecisionLog(
        Path(wanted.path),
        Kept.load(policy_folder_of(settings)),
        max_bytes=wanted.max_mib * 1024 * 1024,
        keep_files=wanted.keep_files,
        now=now,
    )
    stack.callback(log.close)
    return log
