"""The official Python SDK against a whole gateway, in each mode it has. The client is the stock one, unchanged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from mcp import MCPError
from mcp.client import ClientRequestContext
from mcp_types import (
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitRequestURLParams,
    ElicitResult,
    TextContent,
)

from gateway.demo.approver import ScriptedHuman
from gateway.demo.story import INVOICE, REFUND
from gateway.settings.model import ConfirmSettings
from gateway.upstream.paypal.simulator.seeds import CAPTURE
from tests.hosts.host import approve_what_waits, connected, decision
from tests.support.house import MODERN, House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.upstream.paypal.conversation import ARGUMENTS

LEGACY = "2025-11-25"
READ = {"page": 1, "page_size": 5}
INVOICED = ["POST /v2/invoicing/invoices"]
REFUNDED = [f"POST /v2/payments/captures/{CAPTURE}/refund"]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway that holds each repeat of a waiting call open for a second."""
    async with running_house(tmp_path, hold_s=1) as running:
        yield running


@pytest.mark.parametrize(
    ("mode", "protocol"),
    [(MODERN, MODERN), ("auto", MODERN), ("legacy", LEGACY)],
    ids=["modern", "auto", "legacy"],
)
async def test_each_mode_connects_lists_and_reads(house: House, mode: str, protocol: str) -> None:
    """The version that the mode asks for is spoken, all PayPal tools are listed, and a read is answered."""
    async with connected(house, mode) as client:
        assert client.protocol_version == protocol
        listed = await client.list_tools()
        assert {tool.name for tool in listed.tools} == set(ARGUMENTS)
        read = await client.call_tool("list_invoices", READ)
    assert not read.is_error
    assert read.structured_content is not None
    assert len(read.structured_content["items"]) == 2
    assert house.paypal_writes == []


async def test_auto_learns_who_the_gateway_is(house: House) -> None:
    """``server/discover`` answers the probe of the default mode, so that nothing falls back to initialize."""
    async with connected(house, "auto") as client:
        assert client.server_info is not None
        assert client.server_info.name == "countersign"
        assert client.server_capabilities.tools is not None


@pytest.mark.parametrize("mode", [MODERN, "auto"])
async def test_a_modern_client_completes_a_handshake_by_itself(house: House, mode: str) -> None:
    """One ``call_tool`` of class 3, and the draft invoice is there: two phases on the wire, one effect."""
    async with connected(house, mode) as client:
        done = await client.call_tool("create_invoice", INVOICE)
    assert not done.is_error
    assert house.paypal_writes == INVOICED
    assert [one["status"] for one in house.records()] == ["waiting", "opened", "executed"]


async def test_a_modern_client_waits_by_itself_while_a_person_approves(house: House) -> None:
    """One ``call_tool`` of class 2; a person finds the call at the console and approves; it is carried out once."""
    async with connected(house, MODERN) as client:
        async with asyncio.TaskGroup() as both:
            calling = both.create_task(client.call_tool("create_refund", REFUND))
            both.create_task(approve_what_waits(house))
        done = calling.result()
    assert not done.is_error
    assert done.structured_content is not None
    assert done.structured_content["status"] == "COMPLETED"
    assert house.paypal_writes == REFUNDED
    statuses = [one["status"] for one in house.records()]
    assert statuses[-2:] == ["opened", "executed"]
    assert set(statuses[:-2]) == {"waiting"}


async def test_a_modern_client_that_was_left_waiting_finds_the_approval_later(tmp_path: Path) -> None:
    """Before its rounds run out it is told in words where to go; the same call, made anew, is then carried out."""
    async with running_house(tmp_path, hold_s=0) as house, connected(house, MODERN) as client:
        told = await client.call_tool("create_refund", REFUND)
        assert house.paypal_writes == []
        said = decision(told)
        assert said["status"] == "confirmation_required"
        assert isinstance(told.content[0], TextContent)
        assert said["approve_url"] in told.content[0].text
        await approve_what_waits(house)
        assert not (await client.call_tool("create_refund", REFUND)).is_error
        assert house.paypal_writes == REFUNDED


