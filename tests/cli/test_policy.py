"""``countersign policy``, as somebody who writes rules types it."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run, good_settings
from tests.support.policy_cases import POLICIES
from tests.workbench.conftest import appended, edited

REFUND = '{"capture_id": "2GG279541U471931P", "amount": {"value": "25.00", "currency_code": "USD"}}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The policies of this folder, as in a checkout."""
    for name in ("gateway", "schemas", "checks", ".regal"):
        shutil.copytree(POLICIES / name, tmp_path / "policies" / name)
    shutil.copy(POLICIES / "capabilities.json", tmp_path / "policies")
    return tmp_path / "policies" / "gateway"


@pytest.fixture
def opa_on_path(opa_binary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is where a command looks for it."""
    monkeypatch.setenv("PATH", f"{opa_binary.parent}:/usr/bin:/bin")


def test_a_question_is_explained_without_any_settings(run: Run) -> None:
    """The policy that ships; exit 1, because it is not allowed yet."""
    done = run("policy", "explain", "--tool", "create_refund", "--arguments", REFUND)
    assert done.code == 1, done.err
    assert done.out.startswith("handshake  class 2, tier restricted")
    assert "consent.handshake_required" in done.out
    assert "allowed if the call came again with its handshake token; and one person other than" in done.out


def test_a_recorded_question_is_asked_as_it_is(run: Run, tmp_path: Path) -> None:
    """From a file, for a script."""
    (tmp_path / "q.json").write_text('{"tool": {"name": "list_products"}, "caller": {"roles": ["visitor"]}}')
    done = run("policy", "explain", "q.json", "--json")
    assert done.code == 1
    assert [one["code"] for one in done.document["reasons"] if one["decides"]] == ["identity.role_missing"]
    assert done.document["path"]["changed"] == ["the caller had the role 'agent'"]
    allowed = run("policy", "explain", "q.json", "--role", "agent")
    assert (allowed.code, allowed.out.split()[0]) == (0, "allow")


def test_a_tool_without_a_class_has_no_tier(run: Run) -> None:
    """In words, and not as Python spells nothing."""
    done = run("policy", "explain", "--tool", "pay_me")
    assert done.out.splitlines()[0].rstrip() == "deny  no class, no tier"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("q.json", "--tool", "pay_order"),
        ("--tool", "pay_order", "--arguments", "[]"),
        ("--tool", "pay_order", "--arguments", "{"),
        ("missing.json",),
        ("--tool", ""),
    ],
)
def test_what_is_no_question_is_said(run: Run, arguments: tuple[str, ...]) -> None:
    """Exit 2, and no guess."""
    done = run("policy", "explain", *arguments)
    assert done.code == 2
    assert done.err


@pytest.mark.usefixtures("opa_on_path")
def test_check_and_test_pass_on_what_ships(run: Run, folder: Path) -> None:
    """And name what is wrong as soon as something is."""
    assert run("policy", "check").code == 0
    done = run("policy", "test")
    assert (done.code, "0 failed, 100.0 % of the lines reached" in done.out) == (0, True), done.out
    edited(folder / "limits" / "data.yaml", "  - create_refund", "  - create_refnd")
    appended(folder / "money" / "money_test.rego", "\ntest_wrong if 1 == 2\n")
    checked = run("policy", "check")
    assert checked.code == 1
    assert "create_refnd" in checked.out
    tested = run("policy", "test")
    assert (tested.code, "FAILED gateway.money_test.test_wrong" in tested.out) == (1, True)
    assert run("policy", "watch", "--once").code == 1
    found = run("policy", "check", "--json").document
    assert [one["check"] for one in found if one["severity"] == "error"] == ["tools"]


def test_without_opa_it_says_what_did_not_run(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass that tested nothing would be a lie."""
    assert folder.is_dir()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no opa on this machine" in run("policy", "test").out
    assert "no opa on this machine" in run("policy", "check").out


def test_the_settings_say_which_policy(run: Run, folder: Path, tmp_path: Path) -> None:
    """Not the one that lies here; and a folder that is named wins over both."""
    other = tmp_path / "elsewhere" / "gateway"
    shutil.copytree(folder, other)
    edited(other / "migration" / "data.yaml", "phase: enforcement", "phase: completion")
    settings = {**good_settings(), "policy": {"path": str(other)}}
    (tmp_path / "countersign.yaml").write_text(yaml.safe_dump(settings))
    assert "phase completion" in run("policy", "explain", "--tool", "pay_order").out
    assert "phase enforcement" in run("policy", "--folder", str(folder), "explain", "--tool", "pay_order").out


def test_a_rule_is_begun(run: Run, folder: Path) -> None:
    """Shown first, then written; and it decides at once."""
    before = (folder / "arguments" / "arguments.rego").read_text()
    rule = ("arguments.link_in_note", "--when", 'contains(input.arguments.note_to_payer, "://")')
    assert "would add to" in run("policy", "new", *rule, "--dry-run").out
    assert (folder / "arguments" / "arguments.rego").read_text() == before
    assert run("policy", "new", *rule).code == 0
    written = '{"capture_id": "2GG279541U471931P", "note_to_payer": "see https://x.example"}'
    asked = run("policy", "explain", "--tool", "create_refund", "--arguments", written)
    assert "arguments.link_in_note" in asked.out
    assert run("policy", "new", *rule).code == 2


def test_the_reference_is_written(run: Run, tmp_path: Path) -> None:
    """To a file, or to standard output."""
    assert run("policy", "docs", "--output", "reasons.md").code == 0
    text = (tmp_path / "reasons.md").read_text()
    assert text == run("policy", "docs").out
    assert "| `money.over_limit` | deny |" in text


def test_a_recipe_is_listed_shown_and_added(run: Run, folder: Path) -> None:
    """Nothing changes before it is asked for; then the policy judges by it, and a second time is refused."""
    listed = run("policy", "add")
    assert (listed.code, "quiet_nights" in listed.out) == (0, True)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    shown = run("policy", "add", "no_links_in_notes", "--dry-run")
    assert (shown.code, 'codes contains "site.link_in_note"' in shown.out) == (0, True)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert run("policy", "add", "no_links_in_notes").code == 0
    linked = (
        "policy",
        "explain",
        "--tool",
        "create_invoice",
        "--arguments",
        '{"detail": {"note": "www.a.example"}}',
    )
    assert "site.link_in_note" in run(*linked).out
    again = run("policy", "add", "no_links_in_notes")
    assert (again.code, "site.link_in_note: the policy has that code" in again.err) == (2, True)


@pytest.mark.parametrize("name", ["nonsense", "../gateway", ".", ""])
def test_a_recipe_that_does_not_exist_is_said(run: Run, folder: Path, name: str) -> None:
    """A name is looked up in the list, and is no path."""
    before = sorted(folder.rglob("*"))
    done = run("policy", "add", name)
    assert (done.code, "there is no recipe" in done.err) == (2, True)
    assert sorted(folder.rglob("*")) == before


@pytest.mark.usefixtures("opa_on_path")
def test_a_copy_of_the_folder_alone_is_checked_and_tested(run: Run, folder: Path, tmp_path: Path) -> None:
    """Its data by the schemas that ship; and a folder without a test has not passed any."""
    alone = tmp_path / "copied"
    shutil.copytree(folder, alone)
    edited(alone / "limits" / "data.yaml", "soft_quorum: 2", "soft_quorum: two")
    done = run("policy", "--folder", "copied", "check", "--json")
    assert (done.code, [one["where"] for one in done.document]) == (
        1,
        ["gateway/limits/data.yaml /soft_quorum"],
    )
    for test in alone.rglob("*_test.rego"):
        test.unlink()
    done = run("policy", "--folder", "copied", "test")
    assert (done.code, done.err) == (2, "countersign: copied: no test was found, so nothing was tested\n")
