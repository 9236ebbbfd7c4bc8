"""``countersign settings``, and the README that repeats it."""

import re
from pathlib import Path

from gateway.cli.settings import markdown_table, rows
from gateway.settings.environment import merge_environment
from tests.cli.conftest import Run

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_has_the_table() -> None:
    """Whoever adds a setting runs ``countersign settings --markdown`` and pastes it between the markers."""
    found = re.search(r"<!-- settings -->\n(.*?)\n?<!-- /settings -->", README.read_text(), re.DOTALL)
    assert found is not None
    assert found[1] == markdown_table()


def test_all_three_forms_say_the_same(run: Run) -> None:
    """Table, JSON, Markdown."""
    listed = run("settings", "--json").document
    assert [one["key"] for one in listed] == [row.key for row in rows()]
    table = run("settings").out
    for row in rows():
        assert row.key in table
        assert row.variable in table
        assert row.default in table
    assert run("settings", "--markdown").out.strip() == markdown_table()


def test_every_variable_that_is_listed_is_understood_with_its_default() -> None:
    """The table is true: set each variable to what it says is the default."""
    for row in rows():
        merge_environment({}, {row.variable: row.default or "x"})


def test_every_default_that_is_listed_is_the_default() -> None:
    """All of them at once change nothing; secrets have none."""
    document: dict[str, object] = {}
    merge_environment(document, {row.variable: row.default for row in rows() if row.default})
    assert document["policy"] == {
        "engine": "embedded",
        "opa_url": "http://127.0.0.1:8181",
        "timeout_s": 1.0,
        "reload": True,
        "rollback": "refuse",
        "rollout_seconds": 120.0,
    }
    assert all(
        not row.default for row in rows() if "secret" in row.key or "token" in row.key.rpartition(".")[2]
    )
