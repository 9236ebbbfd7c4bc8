"""``countersign bundle accept``, ``accepted`` and ``revoke``: over the state, and in the record."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.bundle.test_acceptance import a_revision
from tests.cli.conftest import Run, audit_lines, good_settings

WHO = ("--by", "olga", "--reason", "The new one lets refunds through.")
NEW, OLD = a_revision(9).text, a_revision(4).text


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> None:
    """A gateway's settings in this folder."""
    (tmp_path / "countersign.yaml").write_text(yaml.safe_dump(good_settings()))


def test_an_older_revision_is_accepted_by_name(run: Run, tmp_path: Path) -> None:
    """With who and why on record; what was left does not count as newer, unless that is forgotten."""
    assert run("bundle", "accepted").code == 1
    assert run("bundle", "accept", NEW, *WHO).code == 0
    done = run("bundle", "accept", OLD, *WHO, "--json")
    assert done.document == {"accepted": OLD, "before": NEW, "by": "olga"}
    found = run("bundle", "accepted", "--json").document
    assert (found["revision"], found["highest"], found["by"]) == (OLD, 9, "olga")
    assert OLD in run("bundle", "accepted").out
    assert run("bundle", "accept", OLD, "--forget", *WHO).code == 0
    assert run("bundle", "accepted", "--json").document["highest"] == 4
    records = audit_lines(tmp_path)
    assert [one["reasons"] for one in records] == [["admin.bundle_accept"]] * 3
    assert {one["note"] for one in records} == {WHO[3]}
    assert [one["tool"] for one in records] == [f"revision {one}" for one in (NEW, OLD, OLD)]


def test_revoking_is_a_kill_order(run: Run, tmp_path: Path) -> None:
    """Listed and lifted as every other one."""
    assert run("bundle", "revoke", OLD, *WHO).code == 0
    (order,) = run("kill", "list", "--json").document
    assert (order["kind"], order["value"], order["by"]) == ("revision", OLD, "olga")
    assert [one["reasons"] for one in audit_lines(tmp_path)] == [["admin.kill_add"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ("accept", "countersign-default-1", *WHO),
        ("accept", "small+4", *WHO),
        ("accept", OLD, "--by", "olga"),
        ("accept", OLD, "--by", "olga", "--reason", " "),
        ("accept", OLD, "--by", "a\u202eb", "--reason", "x"),
        ("revoke", OLD, "--by", "olga"),
        ("revoke", "", *WHO),
    ],
)
def test_what_is_not_said_clearly_changes_nothing(run: Run, arguments: tuple[str, ...]) -> None:
    """Exit 2, and nothing is written."""
    assert run("bundle", *arguments).code == 2
    assert run("bundle", "accepted").code == 1
