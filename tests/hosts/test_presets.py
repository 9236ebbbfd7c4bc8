"""PayPal's own server behind the gateway, seen by a stock host."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client

from gateway.settings.model import PayPalSettings, UpstreamSettings
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.toolkit import ANNOTATIONS
from tests.hosts.host import connected, decision
from tests.support.house import MODERN, House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.toolkit_server import ToolkitServer, http_error, running_toolkit

REFUND = {"capture_id": "2GG279541U471931P", "amount": {"currency_code": "USD", "value": "1000000.00"}}


@asynccontextmanager
async def behind(folder: Path, mode: str) -> AsyncIterator[tuple[ToolkitServer, House, Client]]:
    """The toolkit, a house that has nothing else, and a host there. Unapproved tools are let through with a warning."""
    policies = copied(folder)
    edit_data(policies, "migration", phase="preparation")
    async with running_toolkit() as (toolkit, _):
        one = UpstreamSettings(preset="paypal-remote", url=toolkit.url)
        async with (
            running_house(
                folder,
                policy=judged_by(policies),
                upstreams={"pp": one},
                paypal=PayPalSettings(enabled=False),
            ) as house,
            connected(house, mode, "pp") as client,
        ):
            yield toolkit, house, client


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_a_host_is_told_what_the_toolkit_does_not_say(tmp_path: Path, mode: str) -> None:
    """Our annotations for the 28; what nobody classified is not shown."""
    async with behind(tmp_path, mode) as (_, _, client):
        tools = (await client.list_tools()).tools
    assert {one.name for one in tools} == set(TOOLS)
    for one in tools:
        assert one.annotations is not None
        assert one.annotations.destructive_hint == ANNOTATIONS[one.name]["destructiveHint"]


async def test_a_call_is_judged_and_its_outcome_is_told(tmp_path: Path) -> None:
    """A read; a read that PayPal refused; a hazard that goes no further; a refund over the limit."""
    async with behind(tmp_path, "legacy") as (toolkit, house, client):
        read = await client.call_tool("list_products", {"page": 1})
        assert not read.is_error
        toolkit.answer = http_error(404)
        assert (await client.call_tool("show_product_details", {"product_id": "PROD-123456"})).is_error
        sent = len(toolkit.bodies)
        injected = await client.call_tool("list_subscription_plans", {"product_id": "PROD-1&page_size=20"})
        assert injected.is_error
        over = await client.call_tool("create_refund", REFUND)
        assert decision(over)["status"] == "refused"
        assert len(toolkit.bodies) == sent == 2
        codes = house.records()[-1]["reasons"]
    assert [code for code in codes if code.startswith(("money.", "limits."))], codes
