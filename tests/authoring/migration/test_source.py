"""Where the definitions of a server that is to move come from: HTTP, pipes, a file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mcp.client.stdio import StdioServerParameters
from mcp.server import MCPServer
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.migration.source import from_file, from_server
from gateway.identity.credentials import Secret
from gateway.serving import serving
from tests.support.ports import free_port

LEGACY = """
from mcp.server import MCPServer
server = MCPServer("legacy")
server.add_tool(lambda path: path, name="read", description="Reads.")
server.run("stdio")
"""


async def test_over_http() -> None:
    """A plain server of the SDK."""
    server = MCPServer("legacy")
    server.add_tool(lambda: "x", name="read")
    async with serving(server.streamable_http_app(), lifespan=True) as port:
        (tool,) = await from_server(f"http://127.0.0.1:{port}/mcp")
    assert tool["name"] == "read"
    assert tool["inputSchema"]["type"] == "object"


async def test_a_server_that_wants_a_token_is_shown_it() -> None:
    """And one that wants none of ours cannot be listed."""
    shown: list[str | None] = []
    server = MCPServer("legacy")
    server.add_tool(lambda: "x", name="read")
    app = server.streamable_http_app()

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            token = Headers(scope=scope).get("authorization")
            shown.append(token)
            if token != "Bearer let-me-in":
                await Response(status_code=401)(scope, receive, send)
                return
        await app(scope, receive, send)

    async with serving(guarded, lifespan=True) as port:
        url = f"http://127.0.0.1:{port}/mcp"
        (tool,) = await from_server(url, token=Secret(b"let-me-in"))
        assert tool["name"] == "read"
        assert set(shown) == {"Bearer let-me-in"}
        with pytest.raises(ConfigInvalid, match="cannot be listed") as raised:
            await from_server(url, token=Secret(b"wrong-token"))
        assert "wrong-token" not in str(raised.value)
        assert "ExceptionGroup" not in str(raised.value)


async def test_a_server_that_is_not_there_is_said_in_words() -> None:
    """Not as the group in which the SDK keeps them."""
    with pytest.raises(ConfigInvalid, match=r"cannot be listed \(ConnectError: .+\)"):
        await from_server(f"http://127.0.0.1:{free_port()}/mcp")


async def test_from_a_command() -> None:
    """Started, listed, ended."""
    (tool,) = await from_server(StdioServerParameters(command=sys.executable, args=["-c", LEGACY]))
    assert (tool["name"], tool["description"]) == ("read", "Reads.")


@pytest.mark.parametrize(
    "url", ["http://server.example/mcp", "file:///etc/passwd", "http://127.0.0.1:{}/mcp"]
)
async def test_what_cannot_be_asked(url: str) -> None:
    """Plain http to elsewhere, no URL, nobody there."""
    with pytest.raises(ConfigInvalid, match="server"):
        await from_server(url.format(free_port()))


@pytest.mark.parametrize("content", ['[{"name": "a"}]', '{"tools": [{"name": "a"}]}'])
def test_from_a_file(content: str, tmp_path: Path) -> None:
    """A list, or an answer to tools/list."""
    path = tmp_path / "tools.json"
    path.write_text(content)
    assert from_file(path) == [{"name": "a"}]


@pytest.mark.parametrize("content", ["", "1", "{}", '{"tools": 1}', "[1]", "[" * 100_000])
def test_a_file_that_holds_no_definitions(content: str, tmp_path: Path) -> None:
    """Named, and not there at all."""
    path = tmp_path / "tools.json"
    with pytest.raises(ConfigInvalid, match=r"tools\.json"):
        from_file(path)
    path.write_text(content)
    with pytest.raises(ConfigInvalid, match=r"tools\.json"):
        from_file(path)
