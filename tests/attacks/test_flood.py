"""Floods: more than a caller may ask. It is told to wait, the others notice nothing, and PayPal sees nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from gateway.settings.model import DoorSettings, RateSettings
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
async def test_a_burst_above_the_limit(tmp_path: Path, era: str) -> None:
    """429 with Retry-After, in the protocol's own words too; every request has its record; another caller goes on."""
    # One a minute comes back: however slow the machine is, none does meanwhile.
    limits = RateSettings(requests_per_minute=1, burst=5, sensitive_per_minute=0)
    params = {"name": "list_invoices", "arguments": READ}
    async with running_house(tmp_path, rates=limits) as house:
        trace = Trace(house)
        answers = await asyncio.gather(*(house.rpc("tools/call", params, era=era) for _ in range(12)))
        refused = [one for one in answers if one.status_code == 429]
        assert len(refused) == 7
        for one in refused:
            error = one.json()["error"]
            assert error["data"]["code"] == "rate.exceeded"
            assert error["data"]["retryAfter"] == int(one.headers["retry-after"]) >= 1
        assert len(trace.paypal) == 5
        assert len(trace.records) == 12
        assert [one["error"] for one in trace.records].count("rate.exceeded") == 7
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


async def test_a_flood_of_strangers(tmp_path: Path) -> None:
    """Told to wait before their tokens are looked at, and with them whoever else is at that address; no record is
    written and nothing is asked of anybody. Callers at other addresses notice nothing, and use nothing up."""
    limits = RateSettings(strangers_per_minute=5, requests_per_minute=0, sensitive_per_minute=0)
    door = DoorSettings(address_header="X-Forwarded-For", trusted_proxies=("127.0.0.0/8",))
    async with running_house(tmp_path, rates=limits, door=door) as house:

        async def asked(address: str, token: str | None) -> httpx.Response:
            seen = {"x-forwarded-for": f"198.51.100.1, {address}"}
            return await house.rpc("tools/list", token=token, headers=seen)

        for _ in range(9):
            assert (await asked("192.0.2.1", OTHER_TOKEN)).status_code == 200
        answers = [await asked("192.0.2.1", f"guess-{number}") for number in range(4)]
        answers += [await asked("192.0.2.1", None)]
        assert [one.status_code for one in answers] == [401] * 5
        records = len(house.records("call") + house.records("list"))
        for token in ("guess", None, OTHER_TOKEN):
            refused = await asked("192.0.2.1", token)
            assert (refused.status_code, refused.json()["error"]) == (429, "rate.stranger_exceeded")
            assert 1 <= int(refused.headers["retry-after"]) <= 12
        assert len(house.records("call") + house.records("list")) == records
        assert (await asked("192.0.2.2", OTHER_TOKEN)).status_code == 200
        assert (await asked("192.0.2.2", None)).status_code == 401
        assert house.paypal_calls == 0


async def test_a_stranger_does_not_choose_its_address(tmp_path: Path) -> None:
    """Unless the operator named a proxy, the header is text like any other."""
    limits = RateSettings(strangers_per_minute=3, requests_per_minute=0, sensitive_per_minute=0)
    async with running_house(tmp_path, rates=limits) as house:
        statuses = [
            (
                await house.rpc("tools/list", token="guess", headers={"x-forwarded-for": f"192.0.2.{number}"})
            ).status_code
            for number in range(5)
        ]
        assert statuses == [401, 401, 401, 429, 429]


async def test_a_caller_at_many_gateways_is_one_caller(tmp_path: Path) -> None:
    """Each gateway alone would let more through; together they let through what one would, and a lot each."""
    limits = RateSettings(requests_per_minute=32, burst=32, sensitive_per_minute=0)
    async with AsyncExitStack() as stack:
        houses: list[House] = []
        for number in range(3):
            (tmp_path / str(number)).mkdir()
            state = houses[0].settings.state.url if houses else None
            houses.append(
                await stack.enter_async_context(
                    running_house(tmp_path / str(number), state_url=state, rates=limits)
                )
            )
        for one in houses:
            one.clock.advance(60 - one.clock() % 60)
        good = 0
        for _ in range(40):
            for one in houses:
                good += (await one.rpc("tools/list")).status_code == 200
        assert 64 <= good <= 64 + 3 * 3
        assert (await houses[0].rpc("tools/list", token=OTHER_TOKEN)).status_code == 200


async def test_sign_ins_without_end(house: House) -> None:
    """By address, before the link is looked at."""
    for expected in (False, False, True, True):
        answer = await house.http.post(
            "/console/login", data={"token": "x" * 43}, headers={"origin": house.url}
        )
        assert (answer.status_code == 429) is expected
        assert ("retry-after" in answer.headers) is expected
    assert (await house.http.get("/healthz")).status_code == 200
