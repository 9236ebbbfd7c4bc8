"""``countersign policy explain``: one question, who said what about it, and what would have to be different."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.cli.common import json_option, terminal
from gateway.outcome.view import visible
from gateway.policy.decision import Outcome
from gateway.policy.embedded import Embedded
from gateway.serving import run
from gateway.workbench.explain import Difference, Explanation, explain
from gateway.workbench.pack import read_pack
from gateway.workbench.paypal import PAYPAL
from gateway.workbench.questions import completed

_COLOURS = {
    Outcome.DENY: "red",
    Outcome.HANDSHAKE: "yellow",
    Outcome.CONFIRM: "yellow",
    Outcome.ALLOW: "green",
}


@click.command("explain")
@click.argument("question", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--tool", help="Ask about this tool instead of a QUESTION file.")
@click.option("--arguments", default="{}", show_default=True, help="Its arguments, as JSON.")
@click.option("--role", "roles", multiple=True, help="A role of the caller; may be repeated.")
@click.option("--production", is_flag=True, help="Ask as if this were production.")
@json_option
@click.pass_obj
def explain_command(
    folder: Path,
    question: Path | None,
    tool: str | None,
    arguments: str,
    roles: tuple[str, ...],
    production: bool,  # noqa: FBT001 - click
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Ask the policy one QUESTION (a JSON file, - for standard input) and say why it answers so.

    A question may be whole, or only what matters: what is missing is filled in as for an approved tool of a caller with
    the right role. Exit 0: allowed; 1: not.

    \b
    countersign policy explain --tool create_refund --arguments '{"capture_id": "2GG279541U471931P"}'
    """
    written = _written(question, tool, arguments)
    if roles:
        written["caller"] = {**written.get("caller", {}), "roles": list(roles)}
    if production:
        written["env"] = {**written.get("env", {}), "paypal": "production"}
    told = run(_explained(folder, written))
    if as_json:
        click.echo(msgspec.json.encode(told).decode())
    else:
        _say(told)
    if told.outcome is not Outcome.ALLOW:
        raise click.exceptions.Exit(1)


async def _explained(folder: Path, written: dict[str, Any]) -> Explanation:
    pack = read_pack(folder)
    try:
        whole = completed(written, pack.data, {"paypal": PAYPAL})
    except ValueError as problem:
        raise click.UsageError(str(problem)) from None
    engine = await Embedded.load(folder, deadline_s=10.0)
    try:
        return await explain(whole, engine, pack)
    finally:
        await engine.aclose()


def _written(question: Path | None, tool: str | None, arguments: str) -> dict[str, Any]:
    if (question is None) == (tool is None):
        raise click.UsageError("name a QUESTION file (- for standard input), or --tool")
    if tool is not None:
        return {"tool": {"name": tool}, "arguments": _object(arguments, "--arguments")}
    assert question is not None
    text = sys.stdin.read() if str(question) == "-" else question.read_text(encoding="utf-8")
    return _object(text, str(question))


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise click.UsageError(f"{where}: no JSON object: {problem}") from None


def _say(told: Explanation) -> None:
    console = terminal()
    colour = _COLOURS[told.outcome]
    console.print(
        f"[bold {colour}]{told.outcome.value}[/]  {escape(_about(told))}", highlight=False, soft_wrap=True
    )
    table = Table("", "code", "asks for", "says", "rule", box=box.SIMPLE_HEAD)
    for reason in told.reasons:
        table.add_row(
            "[bold]>[/]" if reason.decides else "",
            escape(reason.code),
            f"[{_COLOURS[reason.outcome]}]{reason.outcome.value}[/]",
            escape(visible(reason.message)),
            escape(visible(", ".join(reason.at))),
        )
    console.print(table)
    deciding = {visible(reason.remedy) for reason in told.reasons if reason.decides}
    for remedy in sorted(deciding if told.outcome is not Outcome.ALLOW else ()):
        console.print(f"[bold]what helps[/] {escape(remedy)}", highlight=False, soft_wrap=True)
    if told.would_be is not None:
        console.print(
            f"[yellow]softened[/] by the phase {told.phase}: it would be {told.would_be.value}",
            highlight=False,
        )
    for difference in told.alone:
        console.print(f"[dim]if[/] {_said(difference)}", highlight=False, soft_wrap=True)
    if told.path is not None:
        console.print(
            f"[green]allowed if[/] {escape('; and '.join(told.path.changed))}",
            highlight=False,
            soft_wrap=True,
        )
    elif told.outcome is not Outcome.ALLOW:
        console.print("[red]nothing that was tried leads to allow[/]", highlight=False, soft_wrap=True)
    console.print(
        f"[dim]policy {told.revision[:12]}, {told.engine} engine[/]", highlight=False, soft_wrap=True
    )


def _about(told: Explanation) -> str:
    parts = [
        f"class {told.data_class}" if told.data_class else "no class",
        f"tier {told.tier}" if told.tier else "no tier",
        *((f"phase {told.phase}",) if told.phase else ()),
    ]
    confirm = told.obligations.confirm
    if confirm is not None:
        parts.append(f"confirmed by {' or '.join(confirm.by)}, {confirm.quorum} of them")
    return ", ".join(parts)


def _said(difference: Difference) -> str:
    gone = f" (without {', '.join(difference.gone)})" if difference.gone else ""
    return escape(f"{'; and '.join(difference.changed)}: {difference.outcome.value}{gone}")
