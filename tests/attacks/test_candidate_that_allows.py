"""Attack: a candidate policy that says yes to everything is set beside the live one, to move money through it."""

from __future__ import annotations

from pathlib import Path

from gateway.settings.shadow import ShadowSettings
from gateway.shadow.report import read_report
from tests.support.answers import status_of
from tests.support.calls import refund
from tests.support.house import running_house
from tests.support.policy_copies import ALLOWS_ALL, with_decision


async def test_a_candidate_that_allows_moves_no_money(tmp_path: Path) -> None:
    """The live policy's handshake is asked for, PayPal hears nothing; the report says how lax the candidate is."""
    shadow = ShadowSettings(
        path=str(with_decision(tmp_path, ALLOWS_ALL)),
        report=str(tmp_path / "shadow.json"),
        timeout_s=20,
        hold_above=0,
        hold_after=1,
    )
    async with running_house(tmp_path, shadow=shadow) as house:
        assert status_of(await house.call("create_refund", refund())) == "handshake_required"
        assert house.paypal_writes == []
    found = read_report(tmp_path / "shadow.json")
    assert (found.state, found.rows[0].diverged) == ("held", {"laxer": 1})
