"""``countersign token``: a static token for one caller, shown once."""

from __future__ import annotations

import click
import msgspec
import yaml

from gateway.cli.common import json_option, name_of
from gateway.identity.static import hash_static_token, mint_static_token


@click.command()
@click.option(
    "--subject", required=True, callback=name_of, help="Who the token stands for, for example agent-7."
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=("agent",),
    show_default=True,
    callback=name_of,
    help="Repeatable.",
)
@json_option
def token(subject: str, roles: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001 - click
    """Make a bearer token for a caller. It is shown once; the settings keep only its SHA-256."""
    raw = mint_static_token()
    digest = hash_static_token(raw)
    if as_json:
        made = {"token": raw, "sha256": digest, "subject": subject, "roles": roles}
        click.echo(msgspec.json.encode(made).decode())
        return
    click.echo(f"Token (shown once; give it to the host):\n\n  {raw}\n")
    click.echo("Put this into countersign.yaml:\n")
    row = {"sha256": digest, "subject": subject, "roles": list(roles)}
    document = {"identity": {"tokens": [row]}}
    click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True).rstrip())
