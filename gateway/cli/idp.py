"""``countersign idp``: the ETDI identity provider, alone; its signing keys, and the tokens that live."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import click
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table
from starlette.applications import Starlette

from gateway.cli.common import DEFAULT_CONFIG, config_option, json_option, name_of, show_rows
from gateway.cli.record import record_admin
from gateway.cli.serve import LOG_FORMAT
from gateway.identity_provider import Shelves, idp_routes, shelves_of
from gateway.idp.issued import Issued
from gateway.idp.key import GRACE_S, IdpKey, KeyRing
from gateway.idp.registration import iso
from gateway.outcome.view import visible
from gateway.parts import open_audit
from gateway.serving import run, serving, settled
from gateway.settings import Settings
from gateway.settings.idp import audience_of, issuer_of
from gateway.settings.sources import load_idp_settings
from gateway.state.open import masked, open_store

THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
"""RFC 7638, over SHA-256."""
BY = click.option("--by", required=True, callback=name_of, help="Who does it: the name the record will show.")
REASON = click.option("--reason", required=True, callback=name_of, help="Why; operators see it.")


class NamesAKey(click.Command):
    """A command whose last argument is a key's thumbprint. One in 64 of those begins with a dash, and is no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See ``click.Command.parse_args``."""
        dashed = [one for one in args if one.startswith("-") and THUMBPRINT.fullmatch(one)]
        rest = [one for one in args if one not in dashed]
        return super().parse_args(ctx, [*rest, "--", *dashed] if dashed else args)


@click.group()
def idp() -> None:
    """The ETDI identity provider: who provides a tool, and tokens that say so."""


def idp_settings(config: Path | None) -> Settings:
    """The settings of this run; who may call a gateway need not be set. :raises SettingsError:"""
    if config is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG
    return load_idp_settings(config)


@asynccontextmanager
async def open_shelves(settings: Settings) -> AsyncIterator[Shelves]:
    """What the identity provider keeps, for one command."""
    store = open_store(settings.state.url)
    try:
        yield shelves_of(settings, store)
    finally:
        await store.aclose()


@idp.command()
@config_option
def serve(config: Path | None) -> None:
    """Run the identity provider in a process of its own, until it is told to stop."""
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)
    logging.getLogger("countersign.idp").setLevel(logging.INFO)
    run(_serve(idp_settings(config)))


async def _serve(settings: Settings) -> None:
    told = asyncio.Event()
    with suppress(NotImplementedError):  # Windows knows no SIGTERM
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    host, _, port = settings.idp.listen.rpartition(":")
    store = open_store(settings.state.url)
    try:
        await shelves_of(settings, store).keys.ensure()
        async with open_audit(settings) as audit:
            app = Starlette(routes=idp_routes(settings, store, audit))
            async with serving(app, host=host.strip("[]"), port=int(port)) as bound:
                click.echo(
                    f"identity provider {issuer_of(settings)}  port: {bound}  audience: {audience_of(settings)}  "
                    f"state: {masked(settings.state.url)}  audit: {settings.audit.path}",
                    err=True,
                )
                settled()
                await told.wait()
    finally:
        await store.aclose()


@idp.group()
def keys() -> None:
    """Signing keys: published before they sign, retired when the last token is over, revoked at once."""


