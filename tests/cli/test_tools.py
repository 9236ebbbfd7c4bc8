"""``countersign tools`` on a real store, and the calls it opens and closes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run, audit_lines

Config = Callable[..., Path]
TOOL = "create_refund"


@pytest.fixture(autouse=True)
def settings(config: Config) -> None:
    """The file that the commands find by themselves."""
    config()


def row(run: Run, tool: str = TOOL) -> dict[str, str]:
    """What is listed of a tool."""
    found: dict[str, str] = next(
        one for one in run("tools", "list", "--json").document if one["tool"] == tool
    )
    return found


def test_all_tools_are_listed(run: Run) -> None:
    """With class, definition and approval; the built-in ones are approved by their release."""
    listed = run("tools", "list", "--json").document
    assert {one["server"] for one in listed} == {"paypal"}
    assert len(listed) >= 28
    assert all(len(one["definition_hash"]) == 64 for one in listed)
    assert row(run)["class"] == "2"
    assert {one["origin"] for one in listed} == {"verified: release"}
    table = run("tools", "list", "--server", "paypal")
    assert table.code == 0
    assert all(one["tool"] in table.out for one in listed)


def test_an_unknown_server_is_no_empty_list(run: Run) -> None:
    """Exit 2, and which there are."""
    ran = run("tools", "list", "--server", "papyal")
    assert ran.code == 2
    assert "paypal" in ran.err


def test_revoke_and_approve(run: Run, tmp_path: Path) -> None:
    """Each takes effect, and each stands in the audit under the name that was given."""
    digest = row(run)["definition_hash"]
    revoked = run("tools", "revoke", "paypal", TOOL, "--by", "ann")
    assert (revoked.code, revoked.out.strip()) == (0, f"paypal {TOOL}: revoked")
    assert "revoked" in row(run)["approval"]
    approved = run("tools", "approve", "paypal", TOOL, "--by", "bob", "--hash", digest[:12].upper())
    assert approved.code == 0
    assert row(run)["approval"] == "by bob"
    said = [(one["caller"]["subject"], one["tool"], one["reasons"]) for one in audit_lines(tmp_path)]
    assert said == [("ann", TOOL, ["admin.revoke_tool"]), ("bob", TOOL, ["admin.approve_tool"])]
    assert run("audit", "verify", "audit.jsonl").code == 0


def test_another_definition_than_the_live_one_is_not_approved(run: Run, tmp_path: Path) -> None:
    """Whoever looked at one definition approves no other; nothing is recorded as done."""
    before = row(run)
    ran = run("tools", "approve", "paypal", TOOL, "--by", "ann", "--hash", "0" * 64)
    assert ran.code == 1
    assert "look again" in ran.err
    assert row(run) == before
    assert not (tmp_path / "audit.jsonl").exists() or audit_lines(tmp_path) == []


@pytest.mark.parametrize(("server", "tool"), [("paypal", "pay_me"), ("nowhere", TOOL)])
def test_what_is_not_there_cannot_be_approved_or_revoked(run: Run, server: str, tool: str) -> None:
    """Unusable input for the one, nothing to do for the other."""
    assert run("tools", "approve", server, tool, "--by", "ann", "--hash", "0" * 12).code == 2
    assert run("tools", "revoke", server, tool, "--by", "ann").code == 1


def test_all_tools_of_a_server_can_be_approved_as_they_are(run: Run, tmp_path: Path) -> None:
    """One record each."""
    ran = run("tools", "approve", "paypal", "--by", "ann", "--all")
    assert ran.code == 0
    listed = run("tools", "list", "--json").document
    assert {one["approval"] for one in listed} == {"by ann"}
    assert len(audit_lines(tmp_path)) == len(listed)


@pytest.mark.parametrize("by", ["", " ", "ann\x1b[2J", "a\u200bnn"])
def test_who_decides_has_a_name_that_can_be_read(run: Run, by: str) -> None:
    """It is all that the record knows of a person at a terminal."""
    assert run("tools", "revoke", "paypal", TOOL, "--by", by).code == 2


def test_nothing_is_approved_that_cannot_be_recorded(run: Run, config: Config) -> None:
    """The audit comes first."""
    config(audit={"path": "countersign.yaml/audit.jsonl"})
    assert run("tools", "revoke", "paypal", TOOL, "--by", "ann").code == 2
    config()
    assert "revoked" not in row(run)["approval"]


def test_what_a_release_approved_has_not_changed(run: Run) -> None:
    """Releases do not ship their definitions a second time, and this is the very same: exit 0, also once revoked."""
    told = run("tools", "diff", "paypal", TOOL)
    assert (told.code, told.out.splitlines()[-1]) == (0, "since the approval: nothing changed")
    assert run("tools", "diff", "paypal", TOOL, "--format", "json").document["changes"] == []
    run("tools", "revoke", "paypal", TOOL, "--by", "ann")
    assert run("tools", "diff", "paypal", TOOL).code == 0


@pytest.mark.parametrize("command", ["show", "diff", "history"])
def test_what_is_not_there_is_said_with_what_there_is(run: Run, command: str) -> None:
    """In the words of this command, and not of a protocol."""
    server, tool = run("tools", command, "papyal", TOOL), run("tools", command, "paypal", "pay_me")
    assert (server.code, tool.code) == (2, 2)
    assert server.err.endswith("there is no server 'papyal'; there are: paypal\n")
    assert "paypal lists no tool 'pay_me'" in tool.err


def test_nothing_that_waits_is_a_sentence(run: Run) -> None:
    """And no table of headings."""
    ran = run("tools", "list", "--pending")
    assert (ran.code, ran.out) == (0, "nothing waits for a decision\n")
