"""``countersign policy shadow``: what a candidate policy would have answered to live traffic, so far."""

from __future__ import annotations

import time
from pathlib import Path

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.cli.common import DEFAULT_CONFIG, json_option, settings_of, terminal
from gateway.outcome.view import visible
from gateway.settings.shadow import ShadowSettings
from gateway.shadow.comparing import DIRECTIONS
from gateway.shadow.report import Report, Sample, read_report

MAX_SHOWN = 40
"""Lines of a table on a terminal; --json has all of them."""
_COLOURS = {"watching": "green", "held": "red", "refused": "red"}


@click.command("shadow")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that the gateway writes. Default: the settings' `shadow.report`.",
)
@click.option(
    "--max-rate",
    type=click.FloatRange(0, 1),
    help="Exit 1 above this share of differing answers, 0 to 1. Default: the settings' `shadow.hold_above`.",
)
@json_option
@click.pass_context
def shadow_command(
    context: click.Context,
    report: Path | None,
    max_rate: float | None,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """What the candidate would have answered to live traffic. Nothing is asked, nothing is carried out.

    Exit 0: it may be taken further; 1: it is held or was refused, it differs too often, or nothing was asked yet.
    """
    path = report if report is not None else _path(context)
    found = _read(path)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        _say(found)
    limit = found.hold_above if max_rate is None else max_rate
    if found.state != "watching" or found.rate > limit:
        raise click.exceptions.Exit(1)
    if found.asked == 0:
        raise click.ClickException("the candidate was asked nothing yet")


def _path(context: click.Context) -> Path:
    """As the settings say; without settings where they would say."""
    config = context.parent.params.get("config") if context.parent is not None else None
    if config is not None or DEFAULT_CONFIG.exists():
        return Path(settings_of(config).shadow.report)
    return Path(ShadowSettings().report)


def _read(path: Path) -> Report:
    try:
        return read_report(path)
    except FileNotFoundError:
        raise click.ClickException(
            f"{path}: there is no report; set `shadow.path` or `shadow.opa_url` and let the gateway serve"
        ) from None
    except OSError as problem:
        raise click.ClickException(f"{path}: {problem.strerror}") from None
    except ValueError as problem:
        raise click.ClickException(f"{path}: is no report of the shadow ({problem})") from None


def _say(found: Report) -> None:
    console = terminal()
    revision = escape(visible(found.candidate[:12] or "unknown"))
    console.print(
        f"candidate {revision}: [{_COLOURS[found.state]}]{found.state}[/],"
        f" {time.time() - found.updated:.0f} s ago, beside {escape(visible(found.live[:12] or 'unknown'))}",
        highlight=False,
    )
    if found.error is not None:
        console.print(escape(visible(found.error)), highlight=False, soft_wrap=True)
    if found.held is not None:
        console.print(
            f"held since {time.strftime('%Y-%m-%d %H:%M', time.gmtime(found.held.at))}Z: {found.held.diverged} of"
            f" {found.held.asked} answers differed. Another candidate ends the hold.",
            highlight=False,
            soft_wrap=True,
        )
    if any(row.diverged for row in found.rows):
        console.print(_rows(found))
        console.print(_samples(found.samples))
    lost = f", [yellow]{found.lost} left out for want of room[/]" if found.lost else ""
    every = "" if found.sample == 1 else f" (one of {found.sample})"
    console.print(
        f"{found.asked} questions{every}: {found.diverged} answered differently, {found.rate:.2%}{lost}",
        highlight=False,
    )


def _rows(found: Report) -> Table:
    table = Table("server", "tool", "class", "asked", *DIRECTIONS, box=box.SIMPLE_HEAD)
    for row in [one for one in found.rows if one.diverged][:MAX_SHOWN]:
        table.add_row(
            escape(visible(row.server)),
            escape(visible(row.tool)),
            "" if row.data_class is None else str(row.data_class),
            str(row.asked),
            *(str(row.diverged.get(direction, "")) for direction in DIRECTIONS),
        )
    return table


def _samples(samples: tuple[Sample, ...]) -> Table:
    table = Table("", "tool", "is", "would be", "why", "for example", box=box.SIMPLE_HEAD)
    for one in sorted(samples, key=lambda one: DIRECTIONS.index(one.direction))[:MAX_SHOWN]:
        gone = sorted(set(one.before.codes) - set(one.after.codes))
        new = sorted(set(one.after.codes) - set(one.before.codes))
        call = one.question.get("call")
        table.add_row(
            one.direction,
            escape(visible(one.tool)),
            one.before.outcome,
            escape(visible(one.after.outcome)),
            escape(visible(" ".join([*(f"-{code}" for code in gone), *(f"+{code}" for code in new)]))),
            escape(visible(str(call.get("id")) if isinstance(call, dict) else "")),
        )
    return table
