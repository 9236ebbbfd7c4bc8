"""``countersign budgets``: what is spent, reserved and left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.budget.entries import load_budgets
from gateway.budget.report import Row, rows_of
from gateway.cli.common import config_option, json_option, settings_of, terminal
from gateway.outcome.view import visible
from gateway.parts import policy_folder_of
from gateway.serving import run
from gateway.settings import Settings
from gateway.state.ledger import Standing
from gateway.state.open import open_store
from gateway.state.store import MAX_ENTRIES

_SPANS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@click.command()
@config_option
@json_option
def budgets(config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """What every budget stands at: spent (sent, and not known to be without effect), reserved (waiting), and left.

    Limits are those of policies/gateway/budgets/data.yaml here; what an OPA elsewhere has may differ.
    """
    settings = settings_of(config)
    rows = rows_of(load_budgets(policy_folder_of(settings)), run(_accounts(settings)))
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
    elif rows:
        terminal().print(_table(rows))
    else:
        click.echo(
            "There are no budgets: policies/gateway/budgets/data.yaml is empty, and nothing is counted."
        )


async def _accounts(settings: Settings) -> list[tuple[str, Standing]]:
    store = open_store(settings.state.url)
    try:
        found = page = await store.accounts(limit=MAX_ENTRIES)
        while len(page) == MAX_ENTRIES:
            page = await store.accounts(limit=MAX_ENTRIES, after=page[-1][0])
            found += page
        return found
    finally:
        await store.aclose()


def _table(rows: Sequence[Row]) -> Table:
    table = Table("budget", "of", "window", "spent", "reserved", "left", "limit", box=box.SIMPLE_HEAD)
    for column in table.columns[3:]:
        column.justify = "right"
    for row in rows:
        parts = [row.caller, row.tool, row.payee]
        # Names come from the wire: they must not write on this terminal what they like.
        whose = ", ".join(visible(part) for part in parts if part is not None)
        table.add_row(
            escape(row.budget),
            escape(whose or "all"),
            _span(row.window_seconds),
            row.spent,
            row.reserved,
            "-" if row.left is None else row.left,
            f"{row.limit or 'not in the policy'} {row.currency}",
        )
    return table


def _span(seconds: int | None) -> str:
    """86400 -> ``1 d``: the largest unit that it is a whole number of."""
    if seconds is None:
        return "-"
    size, unit = next((size, unit) for size, unit in _SPANS if seconds % size == 0)
    return f"{seconds // size} {unit}"
