"""What OPA says is passed on; where there is no OPA, the embedded engine still looks."""

import shutil
from pathlib import Path

import pytest

from gateway.policy.engine import PolicyRefused
from gateway.workbench.gates import checked, unit_tests
from gateway.workbench.programs import Layout, Programs
from tests.support import parts
from tests.workbench.conftest import appended, edited


def test_what_ships_passes_every_gate(folder: Path, opa_binary: Path) -> None:
    """Format, types, the policy about policies, the embedded engine's inspection."""
    assert checked(Layout(folder=folder), Programs(opa=str(opa_binary))) == []


def test_each_gate_says_what_it_found(folder: Path, opa_binary: Path) -> None:
    """A misspelt field of the question is the strict check's; it names the line."""
    appended(folder / "arguments" / "arguments.rego", "\nx if input.tool.nmae == 1\n")
    found = checked(Layout(folder=folder), Programs(opa=str(opa_binary)))
    assert {(one.check, one.where.partition(":")[0]) for one in found} == {
        ("opa check", "gateway/arguments/arguments.rego")
    }
    assert "nmae" in " ".join(one.message for one in found)


def test_a_broken_convention_is_found(folder: Path, opa_binary: Path) -> None:
    """The policy about policies runs over the folder that is checked, not over the one that ships."""
    appended(folder / "arguments" / "arguments.rego", "\n_odd if not startswith(input.call.id, `a`)\n")
    found = checked(Layout(folder=folder), Programs(opa=str(opa_binary)))
    assert ["put what is negated" in one.message for one in found] == [True]


def test_a_folder_that_was_copied_alone_is_held_against_what_ships(
    folder: Path, opa_binary: Path, tmp_path: Path
) -> None:
    """Schemas, conventions and style, whatever the copy is called: none of them is skipped in silence."""
    alone = tmp_path / "copied"
    shutil.copytree(folder, alone)
    layout = Layout(folder=alone, shipped=folder.parent)
    programs = Programs(opa=str(opa_binary), regal=str(parts.require(parts.REGAL)))
    assert checked(layout, programs) == []
    appended(alone / "arguments" / "arguments.rego", "\n_odd if not startswith(input.call.id, `a`)\n")
    assert {one.check for one in checked(layout, programs)} == {"checks"}


def test_what_opa_refuses_is_not_loaded_into_this_process(folder: Path, opa_binary: Path) -> None:
    """Two functions of one name with different numbers of arguments end it: rego-cpp does not survive them."""
    appended(folder / "arguments" / "arguments.rego", "\n_f(a) := a\n\n_f(a, b) := [a, b]\n")
    found = checked(Layout(folder=folder), Programs(opa=str(opa_binary)))
    assert {one.check for one in found} == {"opa check"}


def test_without_opa_the_embedded_engine_refuses_what_it_must(folder: Path) -> None:
    """A policy that says yes to everything is none."""
    edited(folder / "decision" / "decision.rego", "outcome := strictest.of(_reasons)", 'outcome := "allow"')
    (found,) = checked(Layout(folder=folder), Programs())
    assert (found.check, found.severity) == ("embedded", "error")
    assert found.message.startswith("gateway/decision/answer: ")


def test_tests_run_with_coverage(folder: Path, opa_binary: Path) -> None:
    """What no test reaches is named."""
    layout = Layout(folder=folder)
    (folder / "money" / "money_test.rego").unlink()
    done = unit_tests(layout, str(opa_binary))
    assert done.failed == ()
    assert done.coverage is not None
    assert done.coverage < 100
    assert any("money.rego" in place for place in done.uncovered)


def test_a_test_that_fails_is_named(folder: Path, opa_binary: Path) -> None:
    """With its package."""
    appended(folder / "money" / "money_test.rego", "\ntest_wrong if 1 == 2\n")
    done = unit_tests(Layout(folder=folder), str(opa_binary))
    assert done.failed == ("gateway.money_test.test_wrong",)


def test_tests_that_do_not_compile_are_an_error_and_not_a_pass(folder: Path, opa_binary: Path) -> None:
    """No result is never a good one."""
    appended(folder / "money" / "money_test.rego", "\ntest_wrong if {\n")
    with pytest.raises(PolicyRefused, match="money_test"):
        unit_tests(Layout(folder=folder), str(opa_binary))


def test_a_sites_texts_are_for_its_own_codes_and_never_say_confirm(folder: Path, opa_binary: Path) -> None:
    """The policy about policies reads the site's file, too."""
    appended(folder / "site" / "site.rego", '\ncodes contains "site.a" if input.call.id == ""\n')
    (folder / "site" / "data.yaml").write_text(
        "reasons:\n"
        "  site.a: {outcome: confirm, message: m, remedy: r}\n"
        "  money.a: {outcome: deny, message: m, remedy: r}\n",
        encoding="utf-8",
    )
    found = checked(Layout(folder=folder), Programs(opa=str(opa_binary)))
    assert sorted(one.message for one in found) == [
        'site/data.yaml: the reason "money.a" does not begin with `site.`',
        'site/data.yaml: the reason "site.a" says neither deny nor handshake',
    ]
