"""A policy folder as its author sees it."""

from pathlib import Path

import pytest

from gateway.policy.engine import PolicyRefused
from gateway.workbench.pack import read_pack
from tests.workbench.conftest import appended


def test_every_reason_that_ships_is_said_by_its_own_room(folder: Path) -> None:
    """Found by reading, where the policy about policies asks OPA: both agree."""
    pack = read_pack(folder)
    assert pack.reasons.keys() == pack.said.keys()
    for code, places in pack.said.items():
        assert all(place.module.startswith(f"gateway/{code.split('.')[0]}/") for place in places)
        assert all(place.rule is not None and place.rule.title for place in places)


def test_data_and_rules_are_there(folder: Path) -> None:
    """The tree as rules see it, below `data.gateway`."""
    pack = read_pack(folder)
    assert pack.data["migration"]["phase"] == "enforcement"
    assert any(rule.package == "gateway.decision" and rule.title == "Answer" for rule in pack.rules)


def test_an_entry_that_is_no_reason_is_an_empty_one(folder: Path) -> None:
    """The linter has something to say then; reading does not fail."""
    appended(folder / "reasons" / "data.yaml", "  arguments.strange: deny\n  arguments.half: {outcome: 3}\n")
    reasons = read_pack(folder).reasons
    assert reasons["arguments.strange"] == reasons["arguments.half"]
    assert reasons["arguments.strange"].outcome == ""


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """It is not the policy that was meant."""
    with pytest.raises(PolicyRefused):
        read_pack(tmp_path)
