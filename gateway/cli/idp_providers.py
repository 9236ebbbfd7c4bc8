"""``countersign idp providers``: who may have tokens, for which tools and scopes, and with which key."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.cli.common import config_option, json_option, show_rows
from gateway.cli.idp import BY, REASON, idp, idp_settings, open_shelves
from gateway.cli.record import record_admin
from gateway.idp.errors import IdpRefused
from gateway.idp.provider import About, Provider, Status
from gateway.idp.public_key import MAX_PEM_CHARS
from gateway.idp.registration import iso
from gateway.outcome.view import visible
from gateway.serving import run
from gateway.settings import Settings

Changed = Callable[[Provider, int], Provider]
_SCOPES = click.option("--scope", "scopes", multiple=True, help="tool:<permission>; repeatable. `*`: all.")
_TOOLS = click.option(
    "--tool", "tools", multiple=True, help="A tool's id, or the beginning of ids and `*`; repeatable."
)
PUBLIC_KEY = click.option(
    "--public-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The provider's public key (PEM). The private one stays with the provider.",
)


@idp.group()
def providers() -> None:
    """Providers of tools, and clients that verify."""


@providers.command()
@click.option("--name", required=True, help="What operators read.")
@click.option("--id", "provider_id", help="Its id, which tools name as their provider. Default: one is made.")
@click.option("--description", default="", help="For operators.")
@click.option("--contact-email", default="", help="Whom to tell in an incident.")
@click.option("--website", default="", help="For operators.")
@click.option("--callback-url", default="", help="Kept as it is; nothing is sent there.")
@PUBLIC_KEY
@_SCOPES
@_TOOLS
@click.option(
    "--introspects", is_flag=True, help="It may ask about tokens of all providers, as a verifier does."
)
@click.option("--pending", is_flag=True, help="Approve it later.")
@BY
@config_option
@json_option
def add(
    name: str,
    provider_id: str | None,
    description: str,
    contact_email: str,
    website: str,
    callback_url: str,
    public_key: Path | None,
    scopes: tuple[str, ...],
    tools: tuple[str, ...],
    introspects: bool,  # noqa: FBT001 - click
    pending: bool,  # noqa: FBT001 - click
    by: str,
    config: Path | None,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Register a provider. Its secret is shown once, and kept as a hash."""
    settings = idp_settings(config)
    about = About(
        name=name,
        description=description,
        contact_email=contact_email,
        website=website,
        callback_url=callback_url,
    )

    async def added() -> tuple[Provider, str]:
        async with open_shelves(settings) as shelves:
            return await shelves.providers.register(
                about,
                public_key=None if public_key is None else read_pem(public_key),
                status=Status.PENDING if pending else Status.APPROVED,
                provider_id=provider_id,
                scopes=scopes,
                tools=tools,
                introspects=introspects,
                record=recorded(settings, by, "admin.idp_provider_add"),
            )

    made, secret = run(added())
    if as_json:
        click.echo(msgspec.json.encode({**shown(made), "clientSecret": secret}).decode())
        return
    click.echo(
        f"{made.id}: {made.status.value}\n  client id      {made.client_id}\n  client secret  {secret}"
    )
    click.echo("The secret is shown once.")
    if not (tools or introspects):
        click.echo(
            "It has no tool yet: `countersign idp providers approve` grants tools and scopes.", err=True
        )


