"""``countersign trust``: how far the origin of each tool is proven, by whom, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.catalog.catalog import Entry
from gateway.cli.common import config_option, json_option, settings_of, terminal
from gateway.etdi.chain import TrustChain, trust_chain
from gateway.outcome.view import visible
from gateway.serving import run
from gateway.settings import Settings
from gateway.shelf import Shelf, open_shelf


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One tool. ``origin`` is what the policy sees, the chain is about its token; ``failure`` says what is wrong."""

    server: str
    name: str
    origin: str
    chain: TrustChain
    failure: Any = None


@click.command()
@config_option
@click.argument("server", required=False)
@click.argument("tool", required=False)
@json_option
def trust(config: Path | None, server: str | None, tool: str | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """How far the origin of the tools behind the gateway is proven: all, those of SERVER, or one TOOL."""
    rows = run(_rows(settings_of(config), server, tool))
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    table = Table(
        "server", "tool", "origin", "provider", "issuer", "chain", "what is wrong", box=box.SIMPLE_HEAD
    )
    for row in rows:
        oauth = row.chain.oauth
        # Names come from the upstream: they must not write on this terminal what they like.
        table.add_row(
            row.server,
            _shown(row.name),
            row.origin,
            _shown(row.chain.provider.id or "") + (" (trusted)" if row.chain.provider.trusted else ""),
            ""
            if oauth is None
            else _shown(oauth.provider) + (" (trusted)" if oauth.provider_trusted else ""),
            row.chain.overall_trust,
            "" if row.failure is None else f"{row.failure.error}. {row.failure.recommended_action}.",
        )
    terminal().print(table)


def _shown(text: str) -> str:
    return escape(visible(text))


async def _rows(settings: Settings, server: str | None, tool: str | None) -> list[Row]:
    async with open_shelf(settings) as shelf:
        names = shelf.catalog.servers()
        if server is not None and server not in names:
            raise click.UsageError(f"there is no server {server!r}; there are: {', '.join(names)}")
        found = [
            (name, entry)
            for name in names
            if server in (None, name)
            for entry in await shelf.catalog.all(name)
            if tool in (None, entry.tool.name)
        ]
        if tool is not None and not found:
            raise click.ClickException(f"{server} lists no tool {tool!r}")
        return [await _row(shelf, name, entry) for name, entry in found]


async def _row(shelf: Shelf, server: str, entry: Entry) -> Row:
    (verdict,) = await shelf.verifier.verify(server, [entry.definition])
    return Row(
        server=server,
        name=entry.tool.name,
        origin=entry.tool.etdi.said,
        chain=trust_chain(entry.definition, verdict, shelf.trust),
        failure=verdict.failure,
    )
