"""``countersign etdi``: for those who write MCP servers."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import Any

import click
import msgspec
from mcp.client.stdio import StdioServerParameters
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.authoring.declaration import Mode
from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.migration.manifest import ProviderPart
from gateway.authoring.migration.migrate import Done, migrate, provider_id_for
from gateway.authoring.migration.source import from_file, from_server
from gateway.authoring.providers.auth0_lint import lint
from gateway.authoring.servers.oauth_demo import play
from gateway.cli.common import json_option, name_of, terminal
from gateway.identity.credentials import Secret
from gateway.outcome.view import visible
from gateway.serving import run
from gateway.settings.client import token_from


@click.group()
def etdi() -> None:
    """For authors of MCP servers: tools with signed, versioned definitions."""


@etdi.command("migrate")
@click.option("--url", help="A running server's MCP URL.")
@click.option("--token-env", help="The variable with a bearer token for --url.")
@click.option("--command", help="A server that is started and speaks on its pipes, as one would type it.")
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON: a list of definitions, or {tools: [...]}.",
)
@click.option("--provider-name", required=True, callback=name_of, help="Who makes these tools.")
@click.option("--provider-id", help="Its id; made from the name if it is left out.")
@click.option("--website", help="For the registration.")
@click.option("--contact", "contact", help="An e-mail address, for the registration.")
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="this folder",
    help="Where the manifest and the keys go: beside the server, on its own machine.",
)
@click.option(
    "--mode",
    type=click.Choice([str(mode) for mode in Mode]),
    default=str(Mode.DUAL),
    show_default=True,
    help="How the server begins.",
)
@json_option
def migrate_(
    url: str | None,
    token_env: str | None,
    command: str | None,
    file: Path | None,
    provider_name: str,
    provider_id: str | None,
    website: str | None,
    contact: str | None,
    folder: Path,
    mode: str,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Read a server's tools, map their permissions, make keys, write the manifest that the server loads."""
    provider = ProviderPart(
        id=provider_id or provider_id_for(provider_name),
        name=provider_name,
        website=website,
        contact_email=contact,
    )
    token = token_from(token_env) if token_env is not None else None
    done = migrate(_definitions(url, token, command, file), provider, folder, mode=Mode(mode))
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
        return
    _print(done)


def _definitions(
    url: str | None, token: str | None, command: str | None, file: Path | None
) -> list[dict[str, Any]]:
    if sum(one is not None for one in (url, command, file)) != 1:
        raise click.UsageError("give one of --url, --command and --file")
    if token is not None and url is None:
        raise click.UsageError("--token-env goes with --url")
    if file is not None:
        return from_file(file)
    if url is not None:
        return run(from_server(url, token=None if token is None else Secret(token.encode())))
    words = shlex.split(command or "")
    if not words:
        raise click.UsageError("--command is empty")
    return run(from_server(StdioServerParameters(command=words[0], args=words[1:])))


def _print(done: Done) -> None:
    table = Table("tool", "id", "version", "permissions", "status", "look at", box=box.SIMPLE_HEAD)
    for row in done.tools:
        # Names and permissions are the server's: they must not write on this terminal what they like.
        cells = (
            row.name,
            row.id,
            row.version,
            ", ".join(row.permissions) or "none",
            row.status,
            "; ".join(row.notes),
        )
        table.add_row(*(escape(visible(cell)) for cell in cells))
    terminal().print(table)
    click.echo(f"provider     {done.provider_id}")
    click.echo(f"manifest     {done.manifest}")
    click.echo(f"private key  {done.private_key} ({done.algorithm}; stays on this machine)")
    click.echo(f"key id       {done.key_id}\n")
    if done.mode is Mode.DUAL:
        click.echo("In the mode `dual` tokens are for the twins: their ids are those above, with `-secure`.")
    click.echo("Register this public key at the identity provider, under the provider's id:\n")
    click.echo(done.public_key)


@etdi.command("demo")
@json_option
def demo_(as_json: bool) -> None:  # noqa: FBT001 - click
    """The life of a tool's token: granted, verified, renewed, replaced, revoked. On this machine, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        steps = run(play(Path(folder)))
    if as_json:
        click.echo(msgspec.json.encode(steps).decode())
    else:
        table = Table("step", "seen", "as promised", box=box.SIMPLE_HEAD)
        for step in steps:
            table.add_row(escape(step.title), escape(step.seen), "yes" if step.as_promised else "NO")
        terminal().print(table)
    if not all(step.as_promised for step in steps):
        raise click.exceptions.Exit(1)


@etdi.command("lint-auth0")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@json_option
def lint_auth0(file: Path, as_json: bool) -> None:  # noqa: FBT001 - click
    """Hold an exported Auth0 tenant (JSON with tenant, application, api) against what tools' tokens want."""
    try:
        export = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except (ValueError, RecursionError):
        raise ConfigInvalid(f"{file.name}: is no JSON object") from None
    findings = lint(export)
    if as_json:
        click.echo(msgspec.json.encode(findings).decode())
    else:
        table = Table("setting", "is", "should be", box=box.SIMPLE_HEAD)
        for one in findings:
            table.add_row(one.place, escape(visible(one.said)), one.remedy)
        terminal().print(table if findings else "as recommended")
    if findings:
        raise click.exceptions.Exit(1)
