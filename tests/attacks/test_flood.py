"""Floods: more than a caller may ask. It is told to wait, the others notice nothing, and PayPal sees nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.settings.model import RateSettings
from tests.support.answers import codes_of, status_of
from tests.support.calls import READ, first_phase, invoice
from tests.support.house import OTHER_TOKEN, House, running_house
from tests.support.traces import Trace

LIMITS = RateSettings(requests_per_minute=60, burst=5, sensitive_per_minute=3, logins_per_minute=2)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway with small limits."""
    async with running_house(tmp_path, rates=LIMITS) as running:
        yield running


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_burst_above_the_limit(house: House, era: str) -> None:
    """429 with Retry-After, in the protocol's own words too; every request has its record; another caller goes on."""
    trace = Trace(house)
    params = {"name": "list_invoices", "arguments": READ}
    answers = await asyncio.gather(*(house.rpc("tools/call", params, era=era) for _ in range(12)))
    refused = [one for one in answers if one.status_code == 429]
    assert 5 <= len(refused) <= 7
    for one in refused:
        error = one.json()["error"]
        assert error["data"]["code"] == "rate.exceeded"
        assert error["data"]["retryAfter"] == int(one.headers["retry-after"]) >= 1
    assert len(trace.paypal) == 12 - len(refused)
    assert len(trace.records) == 12
    assert [one["error"] for one in trace.records].count("rate.exceeded") == len(refused)
    assert status_of(await house.call("list_invoices", READ, token=OTHER_TOKEN, era=era)) == "executed"
    listing = await house.rpc("tools/list", era=era)
    assert listing.status_code == 429


async def test_phases_at_two_gateways_count_together(house: House, tmp_path: Path) -> None:
    """Class 3: three phases a minute, wherever they are tried. A token that was refused so is not burnt."""
    (tmp_path / "second").mkdir()
    async with running_house(tmp_path / "second", state_url=house.settings.state.url, rates=LIMITS) as second:
        house.clock.advance(60 - house.clock() % 60)
        second.clock.advance(60 - second.clock() % 60)
        token = await first_phase(house, "create_invoice", invoice("a"))
        await first_phase(second, "create_invoice", invoice("b"))
        await first_phase(house, "create_invoice", invoice("c"))
        for gateway in (second, house):
            trace = Trace(gateway)
            answer = await gateway.call("create_invoice", invoice("a"), state=token)
            assert codes_of(answer) == ["rate.tool_exceeded"]
            trace.refused_unseen("rate.tool_exceeded")
        assert await first_phase(second, "create_invoice", invoice("a"), token=OTHER_TOKEN)
    async with running_house(tmp_path / "second", state_url=house.settings.state.url) as later:
        assert status_of(await later.call("create_invoice", invoice("a"), state=token)) == "executed"


async def test_sign_ins_without_end(house: House) -> None:
    """By address, before the link is looked at."""
    for expected in (False, False, True, True):
        answer = await house.http.post(
            "/console/login", data={"token": "x" * 43}, headers={"origin": house.url}
        )
        assert (answer.status_code == 429) is expected
        assert ("retry-after" in answer.headers) is expected
    assert (await house.http.get("/healthz")).status_code == 200
