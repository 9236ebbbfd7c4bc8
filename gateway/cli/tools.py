"""``countersign tools``: which definitions are approved, and approving or revoking them from the terminal."""

from __future__ import annotations

import time
from pathlib import Path

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.catalog.catalog import Entry
from gateway.catalog.drift import drift
from gateway.catalog.tool import Etdi
from gateway.cli.common import config_option, json_option, name_of, settings_of, terminal
from gateway.cli.record import record_admin
from gateway.outcome.view import visible
from gateway.parts import Shelf, open_shelf
from gateway.serving import run
from gateway.settings import Settings

MIN_HASH_DIGITS = 12
"""48 bits: enough to name one definition among those a person looks at."""


@click.group()
def tools() -> None:
    """The tools behind the gateway, as they are now, and their approvals."""


@tools.command("list")
@config_option
@click.option("--server", help="Only this server.")
@json_option
def list_(config: Path | None, server: str | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """Every tool with its class, definition hash and approval."""
    found = run(_listed(settings_of(config), server))
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    table = Table("server", "tool", "class", "definition", "origin", "approval", box=box.SIMPLE_HEAD)
    for row in found:
        # A name comes from the upstream: it must not write on this terminal what it likes.
        table.add_row(
            row["server"],
            escape(visible(row["tool"])),
            row["class"],
            row["definition_hash"][:MIN_HASH_DIGITS],
            row["origin"],
            escape(visible(row["approval"])),
        )
    terminal().print(table)


@tools.command()
@config_option
@click.argument("server")
@click.argument("tool", required=False)
@click.option("--by", required=True, callback=name_of, help="Who approves: the name the record will show.")
@click.option("--hash", "expected", help="The definition hash you looked at (or its first 12 digits).")
@click.option("--all", "every", is_flag=True, help="Approve every tool of SERVER as it is right now.")
def approve(
    config: Path | None,
    server: str,
    tool: str | None,
    by: str,
    expected: str | None,
    every: bool,  # noqa: FBT001 - click
) -> None:
    """Approve the definition of TOOL that is live now, if it is the one you looked at."""
    settings = settings_of(config)
    if every:
        if tool is not None or expected is not None:
            raise click.UsageError("--all goes without TOOL and --hash")
        click.echo(f"{server}: {run(_approve_all(settings, server, by=by))} tools approved as they are")
        return
    if tool is None or expected is None or len(expected) < MIN_HASH_DIGITS:
        raise click.UsageError(f"name TOOL and --hash with at least {MIN_HASH_DIGITS} digits (or --all)")
    run(_approve(settings, server, tool, by=by, expected=expected.lower()))
    click.echo(f"{server} {tool}: approved")


@tools.command()
@config_option
@click.argument("server")
@click.argument("tool")
@click.option("--by", required=True, callback=name_of, help="Who revokes: the name the record will show.")
def revoke(config: Path | None, server: str, tool: str, by: str) -> None:
    """Revoke a tool's approval: its next call is refused."""
    if run(_revoke(settings_of(config), server, tool, by=by)):
        click.echo(f"{server} {tool}: revoked")
    else:
        click.echo(f"{server} {tool}: there was no approval", err=True)
        raise click.exceptions.Exit(1)


async def _listed(settings: Settings, only: str | None) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    async with open_shelf(settings) as shelf:
        if only is not None and only not in shelf.catalog.servers():
            raise click.UsageError(
                f"there is no server {only!r}; there are: {', '.join(shelf.catalog.servers())}"
            )
        for server in shelf.catalog.servers():
            if only is not None and server != only:
                continue
            for entry in await shelf.catalog.all(server):
                data_class = shelf.classes.of(server, entry.tool.name)
                rows.append(
                    {
                        "server": server,
                        "tool": entry.tool.name,
                        "class": str(data_class) if data_class else "none",
                        "definition_hash": entry.tool.definition_hash,
                        "origin": origin_of(entry.tool.etdi),
                        "approval": _approval(entry),
                    }
                )
    return rows


def origin_of(etdi: Etdi) -> str:
    """How far the origin is proven, and by what or why not; all of them words of ours."""
    return ": ".join(word for word in (etdi.status.value, etdi.evidence, etdi.error) if word)


def _approval(entry: Entry) -> str:
    if entry.approval is None:
        return "not approved"
    drifted = drift(entry.tool, entry.approval, now=time.time())
    return f"by {entry.approval.by}" if drifted is None else drifted.value


async def _approve(settings: Settings, server: str, tool: str, *, by: str, expected: str) -> None:
    async with open_shelf(settings) as shelf:
        entry = await shelf.catalog.current(server, tool, sensitive=True)
        live = entry.tool.definition_hash
        if not live.startswith(expected):
            raise click.ClickException(
                f"the live definition is {live[:MIN_HASH_DIGITS]}…, not {expected[:MIN_HASH_DIGITS]}…: look again"
            )
        await _approved(shelf, settings, server, entry, by=by)


async def _approved(shelf: Shelf, settings: Settings, server: str, entry: Entry, *, by: str) -> None:
    await record_admin(
        settings,
        by=by,
        code="admin.approve_tool",
        server=server,
        tool=entry.tool.name,
        definition_hash=entry.tool.definition_hash,
    )
    await shelf.approvals.approve(server, entry.definition, by=by, expires=None)


async def _approve_all(settings: Settings, server: str, *, by: str) -> int:
    async with open_shelf(settings) as shelf:
        entries = await shelf.catalog.all(server)
        for entry in entries:
            await _approved(shelf, settings, server, entry, by=by)
    return len(entries)


async def _revoke(settings: Settings, server: str, tool: str, *, by: str) -> bool:
    async with open_shelf(settings) as shelf:
        approval = await shelf.approvals.of(server, tool)
        if approval is None:
            return False
        await record_admin(
            settings,
            by=by,
            code="admin.revoke_tool",
            server=server,
            tool=tool,
            definition_hash=approval.definition_hash,
        )
        return await shelf.approvals.revoke(server, tool, by=by) is not None
