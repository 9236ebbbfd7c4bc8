"""`python -m tests.bench`: the command line. What is measured and how to read it stands in `--help`."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click
import msgspec
from rich.console import Console

from tests.bench.gates import Gate, Verdict, apply_gates, parse_gate
from tests.bench.gateways import GATEWAYS
from tests.bench.legs import YARDSTICKS, Leg
from tests.bench.load import Bounds
from tests.bench.report import Report, machine, show
from tests.bench.rounds import Plan, Run, run
from tests.bench.summary import ratio, summarise
from tests.bench.workload import Era

LEGS = (*YARDSTICKS, *GATEWAYS)

EXIT_GATE_FAILED = 1
EXIT_NOT_MEASURED = 3
EXIT_INTERRUPTED = 130

HELP = """Measure one MCP tools/call through the gateway and through its yardsticks.

Every leg is started once; then, in each round and in changing order, each leg gets one window of closed-loop
load. Everything runs on 127.0.0.1 and ends by itself. With two cores or more the measured proxies run on the
first one, the upstream, the load generator and OPA on the second. Linux only: CPU time is read from /proc.

CPU per call and its in-round ratios are the figures to trust; rps and latencies of a shared machine are not.
Every answer is checked by JSON-RPC id and content; a window in which a call failed counts as errors only.

\b
Gates (--gate, may be repeated):
  gateway+opa<=3.0xstar-raw    CPU per call of gateway+opa and of every gateway+opa-* leg, against star-raw
  gateway+opa<=0.2xsdk-proxy   at least five times less than the fastest proxy built on the MCP SDK
  raw-asgi<=0.9xstar-raw@16    only at 16 connections
A gate fails only when the whole interquartile range lies beyond the bar.

\b
Exit status:
  0  every gate kept its bar, or is undecided (the interquartile range straddles it)
  1  a gate failed
  2  wrong usage
  3  not measured: a leg did not start or answered with errors, or a gate names a leg without figures
  130  interrupted; the processes of the run have been ended
"""


def _gates(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> list[Gate]:
    try:
        return [parse_gate(text) for text in texts]
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from None


def _legs(_context: click.Context, _parameter: click.Parameter, text: str | None) -> list[Leg]:
    if text is None:
        return list(LEGS)
    known = {leg.name: leg for leg in LEGS}
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise click.BadParameter(f"no leg {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def _levels(_context: click.Context, _parameter: click.Parameter, text: str) -> tuple[int, ...]:
    levels = text.split(",")
    if not all(level.strip().isdecimal() and 1 <= int(level) <= 1024 for level in levels):
        raise click.BadParameter("numbers from 1 to 1024, separated by commas")
    return tuple(dict.fromkeys(int(level) for level in levels))


def _list_legs(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value:
        for leg in LEGS:
            missing = leg.missing()
            click.echo(f"{leg.name:18}{leg.about}{f'  (cannot run here: {missing})' if missing else ''}")
        context.exit()


@click.command(help=HELP)
@click.option("--legs", callback=_legs, help="Names, separated by commas; default: all that can run here.")
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_legs, help="List the legs."
)
@click.option(
    "--era",
    type=click.Choice([era.value for era in Era]),
    default=Era.MODERN.value,
    show_default=True,
    help="modern = MCP 2026-07-28, legacy = the 2025-11-25 handshake.",
)
@click.option(
    "--concurrency",
    "-c",
    "levels",
    callback=_levels,
    default="1,16",
    show_default=True,
    help="Connections in closed loop, separated by commas.",
)
@click.option("--rounds", type=click.IntRange(min=1), default=10, show_default=True)
@click.option(
    "--calls", type=click.IntRange(min=1), default=5000, show_default=True, help="Most calls in a window."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.05, max=60),
    default=1.0,
    show_default=True,
    help="Longest window.",
)
@click.option(
    "--gate", "gates", multiple=True, callback=_gates, metavar="GATE", help="A bar to keep; see above."
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write every window, the summary and the gates to this file.",
)
def main(
    legs: list[Leg],
    era: str,
    levels: tuple[int, ...],
    rounds: int,
    calls: int,
    seconds: float,
    gates: list[Gate],
    json_file: Path | None,
) -> None:
    """Run the benchmark and leave with the exit status of `--help`."""
    if not sys.platform.startswith("linux"):
        raise click.ClickException("the benchmark reads CPU time from /proc and runs on Linux only")
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        # Ended from outside, the processes of the run are still ended with it. Not `raise KeyboardInterrupt`: inside a
        # loop's callback that is logged and forgotten. asyncio.Runner turns SIGINT into the cancellation of the running
        # window, and outside of one Python raises KeyboardInterrupt.
        ended.set()
        signal.raise_signal(signal.SIGINT)

    def say(line: str) -> None:
        if ended.is_set():  # an interrupt that came in a finalizer was forgotten: no other round begins
            raise KeyboardInterrupt
        click.echo(line, err=True)

    signal.signal(signal.SIGTERM, end)
    plan = Plan(era=Era(era), concurrencies=levels, rounds=rounds, bounds=Bounds(calls, seconds))
    try:
        found = run(plan, legs, say=say)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    verdicts = apply_gates(gates, found.legs, levels, lambda leg, base, level: ratio(found, leg, base, level))
    report = Report(machine=machine(), run=found, summary=summarise(found), gates=verdicts)
    show(report, Console())
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
    sys.exit(exit_status(found, verdicts))


def exit_status(found: Run, verdicts: list[Verdict]) -> int:
    """0, 1 or 3, as `--help` says; a failed gate outranks a leg that was not measured."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if "fail" in outcomes:
        return EXIT_GATE_FAILED
    unclean = any(window.errors for window in found.windows)
    return EXIT_NOT_MEASURED if unclean or found.failed or "unjudged" in outcomes else 0


if __name__ == "__main__":
    main()
