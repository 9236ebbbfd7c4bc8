"""``countersign tools request``: somebody wants a tool approved, and says why."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.approving.book import ApprovalBook
from gateway.approving.deciding import Deciding
from gateway.approving.words import told
from gateway.catalog.approval_record import Actor
from gateway.cli.common import config_option, name_of, settings_of
from gateway.cli.record import TERMINAL_ISSUER
from gateway.cli.tools import tools
from gateway.parts import (
    open_audit,
)
from gateway.serving import run
from gateway.settings import Settings
from gateway.shelf import open_shelf


@tools.command()
@config_option
@click.argument("server")
@click.argument("tool")
@click.option("--by", required=True, callback=name_of, help="Who asks: the name the record will show.")
@click.option("--why", required=True, callback=name_of, help="Why; whoever decides reads it.")
def request(config: Path | None, server: str, tool: str, by: str, why: str) -> None:
    """Ask for the approval of TOOL as it is now. Nothing is approved by it."""
    run(_requested(settings_of(config), server, tool, by=by, why=why))
    click.echo(f"{server} {tool}: asked for")


async def _requested(settings: Settings, server: str, tool: str, *, by: str, why: str) -> None:
    async with open_shelf(settings) as shelf, open_audit(settings) as audit:
        deciding = Deciding(shelf.catalog, shelf.approvals, ApprovalBook(audit), told=told, now=shelf.now)
        actor = Actor(name=by, issuer=TERMINAL_ISSUER, via="cli")
        await deciding.request(actor, server, tool, why=why)
