"""Upstream and proxies are real MCP servers: the SDK's own client gets its answers through each of them."""

import asyncio
from pathlib import Path

import httpx2
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.client import ConnectMode
from mcp.client.streamable_http import streamable_http_client

from tests.bench.legs import YARDSTICKS, Leg, Site
from tests.bench.processes import Cores, Fleet
from tests.bench.workload import TOOL, Era

MODES: dict[Era, ConnectMode] = {Era.MODERN: "2026-07-28", Era.LEGACY: "legacy"}


@pytest.mark.parametrize("era", list(Era))
@pytest.mark.parametrize(
    "leg", [leg for leg in YARDSTICKS if leg.missing() is None], ids=lambda leg: leg.name
)
async def test_a_real_client_lists_and_calls_through(leg: Leg, era: Era, tmp_path: Path) -> None:
    """Through every yardstick and in both eras: 28 tools, and the answer to the very call that was made."""
    with Fleet(Cores(None, None), tmp_path) as fleet:
        _, port = fleet.start_module("tests.bench.upstream", "load")
        target = await asyncio.to_thread(leg.start, Site(fleet, era, port, tmp_path))
        url = f"http://127.0.0.1:{target.port}{target.path}"
        async with (
            httpx2.AsyncClient(headers=dict(target.headers), trust_env=False) as http,
            Client(streamable_http_client(url, http_client=http), mode=MODES[era]) as client,
        ):
            assert len((await client.list_tools()).tools) == 28
            result = await client.call_tool(TOOL, {"disputed_transaction_id": "BENCH-real-client"})
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    assert "BENCH-real-client" in content.text
    assert result.is_error is not True
