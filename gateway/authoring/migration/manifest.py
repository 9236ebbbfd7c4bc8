"""The manifest beside a server: who makes its tools, with which key, and what each tool may do. Holds no secret.

Paths in it are relative to its own folder and stay inside it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final, Literal

import msgspec

from gateway.authoring.declaration import Author, Declaration, Mode, declare
from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.etdi import Etdi, Options
from gateway.authoring.history import VersionHistory
from gateway.authoring.providers.provider import OAuthProvider
from gateway.authoring.signing import Signer
from gateway.authoring.versions import FIRST_VERSION

NAME: Final = "etdi.json"
KEY_NAME: Final = "etdi-key.pem"
PUBLIC_KEY_NAME: Final = "etdi-key.pub.pem"
HISTORY_NAME: Final = "etdi-versions.json"
MAX_BYTES: Final = 4 * 1024 * 1024


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    pass


class ToolPart(_Part, frozen=True, kw_only=True):
    """One tool, by its name in the manifest. ``first_version`` counts until the history knows the tool."""

    id: str
    permissions: tuple[str, ...] = ()
    first_version: str = FIRST_VERSION

    def declaration(self) -> Declaration:
        """:raises ConfigInvalid: a permission, id or version that cannot be."""
        return declare(self.permissions, tool_id=self.id, version=self.first_version)


class ProviderPart(_Part, frozen=True, kw_only=True):
    """The provider of the tools; ``website`` and ``contact_email`` are for its registration."""

    id: str
    name: str
    website: str | None = None
    contact_email: str | None = None


class Manifest(_Part, frozen=True, kw_only=True):
    """See the module. ``format`` is 1."""

    format: Literal[1] = 1
    provider: ProviderPart
    mode: Mode = Mode.DUAL
    key: str = KEY_NAME
    history: str = HISTORY_NAME
    auto_secure: bool = False
    skip_legacy_tools: tuple[str, ...] = ()
    keep_legacy_definitions: bool = True
    add_etdi_capability: bool = True
    tools: dict[str, ToolPart] = {}

    def options(self) -> Options:
        """What R162 calls them, as this package does."""
        return Options(
            mode=self.mode,
            auto_secure=self.auto_secure,
            skip=frozenset(self.skip_legacy_tools),
            keep_legacy=self.keep_legacy_definitions,
            capability=self.add_etdi_capability,
        )


def load_manifest(path: Path) -> Manifest:
    """:raises ConfigInvalid: unreadable, not a manifest, or with a declaration that cannot be."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigInvalid(f"{path.name}: over {MAX_BYTES} bytes; this is no manifest")
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as problem:
        raise ConfigInvalid(f"{path.name}: cannot be read: {problem.strerror}") from None
    except (ValueError, RecursionError) as problem:
        raise ConfigInvalid(f"{path.name}: {problem}") from None
    for name, part in manifest.tools.items():
        try:
            part.declaration()
        except ConfigInvalid as problem:
            raise ConfigInvalid(f"{path.name}: {name}: {problem.message}") from None
    return manifest


def save_manifest(path: Path, manifest: Manifest) -> None:
    """Whole or not at all."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content + b"\n")
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def etdi_from_manifest(path: Path, oauth: OAuthProvider) -> Etdi:
    """What a server needs, from its manifest and the provider of its tokens.

    :raises ConfigInvalid: the manifest or the key.
    :raises HistoryUnusable: the history.
    """
    manifest = load_manifest(path)
    etdi = Etdi(
        author=Author(id=manifest.provider.id, name=manifest.provider.name),
        oauth=oauth,
        history=VersionHistory(_beside(path, manifest.history)),
        signer=Signer.from_file(_beside(path, manifest.key)),
        options=manifest.options(),
    )
    for name, part in manifest.tools.items():
        etdi.declare(name, part.declaration())
    return etdi


def _beside(manifest: Path, name: str) -> Path:
    """Attack: a manifest that somebody else wrote names another program's key."""
    folder = manifest.parent.resolve()
    path = (folder / name).resolve()
    if path.parent != folder:
        raise ConfigInvalid(f"{manifest.name}: {name!r} is not beside it")
    return path
