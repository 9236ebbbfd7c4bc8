"""The policy about policies: what ships keeps every convention, and each of them notices a rule that breaks it."""

import shutil
from pathlib import Path

import pytest

from gateway.policy.engine import PolicyRefused
from gateway.workbench.conventions import violations
from tests.support.policy_cases import CHECKS, POLICIES, Policy, write_policy_of

PACK = POLICIES / "gateway"
OVERLAYS = ("sandbox", "observe", "production", "lockdown")


def test_conventions(opa_binary: Path) -> None:
    """The policy about policies finds nothing: codes, texts, entrypoints, who says allow, engine traps."""
    assert violations(PACK, CHECKS, opa_binary) == []


BROKEN = {
    "a code without a text": ('codes contains "arguments.strange" if input.call.id', "arguments.strange"),
    "a code of another room": ('codes contains "money.strange" if input.call.id', "money.strange"),
    "an entrypoint too many": (
        "# METADATA\n# title: t\n# description: d\n# entrypoint: true\nx := 1",
        "data.gateway.arguments.x: must not be an entrypoint",
    ),
    "an undefined argument of a negation": ("x if not startswith(input.call.id, `a`)", "put what is negated"),
    "an override": ("x if input.call.id with input as {}", "`with` is for tests"),
    "a pattern that only RE2 reads": (
        r"x if regex.match(`^\w+$`, input.tool.name)",
        "is not for both engines",
    ),
    "a pattern without a limit": ("x if regex.match(`^[a-z]+$`, input.tool.name)", "is not for both engines"),
    "a function of another arity": ("of(a, b) if a == b", 'the function "of" has 1 and 2 arguments'),
}


@pytest.mark.parametrize(("rule", "wanted"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_convention_is_found(opa_binary: Path, tmp_path: Path, rule: str, wanted: str) -> None:
    """Each convention notices a rule that breaks it."""
    tree = tmp_path / "gateway"
    shutil.copytree(PACK, tree)
    path = tree / "arguments" / "arguments.rego"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{rule}\n", encoding="utf-8")
    assert [line for line in violations(tree, CHECKS, opa_binary) if wanted in line]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_overlay_breaks_a_convention(opa_binary: Path, tmp_path: Path, overlay: str) -> None:
    """Whatever data an operator ships."""
    assert violations(write_policy_of(Policy(overlay=overlay), tmp_path), CHECKS, opa_binary) == []


def test_a_folder_that_opa_cannot_read(tmp_path: Path, opa_binary: Path) -> None:
    """Said in OPA's words; nothing that was not looked at counts as kept."""
    tree = tmp_path / "gateway"
    shutil.copytree(PACK, tree)
    (tree / "arguments" / "arguments.rego").write_text(
        "package gateway.arguments\n\nx := {", encoding="utf-8"
    )
    with pytest.raises(PolicyRefused, match=r"(?s)opa inspect: .*arguments\.rego"):
        violations(tree, CHECKS, opa_binary)
