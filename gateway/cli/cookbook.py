"""``countersign policy add``: a recipe of the cookbook, copied into the rules of the place."""

from __future__ import annotations

from pathlib import Path

import click
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.cli.common import terminal
from gateway.outcome.view import visible
from gateway.places import policies_folder
from gateway.policy.engine import PolicyRefused
from gateway.workbench.cookbook import Recipe, adding, recipes
from gateway.workbench.pack import read_pack
from gateway.workbench.scaffold import write


@click.command("add")
@click.argument("name", metavar="[RECIPE]", required=False)
@click.option("--dry-run", is_flag=True, help="Print what would be added, change nothing.")
@click.pass_obj
def add_command(folder: Path, name: str | None, dry_run: bool) -> None:  # noqa: FBT001 - click
    """Copy RECIPE of the cookbook into the site's rules; without a name, list what there is. Overwrites nothing."""
    known = recipes(policies_folder().parent / "cookbook")
    if name is None:
        _listed(known)
        return
    recipe = next((one for one in known if one.name == name), None)
    if recipe is None:
        raise PolicyRefused(f"there is no recipe {name!r}; `countersign policy add` lists them")
    edits = adding(recipe, read_pack(folder))
    if not dry_run:
        write(edits)
    for edit in edits:
        click.echo(f"{'would add to' if dry_run else 'added to'} {edit.path}")
        if dry_run:
            click.echo(edit.added.rstrip() + "\n")
    click.echo(
        "now: set what stands below `What you change`, then `countersign policy test` and `countersign policy check`"
    )


def _listed(known: list[Recipe]) -> None:
    table = Table("recipe", "what it is for", box=box.SIMPLE_HEAD)
    for one in known:
        table.add_row(escape(visible(one.name)), escape(visible(one.title)))
    terminal().print(table)
