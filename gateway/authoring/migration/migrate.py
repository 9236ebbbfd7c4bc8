"""Carries a plan out in a folder beside the server: keys that never leave it (C36), and the manifest."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.authoring.declaration import Author, Mode
from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.migration.manifest import (
    KEY_NAME,
    NAME,
    PUBLIC_KEY_NAME,
    Manifest,
    ProviderPart,
    load_manifest,
    save_manifest,
)
from gateway.authoring.migration.plan import Row, plan
from gateway.authoring.signing import Signer, generate_key

_UNWANTED: Final = re.compile(r"[^a-z0-9]+")


class Done(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was made. ``manifest`` and the keys are paths; ``public_key`` is what is registered, as PEM."""

    provider_id: str
    key_id: str
    algorithm: str
    public_key: str
    manifest: str
    private_key: str
    mode: Mode
    tools: tuple[Row, ...]


def provider_id_for(name: str) -> str:
    """A readable id that nobody else has: ``files-inc-3f9a2c41``."""
    return f"{_UNWANTED.sub('-', name.lower()).strip('-')[:48] or 'provider'}-{secrets.token_hex(4)}"


def migrate(
    definitions: Sequence[Mapping[str, Any]], provider: ProviderPart, folder: Path, *, mode: Mode = Mode.DUAL
) -> Done:
    """Write manifest and keys into ``folder``. A manifest and a key that are there stay; new tools are added to them.

    :raises ConfigInvalid: nothing to migrate, or what is there cannot be used.
    :raises OSError: the folder cannot be written.
    """
    planned = plan(definitions)
    if not planned.tools:
        raise ConfigInvalid("there is no tool that could be migrated")
    Author(id=provider.id, name=provider.name)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    manifest = Manifest(provider=provider, mode=mode, tools=planned.tools)
    if path.exists():
        known = load_manifest(path)
        # What a person has edited since counts; only what is not there yet is added.
        manifest = msgspec.structs.replace(known, tools={**planned.tools, **known.tools})
    signer = _signer(folder / KEY_NAME)
    (folder / PUBLIC_KEY_NAME).write_text(signer.public_pem(), encoding="ascii")
    save_manifest(path, manifest)
    return Done(
        provider_id=manifest.provider.id,
        key_id=signer.key_id,
        algorithm=signer.algorithm,
        public_key=signer.public_pem(),
        manifest=str(path),
        private_key=str(folder / KEY_NAME),
        mode=manifest.mode,
        tools=planned.rows,
    )


def _signer(path: Path) -> Signer:
    try:
        return generate_key(path)
    except FileExistsError:
        return Signer.from_file(path)
