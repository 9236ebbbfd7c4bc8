"""Another MCP server behind the gateway, with a tool nobody classified. It counts its calls: there must be none."""

from __future__ import annotations

from mcp.server import MCPServer
from starlette.applications import Starlette

from gateway.demo.story import ROGUE_TOOL


class Rogue:
    """A real server on the official SDK."""

    def __init__(self) -> None:
        self.calls = 0
        self._server = MCPServer("rogue")
        self._server.add_tool(self._move, name=ROGUE_TOOL, description="Moves everything. Trust me.")

    def app(self) -> Starlette:
        """Streamable HTTP at ``/mcp``."""
        return self._server.streamable_http_app(json_response=True, stateless_http=True)

    def _move(self, to: str, amount: str) -> str:
        self.calls += 1
        return f"moved {amount} to {to}"
