"""Clients that speak ETDI and those that do not, with servers of both kinds (R176): two by two, in both eras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp.server import MCPServer
from mcp.shared.exceptions import MCPError

from gateway.authoring.client import agreed, speaks
from gateway.authoring.errors import NegotiationFailed
from gateway.authoring.negotiation import Capability
from tests.authoring.secured import etdi_of, server_of
from tests.support.tool_idp import running_tool_idp

OWN = Capability(providers=("custom",))
REQUIRED = Capability(required=True)
ERAS = ["auto", "legacy"]


def plain() -> MCPServer[Any]:
    """A server that knows nothing of ETDI."""
    server = MCPServer[Any]("plain")
    server.add_tool(lambda text: text, name="say")
    return server


async def works(client: Client) -> bool:
    """Whether its tool can be called."""
    return not (await client.call_tool("say", {"text": "x"})).is_error


@pytest.mark.parametrize("mode", ERAS)
async def test_both_speak_it(mode: str, tmp_path: Path) -> None:
    """They agree on version and provider."""
    async with running_tool_idp() as idp:
        server = server_of(etdi_of(idp, tmp_path))
        async with Client(server, mode=mode, extensions=[speaks(OWN)]) as client:
            found = agreed(client, OWN)
            assert (found.version, found.provider, found.why) == ("1.0.0", "custom", None)
            assert agreed(client, REQUIRED).version == "1.0.0"
            assert await works(client)


@pytest.mark.parametrize("mode", ERAS)
async def test_only_the_client_speaks_it(mode: str) -> None:
    """It goes on with a warning, or, where it requires ETDI, not at all."""
    async with Client(plain(), mode=mode, extensions=[speaks(OWN)]) as client:
        assert agreed(client, OWN).why == "the server does not speak it"
        assert await works(client)
        with pytest.raises(NegotiationFailed, match="the server does not speak it"):
            agreed(client, REQUIRED)


@pytest.mark.parametrize("mode", ERAS)
async def test_only_the_server_speaks_it(mode: str, tmp_path: Path) -> None:
    """A stock client lists and calls as before."""
    async with running_tool_idp() as idp, Client(server_of(etdi_of(idp, tmp_path)), mode=mode) as client:
        assert await works(client)


@pytest.mark.parametrize("mode", ERAS)
async def test_a_server_refuses_a_client_that_requires_what_it_has_not(mode: str, tmp_path: Path) -> None:
    """Another major version, and required: no connection."""
    newer = Capability(version="2.0.0", required=True)
    async with running_tool_idp() as idp:
        server = server_of(etdi_of(idp, tmp_path))
        with pytest.raises((MCPError, ExceptionGroup)) as raised:
            async with Client(server, mode=mode, extensions=[speaks(newer)]) as client:
                await client.list_tools()
    assert "ETDI is required" in _all_of(raised.value)


def _all_of(error: BaseException) -> str:
    """Every message in a group of errors."""
    if isinstance(error, BaseExceptionGroup):
        return " ".join(_all_of(one) for one in error.exceptions)
    return str(error)
