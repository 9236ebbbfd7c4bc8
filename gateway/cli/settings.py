"""``countersign settings``: every setting, its variable, its default. The README's table is this table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import msgspec
from rich import box
from rich.table import Table

from gateway.cli.common import json_option, terminal
from gateway.settings import Settings
from gateway.settings.environment import ALIASES, FILE_ONLY, PREFIX, SECTIONS


class Row(msgspec.Struct, frozen=True):
    """One setting."""

    key: str
    variable: str
    default: str


def rows() -> Iterator[Row]:
    """All settings that a variable can set, in order. Where the source documents have a name, that name."""
    other = {place: name for name, place in ALIASES.items()}
    for field in msgspec.structs.fields(Settings):
        if field.name in SECTIONS:
            for inner in msgspec.structs.fields(SECTIONS[field.name]):
                if (field.name, inner.name) in FILE_ONLY:
                    continue
                variable = f"{PREFIX}{field.name}_{inner.name}".upper()
                variable = other.get((field.name, inner.name), variable)
                yield Row(f"{field.name}.{inner.name}", variable, _shown(inner.default))
        elif isinstance(field.default, str):
            yield Row(field.name, f"{PREFIX}{field.name}".upper(), _shown(field.default))


def markdown_table() -> str:
    """The table of the README, between its markers."""
    lines = ["| setting | variable | default |", "|---|---|---|"]
    for row in rows():
        default = f"`{row.default}`" if row.default else ""
        lines.append(f"| `{row.key}` | `{row.variable}` | {default} |")
    return "\n".join(lines)


def _shown(default: Any) -> str:
    """A default as one would write it into the file."""
    if default in (None, (), msgspec.NODEFAULT):
        return ""
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return f"{default:g}" if isinstance(default, float) else str(default)


@click.command()
@json_option
@click.option("--markdown", is_flag=True, help="Print the table of the README.")
def settings(as_json: bool, markdown: bool) -> None:  # noqa: FBT001 - click
    """List every setting with its environment variable and default."""
    if as_json:
        click.echo(msgspec.json.encode(list(rows())).decode())
        return
    if markdown:
        click.echo(markdown_table())
        return
    table = Table("setting", "variable", "default", box=box.SIMPLE_HEAD)
    for row in rows():
        table.add_row(row.key, row.variable, row.default)
    terminal().print(table)
    click.echo(
        "File only: upstreams.<name>.{preset,url,bearer,oauth,timeout_s,max_connections,max_concurrency,max_queue,"
        "command,env,cwd}, identity.tokens,\n"
        "identity.issuers, identity.scopes_supported, identity.dpop.{algorithms,required,nonce_secret},\n"
        "etdi.{issuers,provider_keys,retry,degradation},\n"
        "confirm.agents.<name>.{kind,url,secret,api_key,model,timeout_s}, confirm.notify.{url,secret,timeout_s}.\n"
        "Any variable NAME can be given as NAME_FILE: the value is then read from that file."
    )