@providers.command("list")
@config_option
@json_option
def list_(config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """Who is registered, with what."""

    async def listed() -> list[Provider]:
        async with open_shelves(idp_settings(config)) as shelves:
            return await shelves.providers.all()

    found = run(listed())
    if as_json:
        click.echo(msgspec.json.encode([shown(one) for one in found]).decode())
        return
    table = Table(
        *("provider", "name", "contact", "status", "client", "tools", "scopes", "key", "waits"),
        box=box.SIMPLE_HEAD,
    )
    for one in found:
        key, waiting = one.key(time.time()), one.proposed()
        row = (
            *(one.id, one.about.name, one.about.contact_email, one.status.value, one.client_id),
            " ".join(one.tools),
            "introspects" if one.introspects else " ".join(one.scopes),
            "" if key is None else key.kid,
            "" if waiting is None else waiting.kid,
        )
        table.add_row(*(escape(visible(text)) for text in row))
    show_rows(table, "nobody is registered: `countersign idp providers add`")


@providers.command()
@click.argument("provider_id")
@click.option(
    "--key", "kid", help="The thumbprint of the key that waits, as `list` shows it and the provider says it."
)
@_SCOPES
@_TOOLS
@BY
@config_option
@json_option
def approve(
    provider_id: str,
    kid: str | None,
    scopes: tuple[str, ...],
    tools: tuple[str, ...],
    by: str,
    config: Path | None,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Approve a provider, its next key, or more tools and scopes. A key is approved by its thumbprint only."""

    def approved(found: Provider, now: int) -> Provider:
        made = found.granted(scopes=scopes, tools=tools)
        if kid is not None:
            made = made.with_approved(kid, now)
        elif made.proposed() is not None and made.key(now) is None:
            # Nobody approves a key unseen.
            raise IdpRefused("A key waits; compare it with the provider's own, and name it with --key.")
        return msgspec.structs.replace(made, status=Status.APPROVED, reason="")

    changed_by(provider_id, approved, config, by=by, code="admin.idp_provider_approve", as_json=as_json)


@providers.command()
@click.argument("provider_id")
@REASON
@BY
@config_option
@json_option
def suspend(provider_id: str, reason: str, by: str, config: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """No tokens for it any more, and those that live are inactive at once."""
    settings = idp_settings(config)

    async def suspended() -> Provider:
        async with open_shelves(settings) as shelves:
            made = await shelves.providers.change(
                provider_id,
                lambda found, _: msgspec.structs.replace(found, status=Status.SUSPENDED, reason=reason),
            )
            # Suspended first, recorded second: a full audit disk must not keep it going.
            await recorded(settings, by, "admin.idp_provider_suspend")(made)
            return made

    say(run(suspended()), as_json=as_json)


def changed_by(
    provider_id: str, changed: Changed, config: Path | None, *, by: str, code: str, as_json: bool
) -> None:
    """One act of an operator, recorded, then made, then said."""
    say(change(provider_id, changed, idp_settings(config), by=by, code=code), as_json=as_json)


def change(provider_id: str, changed: Changed, settings: Settings, *, by: str, code: str) -> Provider:
    """The provider as it is then. :raises IdpRefused:"""

    async def work() -> Provider:
        async with open_shelves(settings) as shelves:
            return await shelves.providers.change(provider_id, changed, record=recorded(settings, by, code))

    return run(work())


def recorded(settings: Settings, by: str, code: str) -> Callable[[Provider], Awaitable[None]]:
    """What writes such an act down."""

    async def record(made: Provider) -> None:
        await record_admin(settings, by=by, code=code, tool=f"provider {made.id}")

    return record


def say(made: Provider, *, as_json: bool) -> None:
    """How it stands now, and what is left to do."""
    if as_json:
        click.echo(msgspec.json.encode(shown(made)).decode())
        return
    waiting = made.proposed()
    click.echo(f"{made.id}: {made.status.value}")
    if waiting is not None:
        click.echo(
            f"  a key waits: compare it with the provider's own, then\n"
            f"  countersign idp providers approve {made.id} --key {waiting.kid} --by ..."
        )


def shown(one: Provider) -> dict[str, Any]:
    """For a script; no secret, nor its hash."""
    now = time.time()
    key, waiting = one.key(now), one.proposed()
    return {
        "providerId": one.id,
        "clientId": one.client_id,
        "registrationStatus": one.status.value,
        "reason": one.reason,
        "registered": iso(one.registered_at),
        **msgspec.to_builtins(one.about),
        "scopes": list(one.scopes),
        "tools": list(one.tools),
        "introspects": one.introspects,
        "keyId": None if key is None else key.kid,
        "waitingKeyId": None if waiting is None else waiting.kid,
        "keys": [
            {"keyId": each.kid, "algorithm": each.algorithm, "active": each.active(now)} for each in one.keys
        ],
    }


def read_pem(path: Path) -> str:
    """Text of a PEM file; what is no text is no key."""
    return path.read_bytes()[: MAX_PEM_CHARS + 1].decode("ascii", "replace")
