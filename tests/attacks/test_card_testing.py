"""Card testing: a stolen agent tries payments until one is not declined. After a few it sends nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.policy.loading import CAPABILITIES
from gateway.settings.model import PolicySettings
from gateway.upstream.paypal.simulator.faults import Fault, Match
from tests.support.answers import codes_of, status_of
from tests.support.calls import PAY, READ, first_phase
from tests.support.house import OTHER_TOKEN, House, running_house
from tests.support.opa_process import OpaProcess
from tests.support.policy_copies import copied, edit_data
from tests.support.traces import Trace
from tests.support.until import until_answered

TRIES = 4
DECLINED = {
    "name": "UNPROCESSABLE_ENTITY",
    "message": "The instrument was declined.",
    "details": [{"issue": "INSTRUMENT_DECLINED", "description": "The instrument was declined."}],
}
CAPTURE = Match(method="POST", path="/v2/checkout/orders/.*/capture")


@pytest.fixture
async def policy(tmp_path: Path, opa_binary: Path) -> AsyncIterator[PolicySettings]:
    """A shop whose payments take the handshake alone, in a real OPA: four of them may fail within an hour."""
    policies = copied(tmp_path)
    edit_data(policies, "classes", tools={"pay_order": 3})
    edit_data(policies, "usage", classes={"3": {"failures": {"hour": TRIES}}})
    (policies / ".manifest").rename(policies.parent / ".manifest")
    (policies.parent / CAPABILITIES).unlink()
    with OpaProcess(opa_binary, policies.parent) as opa:
        yield PolicySettings(engine="opa", opa_url=opa.url, timeout_s=20)


@pytest.fixture
async def house(tmp_path: Path, policy: PolicySettings) -> AsyncIterator[House]:
    """A gateway before a PayPal that declines whatever is paid."""
    async with running_house(tmp_path, policy=policy) as running:
        running.clock.advance(
            -(running.clock() % 3600)
        )  # the beginning of an hour: what is counted stays for a while
        running.simulator.faults.add(
            Fault(kind="status", status=422, body=DECLINED, match=CAPTURE, times=999)
        )
        yield running


async def tried(house: House, **how: Any) -> dict[str, Any]:
    """One payment, with its handshake."""
    return await house.call("pay_order", PAY, state=await first_phase(house, "pay_order", PAY, **how), **how)


async def test_one_declined_payment_after_another(house: House) -> None:
    """The next is refused in its first phase, and PayPal sees nothing of it; neither others nor reads are concerned."""
    for _ in range(TRIES):
        assert status_of(await tried(house)) == "failed"
    trace = Trace(house)
    refused = await house.call("pay_order", PAY)
    assert (status_of(refused), codes_of(refused)[0]) == ("refused", "usage.failures_exceeded")
    assert trace.writes == []
    assert trace.record["reasons"][0] == "usage.failures_exceeded"
    assert status_of(await house.call("list_invoices", READ)) == "executed"
    assert status_of(await tried(house, token=OTHER_TOKEN)) == "failed"


async def test_a_handshake_from_before_is_worth_nothing(house: House) -> None:
    """Attack: collect tokens while they are given, and use them all afterwards."""
    token = await first_phase(house, "pay_order", PAY)
    for _ in range(TRIES):
        await tried(house)
    trace = Trace(house)
    refused = await house.call("pay_order", PAY, state=token)
    assert (status_of(refused), codes_of(refused)[0]) == ("refused", "usage.failures_exceeded")
    assert trace.writes == []


async def test_calls_whose_end_nobody_knows_count_as_well(house: House) -> None:
    """Attack: have PayPal stumble, so that nothing is ever called declined."""
    house.simulator.faults.clear()
    house.simulator.faults.add(Fault(kind="status", status=500, match=CAPTURE, times=999))
    trace = Trace(house)
    for _ in range(TRIES):
        await tried(house)
    assert [one["status"] for one in trace.records].count("unknown") == TRIES
    trace = Trace(house)
    assert codes_of(await house.call("pay_order", PAY))[0] == "usage.failures_exceeded"
    assert trace.writes == []


async def test_it_is_over_when_the_window_is(house: House) -> None:
    """Two hours later everything of it has slid out."""
    for _ in range(TRIES):
        await tried(house)
    house.clock.advance(7200)
    assert status_of(await tried(house)) == "failed"


async def test_another_gateway_knows(house: House, tmp_path: Path, policy: PolicySettings) -> None:
    """Attack: try half of them here and the rest there. Within a second or so both count the same."""
    for _ in range(TRIES):
        await tried(house)
    (tmp_path / "second").mkdir()
    async with AsyncExitStack() as stack:
        second = await stack.enter_async_context(
            running_house(tmp_path / "second", policy=policy, state_url=house.settings.state.url)
        )
        second.clock.advance(house.clock() - second.clock())

        async def refused() -> bool:
            return codes_of(await second.call("pay_order", PAY))[0] == "usage.failures_exceeded"

        await until_answered(refused)
        assert second.paypal_writes == []
