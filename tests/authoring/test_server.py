"""Secured servers on the official SDK, as stock clients and as those who know ETDI meet them."""

from __future__ import annotations

import sys
from pathlib import Path

import jwt
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.server.lowlevel import Server
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool

from gateway.authoring.claims import ToolClaims
from gateway.authoring.declaration import declare
from gateway.authoring.etdi import Etdi
from gateway.authoring.server import secure
from gateway.authoring.signing import verifies
from gateway.catalog.definition import read_definition
from gateway.identity.credentials import Secret
from gateway.serving import serving
from tests.authoring.secured import block_of, etdi_of, server_of, signer
from tests.support.tool_idp import running_tool_idp


def wire_of(tool: Tool) -> dict[str, object]:
    """The definition as it was on the wire."""
    found: dict[str, object] = tool.model_dump(by_alias=True, mode="json", exclude_none=True)
    return found


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_a_listing_over_http_carries_signed_versioned_definitions(mode: str, tmp_path: Path) -> None:
    """And everything in them fits: hash, signature, token."""
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, tmp_path)
        server = server_of(etdi)
        async with (
            serving(server.streamable_http_app(), lifespan=True) as port,
            Client(f"http://127.0.0.1:{port}/mcp", mode=mode) as client,
        ):
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            said = await client.call_tool("read", {"path": "a"})
        assert said.structured_content == {"result": "a: 10"}
        assert len(idp.seen) == 2, "the tokens of the start are those of the listing"
        made = block_of(tools["read"])
        assert made["id"] == "read"
        assert made["version"] == "1.0.0"
        assert made["provider"] == {"id": "files-inc", "name": "Files Inc."}
        assert made["permissions"] == ["filesystem:read:/data"]
        assert made["oauth"]["provider"] == idp.url
        assert block_of(tools["say"])["version"] == "2.1.0"
        wire = wire_of(tools["read"])
        assert verifies(wire, signer(tmp_path)._key.public_key())
        definition = read_definition(wire)
        claims = jwt.decode(made["oauth"]["token"], options={"verify_signature": False})
        assert claims["definition_hash"] == definition.definition_hash
        assert (claims["tool_id"], claims["tool_version"], claims["tool_provider"]) == (
            "read",
            "1.0.0",
            "files-inc",
        )
        expected = ToolClaims(
            tool_id="read",
            tool_version="1.0.0",
            tool_provider="files-inc",
            permissions=("filesystem:read:/data",),
            definition_hash=definition.definition_hash,
        )
        found = await etdi.oauth.validate_token(Secret(made["oauth"]["token"].encode()), expected)
        assert found.valid, found
        await etdi.oauth.aclose()


async def test_a_server_started_as_a_command_is_secured_too(tmp_path: Path) -> None:
    """Over its pipes, with the real program of a host."""
    async with running_tool_idp() as idp:
        command = [sys.executable, "-m", "tests.authoring.stdio_server", idp.url, str(tmp_path)]
        parameters = StdioServerParameters(
            command=command[0], args=command[1:], cwd=str(Path(__file__).parents[2])
        )
        async with Client(parameters) as client:
            tools = (await client.list_tools()).tools
            assert [block_of(tool)["version"] for tool in tools] == ["1.0.0", "2.1.0"]
            assert all("token" in block_of(tool)["oauth"] for tool in tools)
            assert (await client.call_tool("say", {"text": "x"})).structured_content == {"result": "x"}


async def test_connections_are_closed_at_the_end(tmp_path: Path) -> None:
    """However many clients there were."""
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, tmp_path)
        server = server_of(etdi)
        async with Client(server) as client, Client(server) as other:
            await client.list_tools()
            await other.list_tools()
            assert etdi.oauth.is_open  # type: ignore[attr-defined]
        assert not etdi.oauth.is_open  # type: ignore[attr-defined]


def low_level() -> Server[object]:
    """A server of the low-level class with one tool."""

    async def listed(ctx: object, params: object) -> ListToolsResult:
        return ListToolsResult(tools=[Tool(name="add", input_schema={"type": "object"})])

    async def called(ctx: object, params: object) -> CallToolResult:
        name = getattr(params, "name", "")
        return CallToolResult(content=[TextContent(type="text", text=f"called {name}")])

    return Server("plain", on_list_tools=listed, on_call_tool=called)


async def test_a_low_level_server_is_secured_where_it_stands(tmp_path: Path) -> None:
    """Same blocks, and its own handlers."""
    async with running_tool_idp() as idp:
        etdi = etdi_of(idp, tmp_path)
        etdi.declare("add", declare(["maths:add"], tool_id="adder"))
        server = low_level()
        secure(server, etdi)
        async with Client(server) as client:
            (tool,) = (await client.list_tools()).tools
            assert block_of(tool)["id"] == "adder"
            assert "token" in block_of(tool)["oauth"]
            said = await client.call_tool("add", {})
            assert said.content == [TextContent(type="text", text="called add")]
        assert not etdi.oauth.is_open  # type: ignore[attr-defined]


async def test_the_handshake_says_that_etdi_is_spoken(tmp_path: Path) -> None:
    """In the words of the sources and in the protocol's own place."""
    async with running_tool_idp() as idp:
        for mode, place in (("legacy", "experimental"), ("auto", "extensions")):
            etdi: Etdi = etdi_of(idp, tmp_path)
            async with Client(server_of(etdi), mode=mode) as client:
                said = getattr(client.server_capabilities, place)
                assert said["dev.countersign/etdi"] == {"version": "1.0.0", "oauthProvider": "custom"}
