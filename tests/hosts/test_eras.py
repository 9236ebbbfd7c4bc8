"""A stock host of either era in front of a stock server of either era: the four cells, and what each can do."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from tests.hosts.host import connected
from tests.support.answers import DECISION
from tests.support.eras import ERAS, Eras, running_eras

MODES = ("2026-07-28", "legacy")


@pytest.fixture(scope="module")
async def eras(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Eras]:
    """One house for all four cells."""
    async with running_eras(tmp_path_factory.mktemp("eras")) as running:
        yield running


async def accepts(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
    """A person who gives their name."""
    del context
    assert params.message == "Who are you?"
    return types.ElicitResult(action="accept", content={"name": "Bob"})


def text_of(result: types.CallToolResult) -> str:
    """The first text."""
    content = result.content[0]
    assert isinstance(content, types.TextContent)
    return content.text


@pytest.mark.parametrize("server", ERAS)
@pytest.mark.parametrize("mode", MODES)
async def test_a_call_and_its_answer(eras: Eras, mode: str, server: str) -> None:
    """As if the gateway were not there; and the audit has it."""
    async with connected(eras.house, mode, server) as host:
        assert text_of(await host.call_tool("echo", {"text": "hi"})) == "echo hi"
    record = eras.house.records()[-1]
    assert (record["server"], record["tool"], record["status"]) == (server, "echo", "executed")


@pytest.mark.parametrize("server", ERAS)
@pytest.mark.parametrize("mode", MODES)
async def test_progress_arrives_before_the_answer(eras: Eras, mode: str, server: str) -> None:
    """In order, and all of it."""
    seen: list[float] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        assert (total, message) == (3.0, "x")
        seen.append(progress)

    async with connected(eras.house, mode, server) as host:
        result = await host.call_tool("steps", {"count": 3}, progress_callback=heard)
    assert (text_of(result), seen) == ("done", [0.0, 1.0, 2.0])


@pytest.mark.parametrize("server", ERAS)
@pytest.mark.parametrize("mode", MODES)
async def test_a_server_asks_the_user_of_a_host_that_declared_it(eras: Eras, mode: str, server: str) -> None:
    """Whatever the two eras' means are; the server's own state comes back to it and is seen by nobody else."""
    async with connected(eras.house, mode, server, elicitation=accepts) as host:
        answer = text_of(await host.call_tool("ask", {}))
    assert answer == ("accept Bob state-1" if server == "modern" else "accept Bob")


@pytest.mark.parametrize("server", ERAS)
@pytest.mark.parametrize("mode", MODES)
async def test_a_host_that_declared_nothing_is_asked_nothing(eras: Eras, mode: str, server: str) -> None:
    """The call ends: in an error of the server that could not ask, or as unknown. Never as a yes."""
    async with connected(eras.house, mode, server) as host:
        try:
            said = repr(await host.call_tool("ask", {}))
        except MCPError as problem:
            said = str(problem)
    assert "accept" not in said
    assert eras.house.records()[-1]["status"] in ("unknown", "failed")


@pytest.mark.parametrize("server", ERAS)
@pytest.mark.parametrize("mode", MODES)
async def test_resources_pass_where_the_policy_lets_them(eras: Eras, mode: str, server: str) -> None:
    """Listed and read; the record says that it was judged."""
    async with connected(eras.house, mode, server) as host:
        listed = await host.list_resources()
        read = await host.read_resource("note://one")
    assert [str(one.uri) for one in listed.resources] == ["note://one"]
    assert isinstance(read.contents[0], types.TextResourceContents)
    assert read.contents[0].text == "one"
    record = eras.house.records("passage")[-1]
    assert (record["tool"], record["outcome"], record["status"]) == ("resources/read", "allow", "executed")


@pytest.mark.parametrize("server", ERAS)
@pytest.mark.parametrize("mode", MODES)
async def test_the_handshake_is_the_hosts_own_standard_behaviour(eras: Eras, mode: str, server: str) -> None:
    """Class 3: a host of 2026-07-28 repeats by itself, an older one is told to; the server sees one call."""
    before = len(eras.tools[server].called)
    async with connected(eras.house, mode, server) as host:
        result = await host.call_tool("pid", {})
        if mode == "legacy":
            assert (result.meta or {})[DECISION]["status"] == "handshake_required"
            assert len(eras.tools[server].called) == before
            result = await host.call_tool("pid", {})
    assert text_of(result).isdigit()
    assert eras.tools[server].called[before:] == ["pid"]


@pytest.mark.parametrize("server", ERAS)
async def test_a_server_whose_tools_changed_tells_a_host_of_today(eras: Eras, server: str) -> None:
    """On ``subscriptions/listen``: acknowledged first, then what was asked for."""
    async with connected(eras.house, "2026-07-28", server) as host:
        if server == "legacy":
            # Its session's stream hears only what happens in that session; the acknowledgement is what can be had.
            async with host.listen(tools_list_changed=True) as events:
                assert events.honored.tools_list_changed
            return
        async with host.listen(tools_list_changed=True) as events:
            await host.call_tool("changed", {})
            async with asyncio.timeout(10):
                async for event in events:
                    assert "tools" in type(event).__name__.lower()
                    break


@pytest.mark.parametrize("server", ERAS)
async def test_a_server_whose_tools_changed_tells_an_older_host(eras: Eras, server: str) -> None:
    """On the session's GET stream, or on the call's own."""
    heard = asyncio.Event()

    async def listening(message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            heard.set()

    async with connected(eras.house, "legacy", server, messages=listening) as host:
        async with asyncio.timeout(20):
            while not heard.is_set():
                # The stream is opened in the background: what was said before it stood, nobody was told.
                await host.call_tool("changed", {})
