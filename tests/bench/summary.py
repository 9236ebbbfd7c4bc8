"""From windows to figures: medians over rounds, and in-round ratios to the yardsticks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from tests.bench.legs import SDK_PROXY, STAR_RAW
from tests.bench.load import Window
from tests.bench.rounds import Run
from tests.bench.stats import Spread, ratios, spread


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One leg at one concurrency. Windows in which a call failed count in `errors` and in nothing else."""

    leg: str
    concurrency: int
    rounds: int
    calls: int
    rps: Spread | None
    p50_ms: Spread | None
    p99_ms: Spread | None
    cpu_us: Spread | None
    engine_us: Spread | None
    of_star_raw: Spread | None
    of_sdk_proxy: Spread | None
    errors: dict[str, int]


def ratio(run: Run, leg: str, base: str, concurrency: int) -> Spread | None:
    """CPU per call of `leg` over that of `base`, in-round; None when no round has both."""

    def cpu(name: str) -> dict[int, float]:
        return {
            window.number: window.cpu_us
            for window in run.windows
            if window.leg == name
            and window.concurrency == concurrency
            and window.clean
            and window.cpu_us is not None
        }

    return spread(ratios(cpu(leg), cpu(base)))


def summarise(run: Run) -> list[Line]:
    """One line per concurrency and leg, in the order of the plan."""
    return [_line(run, leg, concurrency) for concurrency in run.plan.concurrencies for leg in run.legs]


def _line(run: Run, leg: str, concurrency: int) -> Line:
    mine = [w for w in run.windows if w.leg == leg and w.concurrency == concurrency]
    clean = [window for window in mine if window.clean]
    errors: Counter[str] = Counter()
    for window in mine:
        errors.update(window.errors)
    return Line(
        leg=leg,
        concurrency=concurrency,
        rounds=len(clean),
        calls=sum(window.calls for window in clean),
        rps=_over(clean, lambda window: window.rps),
        p50_ms=_over(clean, lambda window: window.p50_ms),
        p99_ms=_over(clean, lambda window: window.p99_ms),
        cpu_us=_over(clean, lambda window: window.cpu_us),
        engine_us=_over(clean, lambda window: window.engine_us),
        of_star_raw=ratio(run, leg, STAR_RAW, concurrency),
        of_sdk_proxy=ratio(run, leg, SDK_PROXY, concurrency),
        errors=dict(errors),
    )


def _over(windows: Iterable[Window], figure: Callable[[Window], float | None]) -> Spread | None:
    return spread([value for window in windows if (value := figure(window)) is not None])
