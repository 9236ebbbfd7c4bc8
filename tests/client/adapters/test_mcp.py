"""The official MCP SDK with a whole gateway for the one-step way; the two phases against the double."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mcp_types import CallToolResult, PaginatedRequestParams

from gateway.client import HandshakeClient, OutcomeUnknown, UnclassifiedTool, execute_secure_tool
from gateway.client.adapters.mcp import SecureSession, StandardClient, specs
from tests.hosts.host import connected
from tests.support.calls import READ, refund
from tests.support.handshake_service import SESSION, at, handshake_service
from tests.support.house import MODERN, running_house


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_each_call_takes_its_way(tmp_path: Path, mode: str) -> None:
    """Class 4 over the SDK's client to a real gateway; class 2 by two posts; both as results of the SDK's type."""
    async with (
        running_house(tmp_path) as house,
        connected(house, mode) as session,
        handshake_service() as service,
        HandshakeClient(service.url, SESSION) as client,
    ):
        secure = SecureSession(session, client)
        read = await secure.call_tool("list_invoices", READ)
        assert isinstance(read, CallToolResult)
        assert not read.is_error
        assert (house.paypal_calls, service.came) == (1, [])
        paid = await secure.call_tool("create_refund", refund())
        assert isinstance(paid, CallToolResult)
        assert paid.structured_content == {"id": "R-1"}
        assert (house.paypal_calls, service.executed) == (1, [("create_refund", refund())])
        with pytest.raises(UnclassifiedTool):
            await secure.call_tool("drop_tables", {})
        assert (await secure.list_tools()).tools == (await session.list_tools()).tools


async def test_the_definitions_for_the_other_adapters_are_the_gateways(tmp_path: Path) -> None:
    """Names and input schemas are those that the gateway lists, member for member (conflict C14)."""
    async with running_house(tmp_path) as house, connected(house, MODERN) as session:
        listed = (await session.list_tools()).tools
        made = await specs(session)
    assert [(one.name, one.input_schema) for one in made] == [(one.name, one.input_schema) for one in listed]
    assert len(made) >= 28


async def test_an_outcome_that_nobody_knows_is_raised(tmp_path: Path) -> None:
    """It is no result with ``isError``, which reads as "it failed"."""
    lost = at("/execute", 504, {"error": "?"})
    async with handshake_service(answer=lost) as service, HandshakeClient(service.url, SESSION) as client:
        with pytest.raises(OutcomeUnknown):
            await SecureSession(Pages(1), client).call_tool("create_refund", refund())


class Pages:
    """A session-like object that lists its tools in pages; ``None``: without an end."""

    def __init__(self, pages: int | None) -> None:
        self.pages = pages
        self.called: list[Any] = []

    async def list_tools(self, **how: Any) -> Any:
        """The next page."""
        number = int(how.get("cursor", 0))
        last = self.pages is not None and number + 1 >= self.pages
        tool = {"name": f"tool-{number}", "inputSchema": {"type": "object"}}
        return SimpleNamespace(tools=[tool], nextCursor=None if last else str(number + 1))

    async def call_tool(self, name: str, arguments: dict[str, Any] | None = None) -> Any:
        """Notes it."""
        self.called.append((name, arguments))
        return "done"


class PagesByParams:
    """The same, asked as the SDK's ``ClientSession`` is."""

    def __init__(self, pages: int) -> None:
        self.inner = Pages(pages)
        self.call_tool = self.inner.call_tool

    async def list_tools(self, *, params: PaginatedRequestParams | None = None) -> Any:
        """The next page."""
        return await self.inner.list_tools(**({"cursor": params.cursor} if params else {}))


async def test_every_page_is_read_and_an_endless_list_is_not() -> None:
    """Attack: a server that never stops listing."""
    for session in (Pages(3), PagesByParams(3)):
        assert [one.name for one in await specs(session)] == ["tool-0", "tool-1", "tool-2"]
    with pytest.raises(ValueError, match="does not end"):
        await specs(Pages(None))


async def test_any_session_like_object_is_a_standard_client() -> None:
    """Two methods are all that is used; the parameters go on as a dict of their own."""

    class Nobody:
        async def request_auth(self, tool_name: str, parameters: Mapping[str, Any]) -> None:
            """Not asked for class 4."""
            raise AssertionError

        async def execute_with_auth(self, auth: Any, tool_name: str, parameters: Mapping[str, Any]) -> None:
            """Not asked for class 4."""
            raise AssertionError

    session = Pages(1)
    assert await execute_secure_tool("list_invoices", READ, StandardClient(session), Nobody()) == "done"
    assert session.called == [("list_invoices", READ)]
