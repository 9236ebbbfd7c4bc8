"""``countersign etdi``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

TOOLS = [
    {"name": "read", "inputSchema": {"type": "object"}, "permissions": ["filesystem:read:/data"]},
    {"name": "[red]wipe", "inputSchema": {"type": "object"}, "permissions": ["filesystem.write"]},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two definitions, one of which would write on the terminal."""
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(TOOLS))
    return path


def test_migrate_reports_and_writes(run: Run, file: Path, tmp_path: Path) -> None:
    """A table for people: what is ready, what to look at, and the public key alone."""
    ran = run(
        "etdi",
        "migrate",
        "--file",
        str(file),
        "--provider-name",
        "Files Inc.",
        "--out",
        str(tmp_path / "out"),
    )
    assert ran.code == 0, ran.err
    for word in ("filesystem:read:/data", "ready", "[red]wipe", "look", "broad: filesystem:write:/"):
        assert word in ran.out
    assert "BEGIN PUBLIC KEY" in ran.out
    assert "PRIVATE" not in ran.out
    assert (tmp_path / "out/etdi.json").exists()


def test_migrate_for_a_script(run: Run, file: Path, tmp_path: Path) -> None:
    """The same facts as JSON."""
    out = str(tmp_path / "out")
    ran = run(
        *("etdi", "migrate", "--file", str(file), "--provider-name", "F", "--provider-id", "files-inc"),
        *("--out", out, "--mode", "passive", "--json"),
    )
    assert ran.code == 0, ran.err
    assert ran.document["providerId"] == "files-inc"
    assert ran.document["mode"] == "passive"
    assert [row["status"] for row in ran.document["tools"]] == ["ready", "look"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--file", "x.json", "--url", "https://x.example/mcp"),
        ("--command", ""),
        ("--file", "none.json"),
        ("--url", "https://x.example/mcp", "--token-env", "NOT_SET"),
        ("--url", "http://server.example/mcp"),
    ],
)
def test_unusable_input(run: Run, arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Exit 2, one line, and nothing written."""
    out = tmp_path / "out"
    ran = run("etdi", "migrate", "--provider-name", "F", "--out", str(out), *arguments)
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert not out.exists()


def test_one_command_runs_the_demo(run: Run) -> None:
    """End to end, with exit 0 because every step is as promised (R179)."""
    ran = run("etdi", "demo", "--json")
    assert ran.code == 0, ran.err
    assert [step["as_promised"] for step in ran.document] == [True] * 8
    assert "eyJ" not in ran.out + ran.err


def test_an_auth0_tenant_is_looked_at(run: Run, tmp_path: Path) -> None:
    """Exit 1 and a remedy for each finding; what is no export is unusable."""
    file = tmp_path / "tenant.json"
    file.write_text('{"api": {"token_lifetime": 86400}}')
    ran = run("etdi", "lint-auth0", str(file))
    assert ran.code == 1
    assert "3600 seconds at most" in ran.out
    file.write_text("[]")
    assert run("etdi", "lint-auth0", str(file)).code == 2
