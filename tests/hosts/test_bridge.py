"""Hosts that start local commands, on the official SDKs, at ``countersign connect`` and a whole gateway behind it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from gateway.demo.approver import ScriptedHuman
from gateway.demo.story import INVOICE, REFUND
from gateway.upstream.paypal.simulator.seeds import CAPTURE
from tests.hosts.host import decision
from tests.support import node_sdk
from tests.support.answers import status_of
from tests.support.bridge import COUNTERSIGN, environment
from tests.support.house import AGENT_TOKEN, MODERN, House, running_house
from tests.support.until import until
from tests.upstream.paypal.conversation import ARGUMENTS

SCRIPT = Path(__file__).with_name("typescript_stdio_host.mjs")
INVOICED = ["POST /v2/invoicing/invoices"]
REFUNDED = [f"POST /v2/payments/captures/{CAPTURE}/refund"]
PAGE = re.compile(r"http://127\.0\.0\.1:\d+/console/pending/[0-9a-f]{64}")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway that holds each repeat of a waiting call open for a second."""
    async with running_house(tmp_path, hold_s=1) as running:
        yield running


@asynccontextmanager
async def connected(house: House, home: Path, mode: str, *options: str) -> AsyncIterator[tuple[Client, Path]]:
    """The SDK's own client, which starts the bridge; and the file in which its standard error ends up."""
    said = home / "bridge.log"
    parameters = StdioServerParameters(
        command=COUNTERSIGN,
        args=["connect", f"{house.url}/mcp", *options],
        env=environment(home, COUNTERSIGN_TOKEN=AGENT_TOKEN),
        cwd=home,
    )
    with said.open("w") as errors:
        async with Client(stdio_client(parameters, errlog=errors), mode=mode) as client:
            yield client, said


def page_in(said: Path) -> str:
    """The address on standard error; empty as long as there is none."""
    found = PAGE.search(said.read_text())
    return found[0] if found else ""


async def approve(house: House, said: Path) -> None:
    """A person reads the address that the bridge says, opens it and approves."""
    await until(lambda: page_in(said))
    await approved_at(house, page_in(said))


@pytest.mark.parametrize("mode", [MODERN, "auto", "legacy"])
async def test_each_mode_connects_lists_and_reads(house: House, tmp_path: Path, mode: str) -> None:
    """What a host sees through the bridge is what it sees at the gateway."""
    async with connected(house, tmp_path, mode) as (client, _):
        assert client.protocol_version == ("2025-11-25" if mode == "legacy" else MODERN)
        assert {tool.name for tool in (await client.list_tools()).tools} == set(ARGUMENTS)
        read = await client.call_tool("list_invoices", {"page": 1, "page_size": 5})
    assert not read.is_error
    assert read.structured_content is not None
    assert len(read.structured_content["items"]) == 2


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_the_bridge_performs_the_handshake(house: House, tmp_path: Path, mode: str) -> None:
    """One ``call_tool`` of class 3 in either era: two phases on the wire, one effect, one call of the host."""
    async with connected(house, tmp_path, mode) as (client, _):
        done = await client.call_tool("create_invoice", INVOICE)
    assert not done.is_error
    assert decision(done) == {}
    assert house.paypal_writes == INVOICED
    assert [one["status"] for one in house.records()] == ["waiting", "opened", "executed"]


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_the_bridge_waits_while_a_person_approves(house: House, tmp_path: Path, mode: str) -> None:
    """Class 2 in either era: standard error says where, a person approves there, the one call is carried out once."""
    seen: list[float] = []

    async def progressed(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async with connected(house, tmp_path, mode) as (client, said):
        async with asyncio.TaskGroup() as both:
            calling = both.create_task(
                client.call_tool("create_refund", REFUND, progress_callback=progressed)
            )
            both.create_task(approve(house, said))
        done = calling.result()
    assert not done.is_error
    assert done.structured_content is not None
    assert done.structured_content["status"] == "COMPLETED"
    assert house.paypal_writes == REFUNDED
    assert seen
    assert seen == sorted(set(seen))


async def test_a_host_is_told_to_come_again_when_patience_ends(house: House, tmp_path: Path) -> None:
    """Nobody confirms: the plain result, nothing executed; after the approval the repeated call is carried out."""
    async with connected(house, tmp_path, "legacy", "--patience", "0") as (client, _):
        waiting = decision(await client.call_tool("create_refund", REFUND))
        assert waiting["status"] == "confirmation_required"
        assert house.paypal_writes == []
        await approved_at(house, waiting["approve_url"])
        done = await client.call_tool("create_refund", REFUND)
    assert not done.is_error
    assert house.paypal_writes == REFUNDED


async def approved_at(house: House, url: str) -> None:
    """Another person approves at the console."""
    human = ScriptedHuman(await house.login())
    try:
        await human.approve(url)
    finally:
        await human.aclose()


async def test_the_typescript_sdk_starts_the_bridge(house: House, tmp_path: Path) -> None:
    """What most hosts are built on: lists, reads, and a class 3 call that is one call for the host."""
    saw = await node_sdk.run(
        SCRIPT,
        {
            "COMMAND": COUNTERSIGN,
            "URL": f"{house.url}/mcp",
            "BRIDGE_ENV": msgspec.json.encode(environment(tmp_path, COUNTERSIGN_TOKEN=AGENT_TOKEN)).decode(),
            "CALLS": msgspec.json.encode(
                [
                    {"name": "list_invoices", "arguments": {"page": 1}},
                    {"name": "create_invoice", "arguments": INVOICE},
                ]
            ).decode(),
        },
    )
    assert sorted(saw["tools"]) == sorted(ARGUMENTS)
    assert [status_of({"result": result}) for result in saw["results"]] == ["executed", "executed"]
    assert house.paypal_writes == INVOICED
