"""What ETDI costs a server: its listing over HTTP with and without, by number of tools (R177).

``python -m tests.bench.etdi_listing`` prints p50 and p95 in milliseconds; cold is the first listing, with every token.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from mcp.client import Client
from mcp.server import MCPServer

from gateway.authoring.server import SecureServer
from gateway.serving import serving
from tests.authoring.secured import etdi_of
from tests.support.tool_idp import running_tool_idp

COUNTS = (1, 10, 100)
ROUNDS = 15


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds."""

    tools: int
    etdi: bool
    cold: float
    p50: float
    p95: float


async def measure(counts: Sequence[int] = COUNTS, rounds: int = ROUNDS) -> list[Row]:
    """Every count, plain and secured."""
    rows = []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            async with running_tool_idp() as idp:
                rows.append(await _listed(MCPServer("plain", log_level="WARNING"), count, rounds, etdi=False))
                secured = SecureServer("secured", etdi=etdi_of(idp, Path(folder)), log_level="WARNING")
                rows.append(await _listed(secured, count, rounds, etdi=True))
    return rows


async def _listed(server: MCPServer[Any], count: int, rounds: int, *, etdi: bool) -> Row:
    for number in range(count):
        server.add_tool(_tool, name=f"tool-{number}", description=f"Does a thing of the {number}th kind.")
    started = time.perf_counter()
    async with (
        serving(server.streamable_http_app(json_response=True), lifespan=True) as port,
        Client(f"http://127.0.0.1:{port}/mcp") as client,
    ):
        await client.list_tools()
        cold = time.perf_counter() - started
        taken = []
        for _ in range(rounds):
            before = time.perf_counter()
            await client.list_tools(cache_mode="bypass")
            taken.append(time.perf_counter() - before)
    at = statistics.quantiles(taken, n=20, method="inclusive") if len(taken) > 1 else [taken[0]] * 19
    return Row(tools=count, etdi=etdi, cold=cold * 1e3, p50=at[9] * 1e3, p95=at[18] * 1e3)


def _tool(path: str, lines: int = 10) -> str:
    return f"{path}{lines}"


def main() -> None:
    """Print the table."""
    print(f"{'tools':>6} {'etdi':>5} {'cold':>9} {'p50':>8} {'p95':>8}")
    for row in asyncio.run(measure()):
        said = "yes" if row.etdi else "no"
        print(f"{row.tools:>6} {said:>5} {row.cold:>9.1f} {row.p50:>8.2f} {row.p95:>8.2f}")


if __name__ == "__main__":
    main()
