"""The demo's table: colour on a terminal, plain text in a pipe."""

from __future__ import annotations

from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.demo.agent import Ending
from gateway.demo.story import Step

HEADINGS = ("step", "call", "class", "tier", "outcome", "reasons", "what PayPal saw")
NARROW_HEADINGS = ("step, call, class, tier", "outcome, reasons", "what PayPal saw")
WIDE_COLUMNS = 120
"""Characters that the seven columns need side by side."""
_COLOUR = {"executed": "green", "refused": "red", "waiting": "yellow"}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One played step. ``records`` are the audit's closing records of its calls, in order."""

    step: Step
    ending: Ending
    records: tuple[dict[str, Any], ...]
    effects: tuple[str, ...]
    reads: tuple[str, ...] = ()

    @property
    def as_promised(self) -> bool:
        """Whether what happened is what must happen."""
        return self.ending.status == self.step.expect and len(self.effects) == self.step.effects


def plain(rows: list[Row]) -> list[dict[str, Any]]:
    """The table for a script (``--json``)."""
    return [
        {
            "step": row.step.title,
            "tool": row.step.tool,
            "data_class": _last(row, "data_class"),
            "tier": _last(row, "tier"),
            "rounds": list(row.ending.rounds),
            "status": row.ending.status,
            "reasons": _reasons(row),
            "paypal": list(row.effects),
            "as_promised": row.as_promised,
        }
        for row in rows
    ]


def print_table(console: Console, rows: list[Row]) -> None:
    """One row per step; on a narrow terminal three columns of several lines, since seven would break every word."""
    wide = console.width >= WIDE_COLUMNS
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else box.MARKDOWN, show_lines=not wide)
    for heading in HEADINGS if wide else NARROW_HEADINGS:
        table.add_column(heading, overflow="fold", no_wrap=heading == "class")
    for row in rows:
        table.add_row(*(_cells(row) if wide else _narrow(*_cells(row))))
    console.print(table)


def _narrow(
    step: str, call: str, data_class: str, tier: str, outcome: Text, reasons: str, paypal: Text
) -> tuple[str | Text, ...]:
    return (
        Text(step, style="bold") + Text(f"\n{call}\nclass {data_class}, {tier}", style="not bold"),
        outcome + Text(f"\n{reasons}"),
        paypal,
    )


def _cells(row: Row) -> tuple[str, str, str, str, Text, str, Text]:
    """What stands under the headings."""
    rounds = Text(" → ").join(
        Text(one.replace("_required", ""), style=_COLOUR.get(one, "yellow")) for one in row.ending.rounds
    )
    mark = Text("") if row.as_promised else Text("  NOT AS PROMISED", style="bold white on red")
    return (
        row.step.title,
        row.step.tool,
        str(_last(row, "data_class") or "none"),
        str(_last(row, "tier") or "—"),
        rounds + mark,
        "\n".join(_reasons(row)),
        _paypal(row),
    )


def _paypal(row: Row) -> Text:
    if row.effects:
        return Text("\n".join(row.effects))
    if row.reads and row.ending.rounds[-1] == "refused":
        return Text("only look-ups: who gets the money, and how much is left", style="dim")
    return Text("\n".join(row.reads) or "nothing", style="dim")


def _reasons(row: Row) -> list[str]:
    """The reason codes of the final answer: as told to the agent, else as the audit has them."""
    if row.ending.codes:
        return list(row.ending.codes)
    return [str(code) for code in _last(row, "reasons") or ()]


def _last(row: Row, member: str) -> Any:
    return next((one[member] for one in reversed(row.records) if one.get(member)), None)
