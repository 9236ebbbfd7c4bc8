"""What each host's file wants, and where it is."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from gateway.client.hosts.entries import Host, Wanted, Way, entry, path_of

WANTED = Wanted(name="paypal", url="https://gateway.example/mcp", command="/opt/bin/countersign")
WITH_TOKEN = Wanted(
    name="paypal", url="https://gateway.example/mcp", command="/opt/bin/countersign", token="t0ken"
)
HERE = Path("settings")


@pytest.mark.parametrize(
    ("host", "section", "value"),
    [
        (
            Host.CLAUDE_DESKTOP,
            "mcpServers",
            {"command": "/opt/bin/countersign", "args": ["connect", "https://gateway.example/mcp"]},
        ),
        (Host.CLAUDE_CODE, "mcpServers", {"type": "http", "url": "https://gateway.example/mcp"}),
        (Host.CURSOR, "mcpServers", {"url": "https://gateway.example/mcp"}),
        (Host.VS_CODE, "servers", {"type": "http", "url": "https://gateway.example/mcp"}),
        (Host.CODEX, "mcp_servers", {"url": "https://gateway.example/mcp"}),
    ],
)
def test_without_a_token_nothing_secret_is_written(
    host: Host, section: str, value: dict[str, object]
) -> None:
    """Hosts that do OAuth get the URL; the one that starts commands gets the bridge."""
    made = entry(host, WANTED, HERE)
    assert (made.section, made.value, made.holds_token) == (section, value, False)


@pytest.mark.parametrize("host", Host)
def test_every_host_can_go_through_the_bridge(host: Host) -> None:
    """And then its file holds the absolute path and the URL."""
    wanted = Wanted(name="n", url=WANTED.url, command=WANTED.command, way=Way.CONNECT)
    made = entry(host, wanted, HERE).value
    assert made["command"] == WANTED.command
    assert made["args"] == ["connect", WANTED.url]


@pytest.mark.parametrize(
    ("host", "field"),
    [(Host.CURSOR, "headers"), (Host.VS_CODE, "headers"), (Host.CODEX, "http_headers")],
)
def test_a_token_goes_where_the_host_reads_it(host: Host, field: str) -> None:
    """Codex calls it otherwise, and ignores the others' name without a word."""
    made = entry(host, WITH_TOKEN, HERE)
    assert made.value[field] == {"Authorization": "Bearer t0ken"}
    assert made.holds_token


def test_the_bridge_gets_its_token_from_the_environment() -> None:
    """Arguments of a process can be read by every user of the machine."""
    made = entry(Host.CLAUDE_DESKTOP, WITH_TOKEN, HERE).value
    assert made["env"] == {"COUNTERSIGN_TOKEN": "t0ken"}
    assert "t0ken" not in " ".join(made["args"])


@pytest.mark.parametrize(
    ("platform", "host", "path"),
    [
        (
            "darwin",
            Host.CLAUDE_DESKTOP,
            "/h/Library/Application Support/Claude/claude_desktop_config.json",
        ),
        ("win32", Host.CLAUDE_DESKTOP, "/roaming/Claude/claude_desktop_config.json"),
        ("linux", Host.CLAUDE_DESKTOP, "/roaming/Claude/claude_desktop_config.json"),
        ("darwin", Host.VS_CODE, "/h/Library/Application Support/Code/User/mcp.json"),
        ("linux", Host.VS_CODE, "/roaming/Code/User/mcp.json"),
        ("linux", Host.CLAUDE_CODE, "/h/.claude.json"),
        ("win32", Host.CURSOR, "/h/.cursor/mcp.json"),
        ("darwin", Host.CODEX, "/h/.codex/config.toml"),
    ],
)
def test_files_are_where_the_platform_has_them(platform: str, host: Host, path: str) -> None:
    """One file of the user for each host."""
    found = path_of(
        host, platform=platform, home=Path("/h"), appdata=Path("/roaming"), codex=Path("/h/.codex")
    )
    assert PurePosixPath(found) == PurePosixPath(path)
