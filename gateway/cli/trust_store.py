"""``countersign trust-store``: carry from one gateway to another whose word on origins counts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
import yaml
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.cli.common import config_option, json_option, settings_of
from gateway.outcome.view import visible
from gateway.trust_store import MAX_BYTES, Item, additions, compared, document_of, exported, read_store


@click.group("trust-store")
def trust_store() -> None:
    """Trusted issuers and providers' public keys: out of the settings, and into those of another gateway."""


@trust_store.command("export")
@config_option
def export(config: Path | None) -> None:
    """Print what is trusted here as JSON. Public keys only: no secret, no file of this machine."""
    store, left = exported(settings_of(config).etdi)
    for said in left:
        click.echo(visible(said), err=True)
    click.echo(msgspec.json.format(msgspec.json.encode(document_of(store))).decode())


@trust_store.command("import")
@config_option
@click.argument("file", type=click.File("rb"))
@json_option
def import_(config: Path | None, file: BinaryIO, as_json: bool) -> None:  # noqa: FBT001 - click
    """Check FILE (- for standard input), and print what is new of it as lines for the settings.

    Nothing is trusted yet: compare the fingerprints with their owners, then put the lines into the section etdi.
    Exit 2: it cannot be used, or an entry differs from the one of the same name here.
    """
    settings = settings_of(config).etdi
    store = read_store(file.read(MAX_BYTES + 1))
    items, new = compared(store, settings), additions(store, settings)
    if as_json:
        click.echo(msgspec.json.encode({"entries": items, "additions": new}).decode())
        return
    # The lines go to standard output alone, so that they can be redirected.
    if items:
        Console(file=sys.stderr).print(_table(items))
    if any(new.values()):
        section = {name: entries for name, entries in new.items() if entries}
        # In ASCII: a name of the sender's must not change how the lines look that a person takes over.
        click.echo(yaml.safe_dump({"etdi": section}, sort_keys=False).rstrip())
    else:
        click.echo("all of it is trusted here already" if items else "it holds nothing", err=True)


def _table(items: tuple[Item, ...]) -> Table:
    table = Table("entry", "name", "speaks for", "fingerprint", "", box=box.SIMPLE_HEAD)
    for one in items:
        names = escape(visible(", ".join(one.speaks_for)))
        table.add_row(one.kind, escape(visible(one.name)), names, one.fingerprint or "", one.standing)
    return table
