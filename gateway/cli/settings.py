"""``countersign settings``: every setting, its variable, its default. The README's table is this table."""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec
from rich import box
from rich.table import Table

from gateway.cli.common import json_option, terminal
from gateway.settings.sources import ALIASES, PREFIX, SECTIONS


class Row(msgspec.Struct, frozen=True):
    """One setting."""

    key: str
    variable: str
    default: str


def rows() -> Iterator[Row]:
    """All settings that a variable can set, in order."""
    other = {".".join(place): name for name, place in ALIASES.items()}
    yield Row("listen", f"{PREFIX}LISTEN", "127.0.0.1:3000")
    yield Row("public_url", f"{PREFIX}PUBLIC_URL", "http://127.0.0.1:3000")
    for section, kind in SECTIONS.items():
        for field in msgspec.structs.fields(kind):
            key = f"{section}.{field.name}"
            default = field.default
            shown = "" if default is None or default is msgspec.NODEFAULT else str(default)
            if default == ():
                shown = ""
            yield Row(key, other.get(key, f"{PREFIX}{section}_{field.name}".upper()), shown)


@click.command()
@json_option
def settings(as_json: bool) -> None:  # noqa: FBT001 - click
    """List every setting with its environment variable and default."""
    listed = list(rows())
    if as_json:
        click.echo(msgspec.json.encode(listed).decode())
        return
    table = Table("setting", "variable", "default", box=box.SIMPLE_HEAD)
    for row in listed:
        table.add_row(row.key, row.variable, row.default)
    terminal().print(table)
    click.echo(
        "Lists (file only): upstreams.<name>.{url,bearer,timeout_s,max_connections}, identity.tokens, "
        "identity.issuers.\nAny variable NAME can be given as NAME_FILE: the value is then read from that file."
    )
