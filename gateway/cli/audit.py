"""``countersign audit``: is the record whole?"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from gateway.audit.keys import read_public_key
from gateway.audit.verify import verify_file
from gateway.cli.common import json_option


@click.group()
def audit() -> None:
    """Check and read the audit."""


@audit.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--key", type=click.Path(path_type=Path, exists=True), help="Public key (PEM) of the checkpoints."
)
@json_option
def verify(paths: tuple[Path, ...], key: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """Find any edit, reordering, gap, duplicate or truncation. Exit 0: whole; 1: not; 2: unreadable."""
    public = read_public_key(key.read_bytes()) if key is not None else None
    found = {str(path): verify_file(path, public_key=public) for path in paths}
    if as_json:
        click.echo(
            msgspec.json.encode({name: msgspec.to_builtins(one) for name, one in found.items()}).decode()
        )
    else:
        for name, one in found.items():
            click.echo(
                f"{name}: {'whole' if one.ok else 'NOT WHOLE'}, {one.records} records, "
                f"{one.checkpoints} checkpoints, head {one.head or 'none'}"
            )
            for problem in one.problems:
                click.echo(f"  {problem}")
    if not all(one.ok for one in found.values()):
        raise click.exceptions.Exit(1)
