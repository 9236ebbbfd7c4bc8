"""What is listed is what may be tried: nothing shown would be denied, nothing that would be denied is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp_types import CallToolResult

from tests.hosts.host import connected, decision
from tests.support.foreign_server import ForeignServer, definition, serving
from tests.support.house import MODERN, running_house
from tests.upstream.paypal.conversation import ARGUMENTS


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_every_listed_tool_answers_other_than_deny(tmp_path: Path, mode: str) -> None:
    """A well-formed call of each of the 28 tools is executed, or asks for a signature; none is refused."""
    async with running_house(tmp_path) as house, connected(house, mode) as client:
        listed = [tool.name for tool in (await client.list_tools()).tools]
        assert sorted(listed) == sorted(ARGUMENTS)
        for name in listed:
            answer = await client.session.call_tool(name, ARGUMENTS[name], allow_input_required=True)
            if isinstance(answer, CallToolResult):
                assert decision(answer).get("status") != "refused", name
        outcomes = {one["tool"]: one["outcome"] for one in house.records()}
    assert set(outcomes) == set(ARGUMENTS)
    assert set(outcomes.values()) == {"allow", "handshake"}


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_tools_that_would_be_denied_are_not_listed(tmp_path: Path, mode: str) -> None:
    """A foreign server's unclassified and unverified tools are hidden, and are denied to who knows their names."""
    names = ("move_everything", "get_exchange_rate", "list_products")
    async with (
        serving(ForeignServer(*(definition(name) for name in names))) as foreign,
        running_house(tmp_path, upstreams={"foreign": foreign.url}) as house,
        connected(house, mode, "foreign") as client,
    ):
        assert (await client.list_tools()).tools == []
        for name in names:
            refused = await client.call_tool(name, {})
            assert refused.is_error
            assert decision(refused)["status"] == "refused"
        assert foreign.calls == []
