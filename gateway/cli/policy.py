"""``countersign policy``: for whoever writes the rules: test, check, explain, document, begin, watch."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.cli.common import DEFAULT_CONFIG, json_option, settings_of, terminal
from gateway.cli.cookbook import add_command
from gateway.cli.explain import explain_command
from gateway.cli.replay import diff_command, replay_command
from gateway.cli.shadow import shadow_command
from gateway.outcome.view import visible
from gateway.parts import policy_folder_of
from gateway.places import policies_folder
from gateway.policy.engine import PolicyRefused
from gateway.policy.loading import load_policy
from gateway.policy.reload import INTERVAL_S
from gateway.workbench.finding import Finding
from gateway.workbench.gates import Tested, checked, unit_tests
from gateway.workbench.lint_codes import lint_codes
from gateway.workbench.lint_data import lint_data
from gateway.workbench.pack import read_pack
from gateway.workbench.paypal import PAYPAL
from gateway.workbench.programs import Layout, Programs
from gateway.workbench.reference import reference
from gateway.workbench.scaffold import scaffold, write

HERE = Path("policies") / "gateway"


@click.group()
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="COUNTERSIGN_CONFIG",
    help="Settings file (YAML) that says which policy. Default: countersign.yaml here, else policies/gateway.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The policy's folder instead.",
)
@click.pass_context
def policy(context: click.Context, config: Path | None, folder: Path | None) -> None:
    """The rules: test them, check them, ask them why."""
    context.obj = folder if folder is not None else _folder(config)


policy.add_command(add_command)
policy.add_command(explain_command)
policy.add_command(replay_command)
policy.add_command(diff_command)
policy.add_command(shadow_command)


def _folder(config: Path | None) -> Path:
    """The settings' policy; without settings the one that lies here, or the one that ships."""
    if config is not None or DEFAULT_CONFIG.exists():
        return policy_folder_of(settings_of(config))
    return HERE if HERE.is_dir() else policies_folder()


@policy.command()
@json_option
@click.pass_obj
def test(folder: Path, as_json: bool) -> None:  # noqa: FBT001 - click
    """Run the tests beside the rules, with coverage. Exit 0: all passed and every line was reached; 1: not."""
    done = _tested(_layout(folder))
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
    else:
        _say_tested(done)
    if done.failed or done.uncovered:
        raise click.exceptions.Exit(1)


@policy.command()
@json_option
@click.pass_obj
def check(folder: Path, as_json: bool) -> None:  # noqa: FBT001 - click
    """Look for everything that is wrong before it is live. Exit 0: nothing that must not go live; 1: something."""
    layout, programs = _layout(folder), _programs()
    pack = read_pack(folder)
    found = [
        *lint_data(pack, _schemas(layout), {"paypal": PAYPAL}, now=time.time()),
        *lint_codes(pack),
        *checked(layout, programs),
    ]
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        _say_found(found, programs)
    if any(one.severity == "error" for one in found):
        raise click.exceptions.Exit(1)


@policy.command()
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it there.")
@click.pass_obj
def docs(folder: Path, output: Path | None) -> None:
    """The policy's reference as Markdown: every reason, what helps, and which rule says it."""
    text = reference(read_pack(folder))
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
        click.echo(f"{output}: written")


@policy.command()
@click.argument("code")
@click.option(
    "--when", "condition", default="false # the condition", show_default=True, help="The rule's body."
)
@click.option(
    "--outcome",
    type=click.Choice(["deny", "confirm"]),
    default="deny",
    show_default=True,
    help="What it asks for.",
)
@click.option("--title", help="What the rule is called. Default: the code in words.")
@click.option("--message", help="What the caller is told.")
@click.option("--remedy", default="Ask the operator of this gateway.", show_default=True, help="What helps.")
@click.option("--dry-run", is_flag=True, help="Print what would be added, change nothing.")
@click.pass_obj
def new(
    folder: Path,
    code: str,
    condition: str,
    outcome: str,
    title: str | None,
    message: str | None,
    remedy: str,
    dry_run: bool,  # noqa: FBT001 - click
) -> None:
    """Begin a rule that says CODE (like arguments.link_in_note): the rule, its texts and a test that fails."""
    words = code.partition(".")[2].replace("_", " ").capitalize()
    edits = scaffold(
        read_pack(folder),
        code,
        outcome=outcome,
        condition=condition,
        title=title or words,
        description=message or words,
        message=message or f"{words}.",
        remedy=remedy,
    )
    if not dry_run:
        write(edits)
    for edit in edits:
        click.echo(f"{'would add to' if dry_run else 'added to'} {edit.path}:")
        click.echo(edit.added.rstrip() + "\n")
    click.echo("now: make the test true, then `countersign policy test` and `countersign policy check`")


