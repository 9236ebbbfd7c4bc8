"""``countersign audit``: is the record whole?"""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from gateway.audit.keys import new_key, read_public_key
from gateway.audit.verification import Verification
from gateway.audit.verify import verify_file
from gateway.cli.common import json_option
from gateway.outcome.view import visible


@click.group()
def audit() -> None:
    """Check and read the audit."""


@audit.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Public key (PEM) of the checkpoints.",
)
@json_option
def verify(paths: tuple[Path, ...], key: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """Find any edit, reordering, gap, duplicate or truncation. Exit 0: whole; 1: not; 2: unreadable."""
    try:
        public = read_public_key(key.read_bytes()) if key is not None else None
    except ValueError as problem:
        raise click.UsageError(f"--key: {problem}") from None
    found = {str(path): verify_file(path, public) for path in paths}
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        for name, one in found.items():
            _say(name, one)
    if not all(one.ok for one in found.values()):
        raise click.exceptions.Exit(1)


def _say(name: str, one: Verification) -> None:
    """Whoever changed the file wrote what is quoted of it: no verdict may be written over, by the line after it."""
    verdict = "whole" if one.ok else "NOT WHOLE"
    click.echo(f"{name}: {verdict}, {one.records} records, {one.checkpoints} checkpoints, head {one.head}")
    if one.covered:
        click.echo(f"  signed up to line {one.covered} of {one.lines}")
    for problem in one.problems:
        click.echo(f"  {visible(str(problem))}")
    for note in one.notes:
        click.echo(f"  note: {visible(str(note))}")
    if one.open_calls:
        click.echo(f"  went upstream and have no end recorded: {visible(', '.join(one.open_calls))}")


@audit.command()
@click.argument("path", type=click.Path(path_type=Path))
def keygen(path: Path) -> None:
    """Make the key that signs checkpoints: PATH (0600, for audit.signing_key) and PATH.pub."""
    private, public = new_key()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(private)
    except FileExistsError:
        raise click.UsageError(f"{path} exists; a key is never overwritten") from None
    path.with_name(path.name + ".pub").write_bytes(public)
    click.echo(f"{path}\n{path}.pub")
