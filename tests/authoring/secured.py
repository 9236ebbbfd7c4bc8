"""A secured server for tests: one that reads and one that says, with an identity provider on a real socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.authoring.declaration import Author, Mode
from gateway.authoring.etdi import Etdi, Options
from gateway.authoring.history import VersionHistory
from gateway.authoring.providers.registry import create_provider
from gateway.authoring.server import SecureServer
from gateway.authoring.signing import Signer, generate_key
from gateway.catalog.tool import ETDI_META_KEY
from tests.support.tool_idp import ToolIdp

AUTHOR = Author(id="files-inc", name="Files Inc.")


def signer(folder: Path) -> Signer:
    """One key per folder."""
    path = folder / "key.pem"
    return Signer.from_file(path) if path.exists() else generate_key(path)


def etdi_of(idp: ToolIdp, folder: Path, *, kind: str = "custom", signed: bool = True, **options: Any) -> Etdi:
    """Over this provider, with its history and key in ``folder``."""
    return Etdi(
        author=AUTHOR,
        oauth=create_provider(kind, idp.config(kind)),
        history=VersionHistory(folder / "versions.json"),
        signer=signer(folder) if signed else None,
        options=Options(**options),
    )


def server_of(etdi: Etdi, *, description: str = "Reads a file.") -> SecureServer:
    """Two tools."""
    server = SecureServer("files", etdi=etdi)

    @server.tool(permissions=["filesystem:read:/data"], description=description)
    def read(path: str, lines: int = 10) -> str:
        return f"{path}: {lines}"

    @server.tool(permissions=["echo:say"], version="2.1.0", title="Say")
    def say(text: str) -> str:
        """Says it again."""
        return text

    return server


def block_of(tool: Any) -> dict[str, Any]:
    """The block of a tool as an SDK client has it."""
    found: dict[str, Any] = (tool.meta or {})[ETDI_META_KEY]
    return found


__all__ = ["AUTHOR", "Mode", "block_of", "etdi_of", "server_of", "signer"]
