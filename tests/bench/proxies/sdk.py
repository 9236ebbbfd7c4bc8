"""`sdk-proxy`: the fastest proxy that the MCP SDK's own classes give.

A low-level Server, one shared connected Client, JSON answers. `get_tool_input_schema` is passed: without it
the SDK runs the whole tools/list handler before each modern tools/call, which more than doubles the cost.
"""

from __future__ import annotations

import mcp_types as types
import uvloop
from mcp import Client
from mcp.client.client import ConnectMode
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from tests.bench.proxies.serving import Arguments, arguments, server


async def run(given: Arguments) -> None:
    """Connect upstream, list the tools once, serve until ended."""
    mode: ConnectMode = "legacy" if given.era == "legacy" else "2026-07-28"
    async with Client(given.upstream_url, mode=mode) as upstream:
        listing = await upstream.list_tools()
        schemas = {tool.name: tool.input_schema for tool in listing.tools}

        async def list_tools(
            context: ServerRequestContext, params: types.PaginatedRequestParams | None
        ) -> types.ListToolsResult:
            return listing

        async def call_tool(
            context: ServerRequestContext, params: types.CallToolRequestParams
        ) -> types.CallToolResult:
            return await upstream.session.call_tool(params.name, params.arguments)

        proxy = Server(
            "sdk-proxy",
            on_list_tools=list_tools,
            on_call_tool=call_tool,
            get_tool_input_schema=schemas.get,
        )
        # The one default that costs (some 5 %) and that a bare pass-through has no counterpart of: tracing.
        proxy.middleware.clear()
        await server(proxy.streamable_http_app(json_response=True)).serve(sockets=[given.listener])


if __name__ == "__main__":
    uvloop.run(run(arguments(__doc__)))
