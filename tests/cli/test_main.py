"""The command as a whole: help, versions, exit codes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from gateway.cli import cli
from gateway.version import VERSION
from tests.cli.conftest import Run


def commands(group: click.Group, *before: str) -> Iterator[tuple[str, ...]]:
    """Every command and group, with the words that reach it."""
    for name, command in group.commands.items():
        yield (*before, name)
        if isinstance(command, click.Group):
            yield from commands(command, *before, name)


EVERY = [(), *commands(cli)]


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_explains_itself(run: Run, words: tuple[str, ...], flag: str) -> None:
    """On standard output, with exit code 0, and without reading any settings."""
    ran = run(*words, flag)
    assert ran.code == 0
    assert ran.out.startswith("Usage: countersign")


def test_it_knows_its_version(run: Run) -> None:
    """One line."""
    assert run("--version").out.strip() == f"countersign, version {VERSION}"


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("serve", "--nonsense"),
        ("token",),
        ("tools", "approve", "paypal", "create_order", "--by", "ann"),
        ("tools", "approve", "paypal", "create_order", "--by", "ann", "--hash", "short"),
        ("tools", "approve", "paypal", "create_order", "--by", "ann", "--all"),
        ("tools", "revoke", "paypal", "create_order"),
        ("console", "link"),
        ("audit", "verify"),
        ("audit", "verify", "nowhere.jsonl"),
        ("paypal",),
        ("simulator", "--listen", "nonsense"),
        ("simulator", "--listen", "0.0.0.0:0"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_understood_ends_with_2(
    run: Run, config: Callable[..., Path], words: tuple[str, ...]
) -> None:
    """Usage errors say what is missing, on standard error."""
    config()
    ran = run(*words)
    assert ran.code == 2
    assert ran.out == ""
    assert "Error" in ran.err


@pytest.mark.parametrize(
    "words",
    [("serve",), ("tools", "list"), ("console", "link", "--subject", "ann"), ("paypal", "--stdio")],
    ids=" ".join,
)
def test_unusable_settings_end_with_2_in_one_line(run: Run, words: tuple[str, ...]) -> None:
    """Naming the key."""
    ran = run(*words)
    assert ran.code == 2
    assert ran.err.splitlines()[-1].startswith("countersign: ")
    assert "identity: " in ran.err or "paypal.client_id: " in ran.err


@pytest.mark.parametrize("words", [("serve",), ("tools", "list"), ("check",)], ids=" ".join)
def test_a_settings_file_that_is_not_there_is_named(run: Run, words: tuple[str, ...]) -> None:
    """Whoever named one wants that one, and not the defaults."""
    ran = run(*words, "--config", "nowhere.yaml")
    assert ran.code in (1, 2)
    assert "nowhere.yaml" in ran.out + ran.err


def test_the_settings_file_can_be_named_by_a_variable(
    run: Run, config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """COUNTERSIGN_CONFIG."""
    moved = config().rename("elsewhere.yaml")
    assert run("tools", "list").code == 2
    monkeypatch.setenv("COUNTERSIGN_CONFIG", str(moved))
    assert run("tools", "list").code == 0


def test_a_folder_that_cannot_be_made_is_one_line(run: Run, config: Callable[..., Path]) -> None:
    """What this machine does not allow is said as such."""
    config(audit={"path": "countersign.yaml/audit.jsonl"})
    ran = run("serve")
    assert ran.code == 2
    assert ran.err.splitlines()[-1].startswith("countersign: ")


def test_the_installed_command_exits_with_the_code() -> None:
    """Through the entry point, as a shell sees it: a no is not a success."""
    program = "from gateway.cli import main; main()"
    for words, code in ((["settings"], 0), (["check", "--config", "/nowhere.yaml"], 1), (["nonsense"], 2)):
        ran = subprocess.run(
            [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
        )
        assert ran.returncode == code, ran.stderr
