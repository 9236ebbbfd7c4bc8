"""The figures for people (a rich table on a terminal, aligned text in a pipe) and for programs (JSON)."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version

import msgspec
from rich.console import Console
from rich.table import Table

from tests.bench.gates import Verdict
from tests.bench.rounds import Run
from tests.bench.stats import Spread
from tests.bench.summary import Line

HEADINGS = (
    "leg", "c", "rounds", "rps", "p50 ms", "p99 ms", "CPU us/call", "OPA us/call",
    "x star-raw", "x sdk-proxy", "errors",
)  # fmt: skip
NOTES = (
    "CPU us/call: utime + stime of the proxy's whole process tree; OPA us/call: the same for OPA.",
    "Figures are medians over rounds [first-third quartile]; ratios: CPU per call, within one round.",
)
_COLOURS = {"pass": "green", "undecided": "yellow", "fail": "bold red", "unjudged": "bold yellow"}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run found, as written by `--json`."""

    machine: dict[str, str]
    run: Run
    summary: list[Line]
    gates: list[Verdict]


def machine() -> dict[str, str]:
    """What the figures depend on: processor count, kernel, Python and the packages on the call path."""
    packages = {name: version(name) for name in ("uvicorn", "uvloop", "httptools", "starlette", "mcp")}
    return {
        "cores": str(os.cpu_count()),
        "kernel": platform.platform(),
        "python": platform.python_version(),
        **packages,
    }


def number(value: float) -> str:
    """Three digits or so: 0.123, 1.23, 12.3, 1234."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def cell(value: Spread | None, *, quartiles: bool = True, unit: str = "") -> str:
    """`12.3 [11-14]`, or `-` when there is nothing to say."""
    if value is None:
        return "-"
    middle = f"{unit}{number(value.median)}"
    return f"{middle} [{number(value.q1)}-{number(value.q3)}]" if quartiles else middle


def row(line: Line) -> list[str]:
    """The cells of one line, in the order of HEADINGS."""
    return [
        line.leg,
        str(line.concurrency),
        str(line.rounds),
        cell(line.rps, quartiles=False),
        cell(line.p50_ms, quartiles=False),
        cell(line.p99_ms, quartiles=False),
        cell(line.cpu_us),
        cell(line.engine_us, quartiles=False),
        cell(line.of_star_raw, unit="x"),
        cell(line.of_sdk_proxy, unit="x"),
        str(sum(line.errors.values())) if line.errors else "0",
    ]


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns of plain text: the first to the left, the others to the right."""
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in rows
    )


def show(report: Report, console: Console) -> None:
    """Print table, errors, gates and notes."""
    plan = report.run.plan
    title = f"tools/call, {plan.era} era, {plan.rounds} rounds"
    rows = [row(line) for line in report.summary]
    if console.is_terminal:
        table = Table(title=title)
        for index, heading in enumerate(HEADINGS):
            table.add_column(heading, justify="right" if index else "left", no_wrap=True)
        for index, cells in enumerate(rows):
            is_last = index + 1 == len(rows) or rows[index + 1][1] != cells[1]
            table.add_row(*cells, end_section=is_last, style="red" if cells[-1] != "0" else None)
        console.print(table)
    else:
        _plain(console, f"{title}\n{aligned([HEADINGS, *rows])}")
    for line in report.summary:
        for kind, count in line.errors.items():
            _plain(console, f"error: {line.leg} c={line.concurrency}: {count} x {kind}", style="red")
    for problem in report.run.failed:
        _plain(console, f"did not start: {problem.leg}: {problem.why}", style="red")
    for verdict in report.gates:
        text = f"{verdict.outcome}: {verdict.gate}: {verdict.leg} c={verdict.concurrency} is at "
        text += f"{cell(verdict.ratio, unit='x')}; {verdict.why}"
        _plain(console, text, style=_COLOURS[verdict.outcome])
    for note in (*NOTES, *(() if report.run.pinned else ("One core only: nothing was pinned.",))):
        _plain(console, note, style="dim")


def _plain(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
