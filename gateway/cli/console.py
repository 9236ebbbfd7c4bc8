"""``countersign console``: a way in for the person who countersigns."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.common import config_option, name_of, settings_of
from gateway.cli.record import record_admin
from gateway.console.login import mint_login
from gateway.serving import run
from gateway.settings import Settings
from gateway.state.open import open_store


@click.group()
def console() -> None:
    """The web console, where people decide what waits."""


@console.command()
@config_option
@click.option(
    "--subject", required=True, callback=name_of, help="Who the link is for: the name the audit will show."
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=("approver",),
    show_default=True,
    callback=name_of,
    help="approver, operator, auditor. Repeatable.",
)
def link(config: Path | None, subject: str, roles: tuple[str, ...]) -> None:
    """Print a one-time login link, good for ten minutes. Whoever has it, is that person: hand it over safely."""
    click.echo(run(_link(settings_of(config), subject, roles)))


async def _link(settings: Settings, subject: str, roles: tuple[str, ...]) -> str:
    store = open_store(settings.state.url)
    try:
        await record_admin(settings, by=subject, code="admin.console_link")
        token = await mint_login(store, subject=subject, roles=roles)
    finally:
        await store.aclose()
    return f"{settings.public_url.rstrip('/')}/console/login/{token}"