@keys.command("list")
@config_option
@json_option
def list_keys(config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """The keys with their states, dates and uses, the oldest first; those that ended included."""
    ring, uses = run(_listed(idp_settings(config)))
    now = time.time()
    if as_json:
        rows = [
            {**msgspec.to_builtins(key), "state": key.state(now).value, "tokens": uses[key.kid]}
            for key in ring.keys
        ]
        click.echo(msgspec.json.encode({"version": ring.version, "keys": rows}).decode())
        return
    table = Table(
        "key", "alg", "state", "published", "signs from", "ends", "tokens", "by", box=box.SIMPLE_HEAD
    )
    for key in ring.keys:
        table.add_row(
            key.kid,
            key.algorithm,
            key.state(now).value,
            iso(key.created),
            iso(key.active_from),
            _ends(key),
            str(uses[key.kid]),
            escape(visible(key.by)),
        )
    show_rows(table, "there is no key yet")


def _ends(key: IdpKey) -> str:
    """Until when it vouches."""
    if key.revoked_at is not None:
        return iso(key.revoked_at)
    return "" if key.retired_at is None else iso(key.retired_at + GRACE_S)


async def _listed(settings: Settings) -> tuple[KeyRing, dict[str, int]]:
    async with open_shelves(settings) as shelves:
        ring = await shelves.keys.read()
        return ring, {key.kid: await shelves.keys.uses(key.kid) for key in ring.keys}


@keys.command()
@click.option("--now", "at_once", is_flag=True, help="Sign with it at once; verifiers must fetch it first.")
@BY
@config_option
@json_option
def rotate(at_once: bool, by: str, config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """Publish a new key; it signs after idp.propagation_seconds, and the old one vouches until its tokens are over."""
    settings = idp_settings(config)
    ring = run(_rotated(settings, by=by, at_once=at_once))
    _say(ring, as_json=as_json)


async def _rotated(settings: Settings, *, by: str, at_once: bool) -> KeyRing:
    async with open_shelves(settings) as shelves:
        ring = await shelves.keys.read()
        if not at_once and ring.waiting(time.time()) is not None:
            return await shelves.keys.rotate(by=by)  # refuses, and there is nothing to record
        await record_admin(settings, by=by, code="admin.idp_key_rotate")
        return await shelves.keys.rotate(by=by, at_once=at_once)


@keys.command(cls=NamesAKey)
@click.argument("kid")
@REASON
@BY
@config_option
@json_option
def revoke(kid: str, reason: str, by: str, config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """Take a key out at once, for an emergency: whatever it signed is worth nothing. Another one signs from now on."""
    settings = idp_settings(config)
    _say(run(_revoked(settings, kid, reason=reason, by=by)), as_json=as_json)


async def _revoked(settings: Settings, kid: str, *, reason: str, by: str) -> KeyRing:
    async with open_shelves(settings) as shelves:
        ring = await shelves.keys.revoke(kid, by=by, reason=reason)
        # Revoked first, recorded second: a full audit disk must not keep a stolen key in force.
        await record_admin(settings, by=by, code="admin.idp_key_revoke", tool=f"key {kid}")
        return ring


def _say(ring: KeyRing, *, as_json: bool) -> None:
    now = time.time()
    states = {key.kid: key.state(now).value for key in ring.keys if key.vouches(now)}
    if as_json:
        click.echo(msgspec.json.encode({"version": ring.version, "keys": states}).decode())
        return
    for kid, state in states.items():
        click.echo(f"{kid}: {state}")


@idp.group()
def tokens() -> None:
    """Tokens that were issued and live."""


@tokens.command("list")
@click.option("--provider", help="Only of this provider.")
@config_option
@json_option
def list_tokens(provider: str | None, config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """By their ids; the tokens themselves are nowhere."""
    found = run(_tokens(idp_settings(config)))
    found = [one for one in found if provider in (None, one.provider)]
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    table = Table("token", "provider", "tool", "scope", "expires", "revoked", box=box.SIMPLE_HEAD)
    for one in found:
        tool = "" if one.tool_id is None else f"{one.tool_id}@{one.tool_version}"
        revoked = "" if one.revoked_at is None else iso(one.revoked_at)
        row = (one.jti, one.provider, tool, one.scope, iso(one.exp), revoked)
        table.add_row(*(escape(visible(text)) for text in row))
    show_rows(table, "no token is kept")


async def _tokens(settings: Settings) -> list[Issued]:
    async with open_shelves(settings) as shelves:
        return await shelves.tokens.all()


@tokens.command("revoke")
@click.argument("jti")
@BY
@config_option
def revoke_token(jti: str, by: str, config: Path | None) -> None:
    """End a token by its id, at once. Exit 1: no token of that id lives."""
    if not run(_token_revoked(idp_settings(config), jti, by=by)):
        click.echo(f"{visible(jti)}: no token of that id lives", err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"{jti}: revoked")


async def _token_revoked(settings: Settings, jti: str, *, by: str) -> bool:
    async with open_shelves(settings) as shelves:
        issued = await shelves.tokens.revoke(jti)
        if issued is None:
            return False
        await record_admin(
            settings, by=by, code="admin.idp_token_revoke", tool=issued.tool_id, transaction_id=jti
        )
        return True
