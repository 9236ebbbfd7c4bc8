"""The shadow as the settings want it. Whatever is wrong with a candidate, the gateway starts without it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from gateway.decisions.entry import Kept
from gateway.parts import policy_folder_of
from gateway.policy.engine import PolicyRefused
from gateway.settings import Settings
from gateway.settings.shadow import ShadowSettings
from gateway.shadow.candidate import candidate_of
from gateway.shadow.report import Hold, Report, read_report, write_report
from gateway.shadow.shadow import Shadow
from gateway.shadow.tally import Tally

_LOG = logging.getLogger("countersign.shadow")


async def open_shadow(
    settings: Settings, stack: AsyncExitStack, *, now: Callable[[], float]
) -> Shadow | None:
    """None where there is no candidate, or one that is refused: then the log and the report say why.

    A hold outlives the process: it is taken from the report. Closed with the stack.

    :raises PolicyRefused: the live policy's word on what may be kept cannot be read.
    """
    wanted = settings.shadow
    base, report = policy_folder_of(settings), Path(wanted.report)
    kept = Kept.load(base)
    try:
        found = await candidate_of(wanted, base)
    except PolicyRefused as refusal:
        _LOG.error("candidate REFUSED, nothing is judged beside the live policy: %s", refusal.message)
        _say_refused(wanted, report, refusal.message, now())
        return None
    if found is None:
        return None
    engine, revision = found
    tally = Tally(
        kept,
        hold_above=wanted.hold_above,
        hold_after=wanted.hold_after,
        sample=wanted.sample,
        now=now,
        held=_held_before(report, revision),
    )
    shadow = Shadow(engine, tally, report, revision=revision, sample=wanted.sample)
    stack.push_async_callback(shadow.aclose)
    return shadow


def _held_before(report: Path, revision: str) -> Hold | None:
    """A restart is no way out of a hold. Whoever may write the report may end one."""
    try:
        held = read_report(report).held
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        _LOG.warning("the shadow's last report cannot be read (%s); a hold in it is lost", problem)
        return None
    return held if held is not None and revision in ("", held.candidate) else None


def _say_refused(wanted: ShadowSettings, report: Path, why: str, now: float) -> None:
    said = Report(
        state="refused",
        error=why,
        since=now,
        updated=now,
        sample=wanted.sample,
        hold_above=wanted.hold_above,
        hold_after=wanted.hold_after,
    )
    try:
        write_report(report, said)
    except OSError as problem:
        _LOG.warning("the shadow's report cannot be written: %s", problem.strerror)
