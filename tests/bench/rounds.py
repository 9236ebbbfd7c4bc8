"""A whole run: every leg started once, then rounds in which each leg has one window, in changing order."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
import uvloop

from tests.bench.legs import Leg, Site
from tests.bench.load import Bounds, Target, Window, drive, open_session
from tests.bench.processes import Cores, Fleet, LegError, pinned
from tests.bench.wire import Headers
from tests.bench.workload import Era

# The order within a round is shuffled, the same way in each run.
ORDER_SEED = 20261120


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. `rounds` windows per leg and concurrency, each within `bounds`."""

    era: Era
    concurrencies: tuple[int, ...]
    rounds: int
    bounds: Bounds


class Failure(msgspec.Struct, frozen=True):
    """A leg that could not be started, and why."""

    leg: str
    why: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has found."""

    plan: Plan
    legs: tuple[str, ...]
    skipped: tuple[Failure, ...]
    failed: tuple[Failure, ...]
    windows: tuple[Window, ...]
    pinned: bool


def run(plan: Plan, legs: Sequence[Leg], say: Callable[[str], None]) -> Run:
    """Start everything, run the rounds, end everything. `say` is told what happens, one line at a time."""
    cores = Cores.available()
    skipped = [Failure(leg.name, why) for leg in legs if (why := leg.missing()) is not None]
    for skip in skipped:
        say(f"skipped {skip.leg}: {skip.why}")
    absent = {skip.leg for skip in skipped}
    with ExitStack() as stack:
        # Short names: a unix socket's path may have 107 bytes.
        workdir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cs-bench-")))
        fleet = stack.enter_context(Fleet(cores, workdir))
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        stack.enter_context(pinned(cores.load))
        _, upstream_port = fleet.start_module("tests.bench.upstream", "load")
        ready: dict[str, tuple[Target, Headers]] = {}
        failed: list[Failure] = []
        for leg in (leg for leg in legs if leg.name not in absent):
            directory = workdir / leg.name
            directory.mkdir()
            try:
                target = leg.start(Site(fleet, plan.era, upstream_port, directory))
                ready[leg.name] = target, runner.run(open_session(target, plan.era))
            except (LegError, OSError, TimeoutError) as problem:
                failed.append(Failure(leg.name, str(problem) or type(problem).__name__))
                say(f"failed  {leg.name}: {failed[-1].why.splitlines()[0]}")
        windows = tuple(_rounds(plan, ready, runner, say))
    return Run(
        plan=plan,
        legs=tuple(ready),
        skipped=tuple(skipped),
        failed=tuple(failed),
        windows=windows,
        pinned=cores.proxy is not None,
    )


def _rounds(
    plan: Plan, ready: dict[str, tuple[Target, Headers]], runner: asyncio.Runner, say: Callable[[str], None]
) -> Iterable[Window]:
    shuffle = random.Random(ORDER_SEED).shuffle
    for number in range(1, plan.rounds + 1):
        load = os.getloadavg()[0]
        say(f"round {number} of {plan.rounds} (load {load:.1f})")
        for concurrency in plan.concurrencies:
            order = list(ready)
            shuffle(order)
            for name in order:
                target, extra = ready[name]
                yield runner.run(
                    drive(
                        name,
                        target,
                        plan.era,
                        extra,
                        number=number,
                        concurrency=concurrency,
                        bounds=plan.bounds,
                    )
                )
