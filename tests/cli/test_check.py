"""``countersign check``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

Config = Callable[..., Path]


def test_a_good_configuration_would_run(run: Run, config: Config) -> None:
    """Exit 0; every part in one line."""
    config()
    ran = run("check", "--json")
    assert ran.code == 0
    assert {one["part"] for one in ran.document} == {"settings", "policy", "state", "audit", "paypal"}
    assert all(one["ok"] for one in ran.document)
    words = run("check")
    assert words.code == 0
    assert len(words.out.strip().splitlines()) == 5
    assert "simulator-secret" not in ran.out + words.out + words.err


@pytest.mark.parametrize(
    ("sections", "part"),
    [
        ({"listen": "nonsense"}, "settings"),
        ({"identity": {}}, "settings"),
        ({"paypal": {}}, "settings"),
        ({"policy": {"path": "/nowhere"}}, "policy"),
        ({"policy": {"engine": "opa", "opa_url": "http://127.0.0.1:9"}}, "policy"),
        ({"state": {"url": "mongodb://x"}}, "settings"),
        ({"audit": {"path": "countersign.yaml/audit.jsonl"}}, "files"),
        ({"audit": {"path": "a.jsonl", "signing_key": "nowhere.pem"}}, "settings"),
        ({"upstreams": {"crm": {"url": "http://127.0.0.1:9/mcp"}}}, "crm"),
    ],
    ids=str,
)
def test_what_would_not_run_is_named(run: Run, config: Config, sections: dict[str, Any], part: str) -> None:
    """Exit 1, and the part that is to blame; as words without a traceback."""
    config(**sections)
    ran = run("check", "--json")
    assert ran.code == 1
    assert part in [one["part"] for one in ran.document if not one["ok"]]
    words = run("check")
    assert words.code == 1
    assert "NO" in words.out


def test_what_a_part_says_is_not_markup(run: Run, tmp_path: Path) -> None:
    """Brackets of a message are shown, and end neither the colour nor the program."""
    (tmp_path / "countersign.yaml").write_text("'[/red]x[bold]': 1\n")
    ran = run("check")
    assert ran.code == 1
    assert "[/red]x[bold]" in ran.out


def test_the_password_of_the_store_is_not_shown(run: Run, config: Config) -> None:
    """Neither where the store works nor where it does not."""
    config(state={"url": "redis://user:hunter2-hunter2@127.0.0.1:9/0"})
    for words in (("check",), ("check", "--json")):
        ran = run(*words)
        assert ran.code == 1
        assert "hunter2" not in ran.out + ran.err
