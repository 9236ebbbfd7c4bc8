"""``countersign kill``."""

from pathlib import Path

import msgspec
import pytest
import yaml

from tests.cli.conftest import Run, good_settings

HASH = "d" * 64
WHO = ("--by", "ops", "--reason", "It pays the wrong people.")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> None:
    """A gateway's settings in this folder."""
    (tmp_path / "countersign.yaml").write_text(yaml.safe_dump(good_settings()))


def test_stopped_listed_and_lifted(run: Run, tmp_path: Path) -> None:
    """Each with its record; lifting twice is a no."""
    added = run("kill", "add", "--tool", "paypal/create_refund", *WHO, "--json")
    assert added.code == 0, added.err
    order = added.document["order"]
    assert added.document["voided"] == 0
    assert (order["kind"], order["within"], order["value"]) == ("tool", "paypal", "create_refund")
    assert run("kill", "list", "--json").document == [order]
    shown = run("kill", "list").out
    assert "tool paypal/create_refund" in shown
    assert "wrong people" in shown
    assert run("kill", "lift", order["id"], *WHO).code == 0
    assert run("kill", "lift", order["id"], *WHO).code == 1
    assert run("kill", "list", "--json").document == []
    assert run("kill", "list").out == "nothing is stopped\n"
    lines = (tmp_path / "audit.jsonl").read_bytes().splitlines()
    records = [msgspec.json.decode(line).get("record") for line in lines]
    codes = [
        (one["phase"], one["reasons"]) for one in records if one is not None and one["status"] != "opened"
    ]
    assert codes == [("admin", ["admin.kill_add"]), ("admin", ["admin.kill_lift"])]
    assert {one["note"] for one in records if one is not None} == {"It pays the wrong people."}


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", *WHO),
        ("add", "--caller", "a", "--tool", "b", *WHO),
        ("add", "--definition", "d" * 12, *WHO),
        ("add", "--issuer", "https://idp.example", "--tool", "b", *WHO),
        ("add", "--caller", "", *WHO),
        ("add", "--caller", "a", "--by", "ops"),
        ("add", "--caller", "a", "--by", "ops", "--reason", " "),
        ("add", "--caller", "a", "--by", "ops", "--reason", "a\u202eb"),
        ("lift", "x"),
    ],
)
def test_what_is_not_said_clearly_stops_nothing(run: Run, arguments: tuple[str, ...]) -> None:
    """Exit 2, and nothing is written."""
    assert run("kill", *arguments).code == 2
    assert run("kill", "list", "--json").document == []


@pytest.mark.parametrize(
    "arguments",
    [("--caller", "agent-one"), ("--definition", HASH), ("--revision", "r1"), ("--tool", "create_refund")],
)
def test_each_kind_can_be_stopped(run: Run, arguments: tuple[str, str]) -> None:
    """By one option each."""
    assert "is stopped" in run("kill", "add", *arguments, *WHO).out
    (order,) = run("kill", "list", "--json").document
    assert (order["kind"], order["value"], order["within"]) == (arguments[0][2:], arguments[1], None)


def test_an_audit_that_cannot_be_written_keeps_nobody_from_stopping(run: Run, tmp_path: Path) -> None:
    """The order stands, and the command says that its record is missing; a lift without a record does not happen."""
    (tmp_path / "file").write_text("")
    settings = {**good_settings(), "audit": {"path": "file/audit.jsonl"}}
    (tmp_path / "countersign.yaml").write_text(yaml.safe_dump(settings))
    assert run("kill", "add", "--caller", "agent-one", *WHO).code == 2
    (order,) = run("kill", "list", "--json").document
    assert run("kill", "lift", order["id"], *WHO).code == 2
    assert len(run("kill", "list", "--json").document) == 1
