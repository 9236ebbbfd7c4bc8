"""``countersign idp providers rotate-key``, ``revoke-key``, ``rotate-secret``: with what a provider shows who it is."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from gateway.cli.common import config_option, json_option
from gateway.cli.idp import BY, NamesAKey, idp_settings
from gateway.cli.idp_providers import PUBLIC_KEY, change, changed_by, providers, read_pem, shown
from gateway.idp.provider import new_secret
from gateway.idp.public_key import read_public_key


@providers.command("rotate-key")
@click.argument("provider_id")
@PUBLIC_KEY
@BY
@config_option
@json_option
def rotate_key(
    provider_id: str,
    public_key: Path | None,
    by: str,
    config: Path | None,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Hand in a provider's next public key. The pinned one goes on until `approve --key` names the new one."""
    if public_key is None:
        raise click.UsageError(
            "--public-key is missing: the provider makes its key, and hands in the public half"
        )
    key = read_public_key(read_pem(public_key))
    changed_by(
        provider_id,
        lambda found, now: found.with_proposed(key, now),
        config,
        by=by,
        code="admin.idp_provider_key",
        as_json=as_json,
    )


@providers.command("revoke-key", cls=NamesAKey)
@click.argument("provider_id")
@click.argument("kid")
@BY
@config_option
@json_option
def revoke_key(provider_id: str, kid: str, by: str, config: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """A provider's key vouches for nothing from now on."""
    changed_by(
        provider_id,
        lambda found, now: found.with_revoked(kid, now),
        config,
        by=by,
        code="admin.idp_provider_key_revoke",
        as_json=as_json,
    )


@providers.command("rotate-secret")
@click.argument("provider_id")
@BY
@config_option
@json_option
def rotate_secret(provider_id: str, by: str, config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click
    """A new client secret, shown once; the old one is void at once."""
    secret, digest = new_secret()
    made = change(
        provider_id,
        lambda found, _: msgspec.structs.replace(found, secret_sha256=digest),
        idp_settings(config),
        by=by,
        code="admin.idp_provider_secret",
    )
    if as_json:
        click.echo(msgspec.json.encode({**shown(made), "clientSecret": secret}).decode())
        return
    click.echo(
        f"{made.id}\n  client id      {made.client_id}\n  client secret  {secret}\nThe secret is shown once."
    )
