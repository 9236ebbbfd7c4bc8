"""``countersign idp backup`` and ``restore``: the drill is in docs/operations/identity-provider.md."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from gateway.cli.common import config_option
from gateway.cli.idp import BY, idp, idp_settings
from gateway.cli.record import record_admin
from gateway.identity_provider import key_files_of
from gateway.idp.backup import Backup, opened, restore_backup, sealed, take_backup
from gateway.idp.registration import iso
from gateway.serving import run
from gateway.settings import Settings
from gateway.state.open import open_store

_PASSPHRASE = click.option(
    "--passphrase-file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with the passphrase of the backup; keep it elsewhere.",
)


@idp.command()
@click.argument("path", type=click.Path(path_type=Path))
@_PASSPHRASE
@BY
@config_option
def backup(path: Path, passphrase_file: Path, by: str, config: Path | None) -> None:
    """Write keys, providers and owners of tools into PATH (0600), encrypted."""
    settings = idp_settings(config)
    made = run(_taken(settings, by=by))
    document = sealed(made, _passphrase(passphrase_file))
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise click.UsageError(f"{path} exists; a backup is never overwritten") from None
    _say(made, str(path))


@idp.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_PASSPHRASE
@BY
@config_option
def restore(path: Path, passphrase_file: Path, by: str, config: Path | None) -> None:
    """Read PATH into an empty store and key folder."""
    settings = idp_settings(config)
    found = opened(path.read_bytes(), _passphrase(passphrase_file))
    run(_restored(settings, found, by=by))
    _say(found, str(path))
    click.echo(
        f"Revoke and suspend again what was revoked or suspended after {iso(found.made)}: the audit has it as\n"
        "admin.idp_key_revoke, admin.idp_provider_suspend and admin.idp_provider_key_revoke.",
        err=True,
    )


async def _taken(settings: Settings, *, by: str) -> Backup:
    store = open_store(settings.state.url)
    try:
        await record_admin(settings, by=by, code="admin.idp_backup")
        return await take_backup(store, key_files_of(settings), now=time.time())
    finally:
        await store.aclose()


async def _restored(settings: Settings, found: Backup, *, by: str) -> None:
    store = open_store(settings.state.url)
    try:
        await record_admin(settings, by=by, code="admin.idp_restore")
        await restore_backup(store, key_files_of(settings), found)
    finally:
        await store.aclose()


def _passphrase(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except ValueError:
        raise click.UsageError("--passphrase-file is no text") from None


def _say(found: Backup, path: str) -> None:
    click.echo(
        f"{path}: keys {len(found.ring.keys)} (version {found.ring.version}), providers {len(found.providers)}, "
        f"tools {len(found.tools)}, made {iso(found.made)}"
    )
