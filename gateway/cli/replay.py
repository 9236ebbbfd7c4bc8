"""``countersign policy replay`` and ``diff``: what a change of the policy would do, before it does it."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.cli.common import DEFAULT_CONFIG, json_option, settings_of, terminal
from gateway.outcome.view import visible
from gateway.policy.engine import PolicyRefused
from gateway.workbench.bundle_folder import folder_of
from gateway.workbench.difference import Changed, difference
from gateway.workbench.flips import Compared, Flip, Pair, by_meaning, compared
from gateway.workbench.judging import Judge, judge_of
from gateway.workbench.matrix import matrix
from gateway.workbench.pack import Pack, read_pack
from gateway.workbench.paypal import PAYPAL
from gateway.workbench.recorded import Reading
from gateway.workbench.replay import replayed

_AGO = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COLOURS = {"laxer": "red", "stricter": "yellow", "other reasons": "dim"}
MAX_SHOWN = 40
"""Lines of a table on a terminal; --json has all of them."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What `diff --json` prints."""

    changed: list[Changed]
    meaning: Compared


def _moment(context: click.Context, parameter: click.Parameter, value: str | None) -> float:
    """``7d``, ``12h``, or a date: unix seconds. :raises click.BadParameter:"""
    del context, parameter
    if value is None:
        return 0.0
    ago = _AGO.fullmatch(value)
    if ago is not None:
        return time.time() - int(ago[1]) * _SECONDS[ago[2]]
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("say 7d, 12h, 30m, or a date like 2026-11-20") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@click.command("replay")
@click.option(
    "--against",
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="The candidate: a policy folder, or a bundle.",
)
@click.option(
    "--log",
    type=click.Path(path_type=Path),
    help="The decision log. Default: `decisions.path` of the settings.",
)
@click.option("--since", callback=_moment, help="Only questions since then: 7d, 12h, or a date.")
@click.option("--live", is_flag=True, help="Compare with today's policy instead of the recorded answers.")
@click.option(
    "--fail-on",
    type=click.Choice(["laxer", "stricter", "any", "never"]),
    default="laxer",
    show_default=True,
    help="What makes the exit code 1.",
)
@json_option
@click.pass_obj
def replay_command(
    folder: Path,
    against: Path,
    log: Path | None,
    since: float,
    live: bool,  # noqa: FBT001 - click
    fail_on: str,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Judge recorded traffic again, by a candidate policy. Nothing is carried out.

    Exit 0: nothing changed in the way of --fail-on; 1: something did; 2: it could not be judged.
    """
    reading = Reading(_log(log), since=since)
    with tempfile.TemporaryDirectory(prefix="countersign-replay-") as scratch:
        candidate = _judge(folder_of(against, _inside(scratch, "candidate"), base=folder), scratch, "a")
        found = replayed(reading, candidate, _judge(folder, scratch, "b") if live else None)
    if found.asked == 0:
        unread = f" ({reading.unreadable} lines could not be read)" if reading.unreadable else ""
        raise PolicyRefused(f"the log holds no question of that time{unread}")
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        _say(found)
        if reading.unreadable:
            terminal().print(f"[yellow]{reading.unreadable} lines of the log could not be read[/]")
    if _fails(found, fail_on):
        raise click.exceptions.Exit(1)


@click.command("diff")
@click.argument("before", type=click.Path(path_type=Path, exists=True))
@click.argument("after", type=click.Path(path_type=Path, exists=True))
@json_option
@click.pass_obj
def diff_command(folder: Path, before: Path, after: Path, as_json: bool) -> None:  # noqa: FBT001 - click
    """What two policies (folders or bundles) say differently, as texts and as answers.

    Every classified tool is asked about, by every role, at every step of its consent, on both sides of every limit.
    Exit 0: no answer differs; 1: some do.
    """
    with tempfile.TemporaryDirectory(prefix="countersign-diff-") as scratch:
        first = folder_of(before, _inside(scratch, "before"), base=folder)
        second = folder_of(after, _inside(scratch, "after"), base=folder)
        was, is_now = read_pack(first), read_pack(second)
        found = Difference(
            changed=difference(was, is_now),
            meaning=_meaning(was, is_now, _judge(first, scratch, "a"), _judge(second, scratch, "b")),
        )
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        _say_changed(found.changed)
        _say(msgspec.structs.replace(found.meaning, flips=by_meaning(found.meaning.flips)))
    if found.meaning.flips:
        raise click.exceptions.Exit(1)


def _meaning(was: Pack, is_now: Pack, before: Judge, after: Judge) -> Compared:
    questions = list(matrix(was.data, is_now.data, {"paypal": PAYPAL}))
    answers = zip(questions, before.judged(questions), after.judged(questions), strict=True)
    return compared(Pair(question=question, before=one, after=other) for question, one, other in answers)


def _log(log: Path | None) -> Path:
    if log is None and DEFAULT_CONFIG.exists():
        path = settings_of(None).decisions.path
        log = None if path is None else Path(path)
    if log is None:
        raise click.UsageError(
            "no decision log: set `decisions.path` and let the gateway record, or name --log"
        )
    if not log.exists():
        raise click.UsageError(f"{log}: there is no such file yet")
    return log


def _inside(scratch: str, name: str) -> Path:
    folder = Path(scratch) / name
    folder.mkdir()
    return folder


def _judge(folder: Path, scratch: str, name: str) -> Judge:
    return judge_of(folder, shutil.which("opa"), _inside(scratch, f"judge-{name}"))


def _fails(found: Compared, fail_on: str) -> bool:
    match fail_on:
        case "laxer" | "stricter":
            return any(flip.direction == fail_on for flip in found.flips)
        case "any":
            return bool(found.flips)
        case _:
            return False


def _say_changed(changed: list[Changed]) -> None:
    console = terminal()
    for one in changed:
        values = f": {one.before or '-'} -> {one.after or '-'}" if one.what == "data" else ""
        console.print(
            escape(visible(f"{one.kind:<8}{one.what:<7} {one.where}{values}")),
            highlight=False,
            soft_wrap=True,
        )


def _say(found: Compared) -> None:
    console = terminal()
    table = Table(
        "", "tool", "class", "caller", "was", "would be", "why", "times", "for example", box=box.SIMPLE_HEAD
    )
    for flip in found.flips[:MAX_SHOWN]:
        table.add_row(
            f"[{_COLOURS[flip.direction]}]{flip.direction}[/]",
            escape(visible(flip.tool)),
            "" if flip.data_class is None else str(flip.data_class),
            escape(visible(flip.caller)),
            flip.before,
            flip.after,
            escape(_why(flip)),
            str(flip.count),
            escape(visible(flip.examples[0].call_id)),
        )
    if found.flips:
        console.print(table)
    if len(found.flips) > MAX_SHOWN:
        console.print(f"and {len(found.flips) - MAX_SHOWN} kinds more (--json)", highlight=False)
    partial = f" ({found.partial} without all of their arguments)" if found.partial else ""
    console.print(
        f"{found.asked} questions{partial}: {found.same} the same, [red]{found.of('laxer')} laxer[/],"
        f" [yellow]{found.of('stricter')} stricter[/], {found.of('other reasons')} for other reasons",
        highlight=False,
    )


def _why(flip: Flip) -> str:
    return (
        " ".join([*(f"-{code}" for code in flip.gone), *(f"+{code}" for code in flip.new)])
        or "number of signatures"
    )