@policy.command()
@click.option("--once", is_flag=True, help="Test once and end: the exit code of `test`.")
@click.pass_obj
def watch(folder: Path, once: bool) -> None:  # noqa: FBT001 - click
    """Test again whenever a file is saved, until Ctrl-C. A gateway with the embedded engine reloads by itself."""
    seen: object = None
    while True:
        now = _stamp(folder)
        if now != seen:
            seen = now
            failed = _watched(_layout(folder))
            if once:
                raise click.exceptions.Exit(int(failed))
        time.sleep(INTERVAL_S)


def _watched(layout: Layout) -> bool:
    console = terminal()
    console.print(f"[dim]{time.strftime('%H:%M:%S')}[/]", end=" ", highlight=False)
    try:
        done = _tested(layout)
    except PolicyRefused as refused:
        console.print(f"[red]refused[/] {escape(visible(refused.message))}", highlight=False)
        return True
    _say_tested(done)
    return bool(done.failed or done.uncovered)


def _tested(layout: Layout) -> Tested:
    """With OPA, which alone runs tests in Rego; else the embedded engine's own questions, which is said."""
    opa = _programs().opa
    if opa is not None:
        done = unit_tests(layout, opa)
        if not done.passed and not done.failed:
            raise PolicyRefused(f"{layout.folder}: no test was found, so nothing was tested")
        return done
    load_policy(layout.folder)
    return Tested(engine="embedded", passed=0, failed=())


def _say_tested(done: Tested) -> None:
    console = terminal()
    if done.engine != "opa":
        console.print(
            "[yellow]no opa on this machine[/]: the tests beside the rules did not run. The embedded engine loads the"
            " policy, and it refuses what every policy must refuse.",
            highlight=False,
        )
        return
    for name in done.failed:
        console.print(f"[red]FAILED[/] {escape(visible(name))}", highlight=False)
    for place in done.uncovered:
        console.print(f"[yellow]not reached[/] {escape(visible(place))}", highlight=False)
    reached = "" if done.coverage is None else f", {done.coverage:.1f} % of the lines reached"
    colour = "red" if done.failed else "green"
    console.print(f"[{colour}]{done.passed} passed, {len(done.failed)} failed[/]{reached}", highlight=False)


def _say_found(found: Iterable[Finding], programs: Programs) -> None:
    console = terminal()
    table = Table("", "check", "where", "what", box=box.SIMPLE_HEAD)
    table.add_column("what helps", overflow="fold")
    for one in sorted(found, key=lambda one: (one.severity, one.check, one.where)):
        mark = "[red]error[/]" if one.severity == "error" else "[yellow]warning[/]"
        table.add_row(
            mark, *(escape(visible(text)) for text in (one.check, one.where, one.message, one.remedy))
        )
    if table.row_count:
        console.print(table)
    else:
        console.print("[green]nothing found[/]")
    for name, path in (("opa", programs.opa), ("regal", programs.regal)):
        if path is None:
            console.print(f"[yellow]no {name} on this machine[/]: its checks did not run", highlight=False)


def _layout(folder: Path) -> Layout:
    return Layout(folder=folder, shipped=policies_folder().parent)


def _programs() -> Programs:
    return Programs(opa=shutil.which("opa"), regal=shutil.which("regal"))


def _schemas(layout: Layout) -> dict[str, Any]:
    """Room -> schema of its data file."""
    found = {}
    for path in sorted(layout.schemas.glob("*.json")) if layout.schemas.is_dir() else ():
        found[path.stem] = msgspec.json.decode(path.read_bytes())
    return found


def _stamp(folder: Path) -> list[tuple[str, int, int]]:
    """Changes with every save, of tests as well."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".rego", ".yaml", ".json"}:
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue  # an editor replaces files
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return found
