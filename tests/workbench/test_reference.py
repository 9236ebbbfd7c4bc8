"""The reference is the policy's own words."""

from pathlib import Path

from gateway.workbench.pack import read_pack
from gateway.workbench.reference import reference
from tests.workbench.conftest import edited


def test_every_reason_and_every_rule_is_in_it(folder: Path) -> None:
    """With outcome and remedy, and the title of the rule."""
    pack = read_pack(folder)
    text = reference(pack)
    for code, reason in pack.reasons.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{code}` |")]
        assert f"| {reason.outcome} |" in line
    for rule in pack.rules:
        assert rule.description in text


def test_a_text_cannot_leave_its_cell(folder: Path) -> None:
    """A bar in a message is a bar, not another column."""
    edited(folder / "reasons" / "data.yaml", "remedy: Use a client that supports DPoP.", 'remedy: "a | b"')
    (line,) = [
        line for line in reference(read_pack(folder)).splitlines() if "identity.proof_required" in line
    ]
    assert "a \\| b" in line
