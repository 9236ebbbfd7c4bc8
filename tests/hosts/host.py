"""The stock client of the official Python SDK, connected to a house; and who approves at the console meanwhile."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.session import ElicitationFnT, MessageHandlerFnT
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

from gateway.demo.approver import ScriptedHuman
from tests.support.answers import DECISION
from tests.support.console import signed_in
from tests.support.house import AGENT_TOKEN, House

LINK = re.compile(r'href="([^"]*/pending/[0-9a-f]{64})"')


@asynccontextmanager
async def connected(
    house: House,
    mode: str,
    server: str = "",
    elicitation: ElicitationFnT | None = None,
    messages: MessageHandlerFnT | None = None,
) -> AsyncIterator[Client]:
    """The SDK's client with the agent's token; nothing about it is ours. With ``elicitation`` it can ask its user,
    and ``messages`` hears what the server says on its own account."""
    url = f"{house.url}/mcp/{server}" if server else f"{house.url}/mcp"
    headers = {"authorization": f"Bearer {AGENT_TOKEN}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30, trust_env=False) as http,
        Client(
            streamable_http_client(url, http_client=http),
            mode=mode,
            elicitation_callback=elicitation,
            message_handler=messages,
        ) as client,
    ):
        yield client


async def approve_what_waits(house: House) -> str:
    """Somebody looks at the console's list until a call waits there, and another person approves it.

    The stock client tells nobody the address of the page, so that is how a person finds it.
    """
    async with signed_in(house, "watcher") as watcher:
        while (link := LINK.search((await watcher.open(f"{house.url}/console/")).text)) is None:
            pass
    url = str(httpx2.URL(house.url).join(link[1]))
    human = ScriptedHuman(await house.login())
    try:
        await human.approve(url)
    finally:
        await human.aclose()
    return url


def decision(result: CallToolResult) -> dict[str, Any]:
    """What the gateway says about its decision; empty where the upstream's answer passes through."""
    return dict((result.meta or {}).get(DECISION, {}))