async def test_a_modern_client_that_can_open_links_is_handed_the_approval_page(house: House) -> None:
    """The host asks its user to open exactly one link; who opens it approves there, and the call completes."""
    human = ScriptedHuman(await house.login())
    opened: list[str] = []

    async def open_link(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestURLParams)
        opened.append(params.url)
        await human.approve(params.url)
        return ElicitResult(action="accept")

    try:
        async with connected(house, MODERN, elicitation=open_link) as client:
            done = await client.call_tool("create_refund", REFUND)
    finally:
        await human.aclose()
    assert not done.is_error
    assert len(opened) == 1
    assert house.paypal_writes == REFUNDED


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
async def test_what_a_host_answers_by_itself_confirms_nothing(
    tmp_path: Path, action: Literal["accept", "decline", "cancel"]
) -> None:
    """Answered unseen, the call goes on waiting; it is not refused either, and a person may still approve it."""

    async def unseen(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        return ElicitResult(action=action, content={"approve": True})

    async with running_house(tmp_path) as house:
        async with connected(house, MODERN, elicitation=unseen) as client:
            told = await client.call_tool("create_refund", REFUND)
        assert decision(told)["status"] == "confirmation_required"
        assert house.paypal_writes == []
        await approve_what_waits(house)
        async with connected(house, MODERN) as client:
            assert not (await client.call_tool("create_refund", REFUND)).is_error
        assert house.paypal_writes == REFUNDED


async def test_a_legacy_client_repeats_the_call(house: House) -> None:
    """Without ``requestState`` the same call again is the second phase, and the third one starts anew."""
    async with connected(house, "legacy") as client:
        asked = await client.call_tool("create_invoice", INVOICE)
        assert not asked.is_error
        assert decision(asked)["status"] == "handshake_required"
        assert house.paypal_writes == []
        assert decision(await client.call_tool("create_invoice", INVOICE)) == {}
        assert house.paypal_writes == INVOICED
        anew = await client.call_tool("create_invoice", INVOICE)
        assert decision(anew)["status"] == "handshake_required"
    assert house.paypal_writes == INVOICED


async def test_a_legacy_client_repeats_the_call_after_a_person_approved(house: House) -> None:
    """Handshake, confirmation with an address, approval there, execution: each is one call of the host."""
    async with connected(house, "legacy") as client:
        assert decision(await client.call_tool("create_refund", REFUND))["status"] == "handshake_required"
        waiting = decision(await client.call_tool("create_refund", REFUND))
        assert waiting["status"] == "confirmation_required"
        human = ScriptedHuman(await house.login())
        try:
            await human.approve(waiting["approve_url"])
        finally:
            await human.aclose()
        done = await client.call_tool("create_refund", REFUND)
    assert not done.is_error
    assert house.paypal_writes == REFUNDED


async def test_a_legacy_client_is_handed_the_page_inside_its_call(house: House) -> None:
    """After the handshake one call is enough: its user opens the page, another person approves there, it completes."""
    human = ScriptedHuman(await house.login())
    opened: list[str] = []

    async def open_link(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestURLParams)
        opened.append(params.url)
        await human.approve(params.url)
        return ElicitResult(action="accept")

    try:
        async with connected(house, "legacy", elicitation=open_link) as client:
            assert decision(await client.call_tool("create_refund", REFUND))["status"] == "handshake_required"
            done = await client.call_tool("create_refund", REFUND)
    finally:
        await human.aclose()
    assert not done.is_error
    assert done.structured_content is not None
    assert done.structured_content["status"] == "COMPLETED"
    assert len(opened) == 1
    assert house.paypal_writes == REFUNDED


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
async def test_what_a_legacy_host_answers_by_itself_confirms_nothing(
    tmp_path: Path, action: Literal["accept", "decline", "cancel"]
) -> None:
    """Answered unseen, the call waits where it waited before, its answer says where, and a person may still approve."""

    async def unseen(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        return ElicitResult(action=action, content={"approve": True})

    async with (
        running_house(tmp_path, confirm=ConfirmSettings(hold_seconds=0, ask_seconds=1)) as house,
        connected(house, "legacy", elicitation=unseen) as client,
    ):
        await client.call_tool("create_refund", REFUND)
        told = await client.call_tool("create_refund", REFUND)
        assert decision(told)["status"] == "confirmation_required"
        assert house.paypal_writes == []
        await approve_what_waits(house)
        assert not (await client.call_tool("create_refund", REFUND)).is_error
        assert house.paypal_writes == REFUNDED


ASKS_THE_HOST = {
    "by": ["human", "host"],
    "quorum": 1,
    "min_assurance": "host",
    "ttl_seconds": 600,
    "separation_of_duties": False,
}


@pytest.mark.parametrize("approves", [True, False])
async def test_a_legacy_client_asks_its_user_where_the_policy_takes_that(
    tmp_path: Path, *, approves: bool
) -> None:
    """A form that shows what will be sent; only an explicit yes in it completes the call."""
    shown: list[str] = []

    async def ask(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        shown.append(params.message)
        return ElicitResult(action="accept", content={"approve": approves})

    policies = copied(tmp_path)
    edit_data(policies, "consent", confirm={"2": ASKS_THE_HOST})
    async with (
        running_house(tmp_path, policy=judged_by(policies)) as house,
        connected(house, "legacy", elicitation=ask) as client,
    ):
        assert decision(await client.call_tool("create_refund", REFUND))["status"] == "handshake_required"
        assert shown == []
        done = await client.call_tool("create_refund", REFUND)
        [message] = shown
        for part in ("25.00 USD", CAPTURE, "agent-one"):
            assert part in message
        assert decision(done).get("status") == (None if approves else "confirmation_required")
        assert house.paypal_writes == (REFUNDED if approves else [])


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_a_refusal_reads_as_a_tool_error_with_its_reason(house: House, mode: str) -> None:
    """The model is told why and what would help; the host sees ``isError``."""
    too_much = {**REFUND, "amount": {"currency_code": "USD", "value": "10000.01"}}
    async with connected(house, mode) as client:
        refused = await client.call_tool("create_refund", too_much)
        with pytest.raises(MCPError, match="no tool 'send_everything'"):
            await client.call_tool("send_everything", {})
    assert refused.is_error
    assert decision(refused)["reasons"][0]["code"] == "money.over_limit"
    assert house.paypal_writes == []
