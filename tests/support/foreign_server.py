"""Somebody else's MCP server on a real socket: what it lists may change at any time, and it keeps what it was sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.serving import serving as listening


def definition(name: str, **members: Any) -> dict[str, Any]:
    """A definition that takes any text under any name; ``etdi`` is its ETDI block."""
    etdi = members.pop("etdi", None)
    wire: dict[str, Any] = {
        "name": name,
        "description": f"Does {name}.",
        "inputSchema": {"type": "object", "additionalProperties": {"type": "string"}},
        **members,
    }
    if etdi is not None:
        wire["_meta"] = {"dev.countersign/etdi": etdi}
    return wire


class ForeignServer:
    """Speaks 2026-07-28. ``tools`` is what it lists from the next question on; ``answer`` is what calls return."""

    def __init__(self, *tools: Mapping[str, Any]) -> None:
        self.tools = [dict(tool) for tool in tools]
        self.url = ""
        self.capabilities: dict[str, Any] = {"tools": {}}
        self.calls: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answer: dict[str, Any] = {"result": {"content": [{"type": "text", "text": "done"}]}}

    def app(self) -> Starlette:
        """POST /mcp."""
        return Starlette(routes=[Route("/mcp", self._post, methods=["POST"])])

    async def _post(self, request: Request) -> Response:
        body = await request.body()
        self.headers.append(dict(request.headers))
        message = msgspec.json.decode(body)
        said: dict[str, Any]
        match message.get("method"):
            case "server/discover":
                about = {"supportedVersions": ["2026-07-28"], "capabilities": self.capabilities}
                said = {"result": about}
            case "tools/list":
                said = {"result": {"tools": self.tools}}
            case "tools/call":
                self.calls.append(message["params"])
                self.raw.append(body)
                said = self.answer
            case _:
                return Response(status_code=202)
        answer = {"jsonrpc": "2.0", "id": message["id"], **said}
        return Response(msgspec.json.encode(answer), media_type="application/json")


@asynccontextmanager
async def serving(server: ForeignServer) -> AsyncIterator[ForeignServer]:
    """On a free port of loopback, until the block ends."""
    async with listening(server.app()) as port:
        server.url = f"http://127.0.0.1:{port}/mcp"
        yield server
