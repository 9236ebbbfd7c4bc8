"""Replacing a host's file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.client.errors import HostFileError
from gateway.client.hosts.entries import Host, Wanted, entry
from gateway.client.hosts.files import BACKUP, Change

WANTED = Wanted(name="paypal", url="https://gateway.example/mcp", command="/bin/countersign")


def change(path: Path) -> Change:
    """The entry for Cursor in a file."""
    return Change(entry(Host.CURSOR, WANTED, path))


def test_the_old_file_is_kept_and_the_mode_too(tmp_path: Path) -> None:
    """Backup beside, same permissions, nothing else left in the folder."""
    path = tmp_path / "mcp.json"
    path.write_text('{"a": 1}')
    path.chmod(0o640)
    backup = change(path).write()
    assert backup == tmp_path / f"mcp.json{BACKUP}"
    assert backup.read_text() == '{"a": 1}'
    assert path.stat().st_mode & 0o777 == backup.stat().st_mode & 0o777 == 0o640
    assert json.loads(path.read_text())["a"] == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["mcp.json", f"mcp.json{BACKUP}"]


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Folders are made as needed."""
    path = tmp_path / "a/b/mcp.json"
    assert change(path).write() is None
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """A person keeps such files elsewhere."""
    real, link = tmp_path / "dotfiles.json", tmp_path / "mcp.json"
    real.write_text("{}")
    link.symlink_to(real)
    change(link).write()
    assert link.is_symlink()
    assert "paypal" in real.read_text()


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """The host wrote to it while the person was asked."""
    path = tmp_path / "mcp.json"
    path.write_text("{}")
    planned = change(path)
    path.write_text('{"new": 1}')
    with pytest.raises(HostFileError, match="meanwhile"):
        planned.write()
    assert path.read_text() == '{"new": 1}'


def test_the_diff_shows_no_other_entry(tmp_path: Path) -> None:
    """Somebody else's token may stand on the next line."""
    path = tmp_path / "mcp.json"
    path.write_text('{\n  "secret": "of-another",\n  "mcpServers": {}\n}\n')
    assert "of-another" not in change(path).diff()
    assert "+" in change(path).diff()


def test_what_is_there_already_needs_no_change(tmp_path: Path) -> None:
    """Written twice, the second time says so."""
    path = tmp_path / "mcp.json"
    change(path).write()
    assert not change(path).is_needed


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """It is left as it is."""
    path = tmp_path / "mcp.json"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(HostFileError, match="not text"):
        change(path)


def test_the_diff_shows_no_other_entry_of_a_file_without_lines(tmp_path: Path) -> None:
    """All of it is one line, which changes."""
    path = tmp_path / "mcp.json"
    path.write_text('{"mcpServers":{"other":{"env":{"KEY":"of-another"}}}}')
    shown = change(path).diff()
    assert "of-another" not in shown
    assert '+    "paypal": {' in shown


@pytest.mark.parametrize(
    "old",
    [
        {"url": WANTED.url, "headers": {"Authorization": "Bearer old-token"}},
        {"command": "npx", "args": ["mcp-remote", "--header", "Authorization: Bearer old-token"]},
        {"url": "https://gateway.example/mcp?key=old-token"},
        "old-token",
    ],
    ids=["header", "argument", "query", "text"],
)
def test_the_diff_shows_no_token_that_was_there_before(tmp_path: Path, old: object) -> None:
    """It may be good for days yet, and what a terminal shows is recorded and shared."""
    path = tmp_path / "mcp.json"
    path.write_text(json.dumps({"mcpServers": {"paypal": old}}, indent=2))
    shown = change(path).diff()
    assert "old-token" not in shown
    assert "(not shown)" in shown


def test_the_diff_of_a_table_is_of_the_entry_too(tmp_path: Path) -> None:
    """Codex's file."""
    path = tmp_path / "config.toml"
    path.write_text(
        '[mcp_servers]\npaypal = { url = "https://old-token@gateway.example" }\nx = { key = "of-another" }\n'
    )
    shown = Change(entry(Host.CODEX, WANTED, path)).diff()
    assert "old-token" not in shown
    assert "of-another" not in shown
    assert WANTED.url in shown
