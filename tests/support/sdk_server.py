"""An MCP server on the official SDK that uses everything a server may use, in either era, over HTTP or on its pipes.

As a program (``python -m tests.support.sdk_server modern|legacy``) it serves stdio.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.runner import serve_dual_era_loop, serve_loop
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.subscriptions import ToolsListChanged

MODERN, LEGACY = "modern", "legacy"
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
OPEN: dict[str, Any] = {"type": "object"}


def text(value: str) -> types.CallToolResult:
    """A result of one text."""
    return types.CallToolResult(content=[types.TextContent(type="text", text=value)])


class Tools:
    """What the server's tools do; ``called`` counts, in order."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.cancelled: list[str] = []
        self.waiting = asyncio.Event()
        self.levels: list[str] = []
        self.bus = InMemorySubscriptionBus()

    def server(self) -> Server[Any]:
        """The server over them."""
        server: Server[Any] = Server(
            "everything",
            version="1",
            instructions="Be kind.",
            on_list_tools=self.list_tools,
            on_call_tool=self.call,
            on_list_resources=self.list_resources,
            on_read_resource=self.read,
            on_subscribe_resource=self.subscribe,
            on_unsubscribe_resource=self.subscribe,
            on_subscriptions_listen=ListenHandler(self.bus),
        )
        server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, self.set_level)
        return server

    async def list_tools(self, ctx: Any, params: Any) -> types.ListToolsResult:
        """All take anything."""
        names = ("echo", "steps", "ask", "wait", "changed", "pid", "die", "environment", "noise")
        return types.ListToolsResult(tools=[types.Tool(name=name, input_schema=OPEN) for name in names])

    async def list_resources(self, ctx: Any, params: Any) -> types.ListResourcesResult:
        """One."""
        return types.ListResourcesResult(resources=[types.Resource(uri="note://one", name="one")])

    async def read(self, ctx: Any, params: Any) -> types.ReadResourceResult:
        """Its text."""
        self.called.append("read")
        contents: list[types.TextResourceContents | types.BlobResourceContents] = [
            types.TextResourceContents(uri=params.uri, text="one")
        ]
        return types.ReadResourceResult(contents=contents)

    async def subscribe(self, ctx: Any, params: Any) -> types.EmptyResult:
        """Notes it."""
        self.called.append(f"subscribe {params.uri}")
        return types.EmptyResult()

    async def set_level(self, ctx: Any, params: Any) -> types.EmptyResult:
        """Notes it."""
        self.levels.append(params.level)
        return types.EmptyResult()

    async def call(self, ctx: Any, params: Any) -> Any:  # noqa: C901 - a table
        """By its name."""
        self.called.append(params.name)
        arguments = params.arguments or {}
        match params.name:
            case "steps":
                for step in range(int(arguments.get("count", 3))):
                    await ctx.session.report_progress(step, total=3, message=arguments.get("message", "x"))
                return text("done")
            case "ask":
                return await self.ask(ctx, params)
            case "wait":
                self.waiting.set()
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.cancelled.append(str(arguments.get("who")))
                    raise
            case "changed":
                await self.bus.publish(ToolsListChanged())
                if _is_legacy(ctx):
                    await ctx.session.send_tool_list_changed()
                return text("said")
            case "pid":
                return text(str(os.getpid()))
            case "environment":
                return text(" ".join(sorted(os.environ)))
            case "noise":
                sys.stderr.write(str(arguments["text"]) + "\n")
                sys.stderr.flush()
                return text("made")
            case "die":
                os._exit(3)
        return text(f"echo {arguments.get('text')}")

    async def ask(self, ctx: Any, params: Any) -> Any:
        """The user's name, by the means of the era."""
        if _is_legacy(ctx):
            answer = await ctx.session.elicit_form("Who are you?", SCHEMA, related_request_id=ctx.request_id)
            return text(f"{answer.action} {(answer.content or {}).get('name')}")
        responses = params.input_responses
        if responses is None:
            ask = types.ElicitRequest(
                params=types.ElicitRequestFormParams(message="Who are you?", requested_schema=SCHEMA)
            )
            return types.InputRequiredResult(input_requests={"who": ask}, request_state="state-1")
        answer = responses["who"]
        return text(f"{answer.action} {(answer.content or {}).get('name')} {params.request_state}")


def _is_legacy(ctx: Any) -> bool:
    return str(ctx.protocol_version) < "2026"


async def main(era: str) -> None:
    """Serve stdio; one of the old era knows no ``server/discover``."""
    server = Tools().server()
    async with stdio_server() as (reader, writer):
        if era == MODERN:
            async with server.lifespan(server) as state:
                await serve_dual_era_loop(server, reader, writer, lifespan_state=state)
        else:
            async with server.lifespan(server) as state:
                await serve_loop(server, reader, writer, lifespan_state=state)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
