"""A gateway with a candidate beside its policy, over real sockets: what is counted, and that no call notices."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from gateway.policy.loading import CAPABILITIES
from gateway.settings.model import PolicySettings
from gateway.settings.shadow import ShadowSettings
from gateway.shadow.report import Hold, Report, read_report, write_report
from tests.shadow.conftest import tally
from tests.support.answers import status_of
from tests.support.calls import READ, first_phase, refund
from tests.support.house import running_house
from tests.support.opa_process import OpaProcess
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.scripted_http import read_request, serve


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    """A candidate that serves no reads to agents."""
    policies = copied(tmp_path / "candidate")
    edit_data(policies, "identity", roles={"4": ["approver"]})
    return policies


def shadowed(folder: Path, **how: Any) -> ShadowSettings:
    """Settings of the shadow, with its report in this folder."""
    return ShadowSettings(**{"report": str(folder / "shadow.json"), "timeout_s": 20, "hold_above": 1, **how})


def report_of(folder: Path) -> Report:
    """What the gateway wrote."""
    return read_report(folder / "shadow.json")


async def test_a_candidate_that_differs_is_counted_and_carried_out_nowhere(
    tmp_path: Path, stricter: Path
) -> None:
    """The call that the candidate would refuse runs; a handshake that both want is the same."""
    async with running_house(tmp_path, shadow=shadowed(tmp_path, path=str(stricter))) as house:
        assert status_of(await house.call("list_invoices", READ)) == "executed"
        await first_phase(house, "create_refund", refund())
    found = report_of(tmp_path)
    assert {row.tool: row.diverged for row in found.rows} == {
        "list_invoices": {"stricter": 1},
        "create_refund": {},
    }
    (sample,) = found.samples
    assert (sample.before.outcome, sample.after.outcome) == ("allow", "deny")
    assert "identity.role_missing" in sample.after.codes
    assert found.live != found.candidate


async def test_another_opa_beside_an_opa(tmp_path: Path, stricter: Path, opa_binary: Path) -> None:
    """Two real ones: the live policy and the candidate."""
    live = copied(tmp_path / "live")
    for policies in (live, stricter):
        (policies / ".manifest").rename(policies.parent / ".manifest")
        (policies.parent / CAPABILITIES).unlink()
    with OpaProcess(opa_binary, live.parent) as one, OpaProcess(opa_binary, stricter.parent) as other:
        async with running_house(
            tmp_path,
            policy=PolicySettings(engine="opa", opa_url=one.url, timeout_s=20),
            shadow=shadowed(tmp_path, opa_url=other.url),
        ) as house:
            assert status_of(await house.call("list_invoices", READ)) == "executed"
    found = report_of(tmp_path)
    assert (found.engine, found.rows[0].diverged) == ("opa", {"stricter": 1})


async def test_a_call_does_not_wait_for_a_candidate_that_hangs(tmp_path: Path) -> None:
    """It is answered while the candidate still holds the question; the gateway ends without it, too."""
    holds = asyncio.Event()

    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await read_request(reader)
        holds.set()
        await reader.read()

    async with (
        serve(hangs) as server,
        running_house(tmp_path, shadow=shadowed(tmp_path, opa_url=server.url, timeout_s=600)) as house,
    ):
        assert status_of(await house.call("list_invoices", READ)) == "executed"
        await holds.wait()
        assert status_of(await house.call("list_invoices", READ)) == "executed"
    assert (report_of(tmp_path).asked, report_of(tmp_path).lost) == (0, 2)


async def test_a_broken_candidate_is_refused_and_the_gateway_serves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log and the report say why; calls are judged by the live policy as ever."""
    broken = copied(tmp_path / "candidate")
    (broken / "money" / "money.rego").write_text("package gateway.money\n{", encoding="utf-8")
    with caplog.at_level(logging.ERROR, "countersign.shadow"):
        async with running_house(tmp_path, shadow=shadowed(tmp_path, path=str(broken))) as house:
            assert status_of(await house.call("list_invoices", READ)) == "executed"
    assert "candidate REFUSED" in caplog.text
    found = report_of(tmp_path)
    assert (found.state, found.asked) == ("refused", 0)
    assert found.error


async def test_a_restart_is_no_way_out_of_a_hold(tmp_path: Path, stricter: Path) -> None:
    """The same candidate stays held, though it now answers as the live policy does; an edited one begins anew."""
    shadow = shadowed(tmp_path, path=str(stricter), hold_above=0, hold_after=1)
    async with running_house(tmp_path, shadow=shadow) as house:
        await house.call("list_invoices", READ)
    assert report_of(tmp_path).state == "held"
    async with running_house(tmp_path, shadow=shadow) as house:
        await first_phase(house, "create_refund", refund())
    assert (report_of(tmp_path).state, report_of(tmp_path).diverged) == ("held", 0)
    edit_data(stricter, "identity", roles={"4": ["agent", "approver"]})
    async with running_house(tmp_path, shadow=shadow) as house:
        await house.call("list_invoices", READ)
    assert report_of(tmp_path).state == "watching"


async def test_a_damaged_report_is_said_and_begun_again(
    tmp_path: Path, stricter: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody knows whether there was a hold."""
    (tmp_path / "shadow.json").write_text("{")
    async with running_house(tmp_path, shadow=shadowed(tmp_path, path=str(stricter))) as house:
        await house.call("list_invoices", READ)
    assert "a hold in it is lost" in caplog.text
    assert report_of(tmp_path).asked == 1


async def test_a_hold_of_another_opas_revision_ends_when_that_opa_answers(
    tmp_path: Path, stricter: Path, opa_binary: Path
) -> None:
    """Before it answers, the hold stays: its revision is not known."""
    held = Hold(at=1.0, candidate="another", live="l", asked=1, diverged=1)
    write_report(tmp_path / "shadow.json", tally(held=held).report(0))
    (stricter / ".manifest").rename(stricter.parent / ".manifest")
    (stricter.parent / CAPABILITIES).unlink()
    with OpaProcess(opa_binary, stricter.parent) as opa:
        async with running_house(
            tmp_path, policy=judged_by(copied(tmp_path)), shadow=shadowed(tmp_path, opa_url=opa.url)
        ) as house:
            await house.call("list_invoices", READ)
    assert report_of(tmp_path).held is None
