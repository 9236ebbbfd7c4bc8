"""A ramp over real sockets: it reaches some callers, calls and listings agree, and a held candidate stops it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.identity.static import STATIC_ISSUER
from gateway.policy.loading import CAPABILITIES
from gateway.policy.ramp import ramp_of
from gateway.settings.model import PolicySettings
from gateway.settings.shadow import ShadowSettings
from gateway.shadow.report import read_report
from tests.support.answers import codes_of, status_of
from tests.support.calls import READ
from tests.support.house import AGENT_TOKEN, OTHER_TOKEN, House, running_house
from tests.support.opa_process import OpaProcess
from tests.support.policy_copies import copied, edit_data, judged_by

NUMBER = ramp_of(STATIC_ISSUER, "agent-one")


@pytest.fixture
def ramped(tmp_path: Path) -> Path:
    """No evidence counts, in preparation; for the part of the callers that the first agent is in it is enforced."""
    policies = copied(tmp_path)
    edit_data(policies, "catalog", accepted_evidence=[])
    ramp = {"phase": "enforcement", "share": 1, "first": NUMBER}
    edit_data(policies, "migration", phase="preparation", ramps={"classes": {"4": ramp}})
    return policies


async def some_are_enforced_upon(house: House) -> None:
    """The agent whom the ramp has reached is refused and shown nothing; the other is served, with the warning."""
    assert ramp_of(STATIC_ISSUER, "agent-two") != NUMBER
    refused = await house.call("list_invoices", READ)
    assert (status_of(refused), "catalog.unverified" in codes_of(refused)) == ("refused", True)
    assert house.paypal_calls == 0
    other = await house.call("list_invoices", READ, token=OTHER_TOKEN)
    assert status_of(other) == "executed"
    assert "catalog.unverified" in str(other)
    for token, seen in ((AGENT_TOKEN, False), (OTHER_TOKEN, True)):
        listing = await house.rpc("tools/list", token=token)
        assert ("list_invoices" in {tool["name"] for tool in listing.json()["result"]["tools"]}) is seen


async def test_embedded(tmp_path: Path, ramped: Path) -> None:
    """In this process."""
    async with running_house(tmp_path, policy=judged_by(ramped, timeout_s=20)) as house:
        await some_are_enforced_upon(house)


async def test_opa(tmp_path: Path, ramped: Path, opa_binary: Path) -> None:
    """And by a real OPA."""
    (ramped / ".manifest").rename(ramped.parent / ".manifest")
    (ramped.parent / CAPABILITIES).unlink()
    with OpaProcess(opa_binary, ramped.parent) as opa:
        chosen = PolicySettings(engine="opa", opa_url=opa.url, timeout_s=20)
        async with running_house(tmp_path, policy=chosen) as house:
            await some_are_enforced_upon(house)


async def test_a_held_candidate_stops_the_ramp(tmp_path: Path, ramped: Path) -> None:
    """It would let through what the ramp refuses: held. From then on the phase is the one without the ramp."""
    shadow = ShadowSettings(
        path=str(copied(tmp_path / "candidate")),
        report=str(tmp_path / "shadow.json"),
        timeout_s=20,
        hold_above=0,
        hold_after=1,
    )
    policy = judged_by(ramped, timeout_s=20)
    async with running_house(tmp_path, policy=policy, shadow=shadow) as house:
        assert "catalog.unverified" in codes_of(await house.call("list_invoices", READ))
    assert read_report(tmp_path / "shadow.json").state == "held"
    async with running_house(tmp_path, policy=policy, shadow=shadow) as house:
        answer = await house.call("list_invoices", READ)
    assert status_of(answer) == "executed"
    assert "catalog.unverified" in str(answer)
