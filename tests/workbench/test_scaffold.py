"""A rule that is begun is a rule: it parses, it has its texts, and its test fails until somebody writes it."""

from pathlib import Path

import pytest

from gateway.policy.engine import PolicyRefused
from gateway.workbench.gates import checked, unit_tests
from gateway.workbench.lint_codes import lint_codes
from gateway.workbench.pack import read_pack
from gateway.workbench.programs import Layout, Programs
from gateway.workbench.scaffold import Edit, scaffold, write
from tests.workbench.conftest import edited


def begun(folder: Path, code: str = "arguments.link_in_note", **texts: str) -> list[Edit]:
    """The edits of a new rule."""
    wanted = {
        "outcome": "deny",
        "condition": 'contains(input.arguments.note, "://")',
        "title": "Notes carry no links",
        "description": "A link in a note: a way to phish.",
        "message": 'The note holds a "link".',
        "remedy": "Leave the link out.",
    }
    return scaffold(read_pack(folder), code, **{**wanted, **texts})


def test_the_rule_decides_and_its_test_asks_to_be_written(folder: Path, opa_binary: Path) -> None:
    """Every gate passes but the one test that nobody has written yet; then that one, too."""
    write(begun(folder))
    layout = Layout(folder=folder)
    assert unit_tests(layout, str(opa_binary)).failed == ("gateway.arguments_test.test_link_in_note",)
    edited(
        folder / "arguments" / "arguments_test.rego",
        '{"arguments": {}}\n}\n',
        '{"arguments": {"note": "see https://x.example"}}\n}\n',
    )
    assert unit_tests(layout, str(opa_binary)).failed == ()
    assert checked(layout, Programs(opa=str(opa_binary))) == []
    pack = read_pack(folder)
    assert pack.reasons["arguments.link_in_note"].message == 'The note holds a "link".'
    rule = pack.said["arguments.link_in_note"][0].rule
    assert rule is not None
    assert (rule.title, rule.description) == ("Notes carry no links", "A link in a note: a way to phish.")


def test_nothing_that_is_there_is_rewritten(folder: Path) -> None:
    """What is added is all that differs."""
    for edit in begun(folder):
        assert edit.text.replace(edit.added, "", 1) == edit.path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("nonsense", "is no code"),
        ("arguments.Link", "is no code"),
        ("money.strange", "order of its own"),
        ("arguments.schema_invalid", "exists"),
    ],
)
def test_what_cannot_be_begun_is_said(folder: Path, code: str, said: str) -> None:
    """And no file is touched."""
    with pytest.raises(PolicyRefused, match=said):
        begun(folder, code)


def test_a_rule_of_the_site_has_files_of_its_own(folder: Path, opa_binary: Path) -> None:
    """What ships is left alone but for the site's own table of reasons; every gate passes but the unwritten test."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    write(begun(folder, "site.link_in_note"))
    changed = {path for path, content in before.items() if path.read_bytes() != content}
    assert changed == {folder / "site" / "data.yaml"}
    layout = Layout(folder=folder)
    assert unit_tests(layout, str(opa_binary)).failed == ("gateway.site_test.test_link_in_note",)
    edited(
        folder / "site" / "link_in_note_test.rego",
        '{"arguments": {}}\n}\n',
        '{"arguments": {"note": "see https://x.example"}}\n}\n',
    )
    assert unit_tests(layout, str(opa_binary)).failed == ()
    assert checked(layout, Programs(opa=str(opa_binary))) == []
    pack = read_pack(folder)
    assert lint_codes(pack) == []
    assert pack.reasons["site.link_in_note"].message == 'The note holds a "link".'


def test_two_rules_of_the_site_stand_side_by_side(folder: Path) -> None:
    """The table of reasons grows; a file that is there is never overwritten."""
    write(begun(folder, "site.first"))
    write(begun(folder, "site.second"))
    assert {"site.first", "site.second"} <= read_pack(folder).reasons.keys()
    (folder / "site" / "third_test.rego").write_text("package gateway.site_test\n", encoding="utf-8")
    with pytest.raises(PolicyRefused, match=r"third_test\.rego exists"):
        begun(folder, "site.third")
    assert not (folder / "site" / "third.rego").exists()


def test_a_site_cannot_begin_a_confirmation(folder: Path) -> None:
    """Nobody but consent knows when it has been given: the way to ask for people is said instead."""
    with pytest.raises(PolicyRefused, match="quorums contains 2"):
        begun(folder, "site.link_in_note", outcome="confirm")


def test_a_table_that_is_not_in_lines_is_refused(folder: Path) -> None:
    """Nothing that somebody wrote is rewritten."""
    (folder / "site" / "data.yaml").write_text("reasons: {site.a: {outcome: deny}}\n", encoding="utf-8")
    with pytest.raises(PolicyRefused, match="one entry a line"):
        begun(folder, "site.link_in_note")
