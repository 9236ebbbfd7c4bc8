"""``countersign hosts``."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from gateway.cli.hosts import MASK, snippets
from gateway.client.hosts.entries import Host
from tests.cli.conftest import Run

TOKEN = "t0ken-of-the-test"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's own files are looked at or written."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "CODEX_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_what_is_printed_can_be_pasted(run: Run) -> None:
    """Each block is JSON, or TOML for Codex, below the name of the host and its file."""
    blocks = [block.split("\n", 1) for block in run("hosts").out.strip().split("\n\n")]
    joined = {title.split(" (")[0]: text for title, text in blocks}
    assert list(joined) == ["Claude Desktop", "Claude Code", "Cursor", "VS Code", "Codex"]
    assert tomllib.loads(joined.pop("Codex"))["mcp_servers"]["paypal"]["url"].endswith("/mcp")
    for text in joined.values():
        json.loads(text)
    desktop = json.loads(joined["Claude Desktop"])["mcpServers"]["paypal"]
    assert desktop["args"][0] == "connect"
    assert Path(desktop["command"]).is_absolute()


def test_a_script_gets_the_same_facts(run: Run) -> None:
    """--json: host, file, document, and whether it holds a token."""
    listed = run("hosts", "cursor", "--token", TOKEN, "--json").document
    assert [one["host"] for one in listed] == ["cursor"]
    assert listed[0]["holds_token"] is True
    assert TOKEN in json.dumps(listed[0]["document"])


def test_it_is_written_after_asking(run: Run, home: Path) -> None:
    """--yes asks nobody; the file holds the entry, the diff was shown, and a token in it was masked there."""
    ran = run("hosts", "cursor", "codex", "--token", TOKEN, "--write", "--yes")
    assert ran.code == 0
    assert TOKEN in (home / ".cursor/mcp.json").read_text()
    assert TOKEN in (home / ".codex/config.toml").read_text()
    assert TOKEN not in ran.out + ran.err
    assert MASK in ran.err
    assert "The token will stand in" in ran.err
    assert "says it already" in run("hosts", "cursor", "--token", TOKEN, "--write", "--yes").err


def test_without_an_answer_nothing_is_written(run: Run, home: Path) -> None:
    """No terminal, no --yes: it stops."""
    ran = run("hosts", "cursor", "--write")
    assert ran.code != 0
    assert not (home / ".cursor/mcp.json").exists()


def test_a_file_that_cannot_be_changed_is_refused_and_the_others_are_written(run: Run, home: Path) -> None:
    """The snippet to paste is shown instead; the exit code says that something is left to do."""
    commented = home / ".cursor/mcp.json"
    commented.parent.mkdir()
    commented.write_text("{ // mine\n}")
    ran = run("hosts", "cursor", "claude-code", "--write", "--yes", "--json")
    assert ran.code == 1
    assert [one["status"] for one in ran.document] == ["refused", "written"]
    assert '"mcpServers"' in ran.err
    assert commented.read_text() == "{ // mine\n}"


@pytest.mark.parametrize(
    "options",
    [("--url", "http://gateway.example/mcp"), ("--url", "ftp://x"), ("--name", "a b"), ("--token", "a\nb")],
)
def test_unusable_input_is_refused(run: Run, options: tuple[str, str]) -> None:
    """A token would travel in clear, or the file would not be read."""
    assert run("hosts", *options).code == 2


def test_the_demo_shows_them_with_its_token() -> None:
    """One text for each host."""
    made = snippets("http://127.0.0.1:3000/mcp", TOKEN)
    assert len(made) == len(Host)
    assert all(TOKEN in text for text in made.values())
