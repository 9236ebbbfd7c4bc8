"""What to write for each host, and where. Pure. Sources: docs/decisions/0014-a-bridge-of-our-own.md."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

TOKEN_VARIABLE: Final = "COUNTERSIGN_TOKEN"  # noqa: S105 - a name


class Host(StrEnum):
    """The hosts whose files are known."""

    CLAUDE_DESKTOP = "claude-desktop"
    CLAUDE_CODE = "claude-code"
    CURSOR = "cursor"
    VS_CODE = "vscode"
    CODEX = "codex"


TITLES: Final = {
    Host.CLAUDE_DESKTOP: "Claude Desktop",
    Host.CLAUDE_CODE: "Claude Code",
    Host.CURSOR: "Cursor",
    Host.VS_CODE: "VS Code",
    Host.CODEX: "Codex",
}


class Way(StrEnum):
    """How a host reaches the gateway: ``url`` by itself, ``connect`` through the bridge, ``auto`` as it is able to."""

    AUTO = "auto"
    URL = "url"
    CONNECT = "connect"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be configured. ``command``: this program's absolute path. ``token``: only if a file may hold it."""

    name: str
    url: str
    command: str
    way: Way = Way.AUTO
    token: str | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One server in one host's file: ``section`` is the table it goes into."""

    host: Host
    path: Path
    section: str
    name: str
    value: dict[str, Any]
    holds_token: bool

    @property
    def is_toml(self) -> bool:
        """Codex writes TOML; everybody else JSON."""
        return self.host is Host.CODEX

    @property
    def document(self) -> dict[str, Any]:
        """The whole of it, as in an otherwise empty file."""
        return {self.section: {self.name: self.value}}


def entry(host: Host, wanted: Wanted, path: Path) -> Entry:
    """The entry for one host.

    Without a token the host signs in by itself (all but Claude Desktop take a URL and do OAuth), or the bridge does.
    """
    section = {Host.VS_CODE: "servers", Host.CODEX: "mcp_servers"}.get(host, "mcpServers")
    bridged = wanted.way is Way.CONNECT or host is Host.CLAUDE_DESKTOP
    return Entry(
        host=host,
        path=path,
        section=section,
        name=wanted.name,
        value=_bridge(host, wanted) if bridged else _remote(host, wanted),
        holds_token=wanted.token is not None,
    )


def _bridge(host: Host, wanted: Wanted) -> dict[str, Any]:
    typed = {"type": "stdio"} if host in (Host.VS_CODE, Host.CLAUDE_CODE) else {}
    value: dict[str, Any] = {**typed, "command": wanted.command, "args": ["connect", wanted.url]}
    if wanted.token is not None:
        value["env"] = {TOKEN_VARIABLE: wanted.token}
    return value


def _remote(host: Host, wanted: Wanted) -> dict[str, Any]:
    typed = {"type": "http"} if host in (Host.VS_CODE, Host.CLAUDE_CODE) else {}
    value: dict[str, Any] = {**typed, "url": wanted.url}
    if wanted.token is not None:
        # Codex ignores `headers` without a word, and refuses a `bearer_token`.
        field = "http_headers" if host is Host.CODEX else "headers"
        value[field] = {"Authorization": f"Bearer {wanted.token}"}
    return value


def path_of(host: Host, *, platform: str, home: Path, appdata: Path, codex: Path) -> Path:
    """The file of the user (not of a project) on this platform (``sys.platform``)."""
    support = home / "Library/Application Support" if platform == "darwin" else appdata
    match host:
        case Host.CLAUDE_DESKTOP:
            return support / "Claude/claude_desktop_config.json"
        case Host.CLAUDE_CODE:
            return home / ".claude.json"
        case Host.CURSOR:
            return home / ".cursor/mcp.json"
        case Host.VS_CODE:
            return support / "Code/User/mcp.json"
        case Host.CODEX:
            return codex / "config.toml"
