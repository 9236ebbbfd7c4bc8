"""The official SDK's servers behind the gateway: both eras, over HTTP and on a pipe, for hosts of both kinds. What a
host declared it is asked; what it did not declare it never hears of.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.types import ASGIApp

from gateway.door.call import Era
from gateway.door.host import NOBODY, Host, HostCannot
from gateway.errors import UpstreamUnavailable
from gateway.serving import serving
from gateway.upstream.mcp import Mcp
from gateway.upstream.mcp_http import McpHttp
from gateway.upstream.mcp_stdio import McpStdio
from gateway.upstream.stdio_process import Command
from gateway.upstream.target import Effect, Reply, Resumed
from tests.support.eras import OfTheNewerEra, OfTheOlderEra
from tests.support.recording_host import RecordingHost
from tests.support.sdk_server import LEGACY, MODERN, Tools
from tests.support.until import until

ROOT = Path(__file__).parents[2]
HTTP, STDIO = "http", "stdio"
CELLS = [(carrier, era) for carrier in (HTTP, STDIO) for era in (MODERN, LEGACY)]


def stdio(era: str, **options: Any) -> McpStdio:
    """The server as a child."""
    argv = (sys.executable, "-W", "ignore", "-m", "tests.support.sdk_server", era)
    command = Command(argv=argv, environment={"PYTHONPATH": str(ROOT)}, folder=str(ROOT))
    return McpStdio("everything", command, version="0", **options)


@asynccontextmanager
async def over_http(era: str, tools: Tools, **options: Any) -> AsyncIterator[McpHttp]:
    """The server on a socket, in one era only."""
    app = tools.server().streamable_http_app(json_response=False, stateless_http=False)
    one_era: ASGIApp = OfTheOlderEra(app) if era == LEGACY else OfTheNewerEra(app)
    async with serving(one_era, lifespan=True) as port:
        upstream = McpHttp("everything", f"http://127.0.0.1:{port}/mcp", version="0", timeout_s=20, **options)
        try:
            yield upstream
        finally:
            await upstream.aclose()


@pytest.fixture(params=CELLS, ids=" ".join)
async def cell(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, str, Mcp]]:
    """Carrier, era, and the server there."""
    carrier, era = request.param
    async with AsyncExitStack() as stack:
        if carrier == HTTP:
            upstream: Mcp = await stack.enter_async_context(over_http(era, Tools()))
        else:
            upstream = stdio(era)
            stack.push_async_callback(upstream.aclose)
        yield carrier, era, upstream


async def call(upstream: Mcp, tool: str, arguments: Any = None, *, host: Host = NOBODY, **how: Any) -> Reply:
    """One call."""
    meta = how.pop("meta", {})
    return await upstream.call(tool, arguments or {}, transaction_id="t1", meta=meta, host=host, **how)


def text_of(reply: Reply) -> str:
    """Its one text."""
    assert reply.result is not None, reply
    said: str = msgspec.json.decode(reply.result)["content"][0]["text"]
    return said


async def test_what_it_says_of_itself(cell: tuple[str, str, Mcp]) -> None:
    """Era, capabilities and instructions, from the opening."""
    _, era, upstream = cell
    about = await upstream.about()
    assert about.era is (Era.MODERN if era == MODERN else Era.LEGACY)
    assert about.instructions == "Be kind."
    assert {"tools", "resources"} <= set(about.capabilities)
    assert "echo" in [tool["name"] for tool in await upstream.definitions()]


async def test_what_is_said_before_the_answer_gets_there(cell: tuple[str, str, Mcp]) -> None:
    """In order, with the host's own token, whoever else calls at the same time."""
    _, _, upstream = cell
    hosts = [RecordingHost(key=f"k{number}") for number in range(3)]
    replies = await asyncio.gather(
        *(
            call(upstream, "steps", {"message": host.key}, host=host, meta={"progressToken": "same"})
            for host in hosts
        )
    )
    assert [text_of(reply) for reply in replies] == ["done"] * 3
    for host in hosts:
        params = [one["params"] for one in host.said]
        assert host.methods() == ["notifications/progress"] * 3
        assert [one["progress"] for one in params] == [0, 1, 2]
        assert {(one["progressToken"], one["message"]) for one in params} == {("same", host.key)}


async def test_a_host_that_can_answer_is_asked(cell: tuple[str, str, Mcp]) -> None:
    """While its call is open, by whatever means the server has."""
    _, era, upstream = cell
    host = RecordingHost()
    reply = await call(upstream, "ask", host=host)
    assert reply.effect is Effect.EXECUTED
    assert text_of(reply) == ("accept Ada state-1" if era == MODERN else "accept Ada")
    ((method, asked),) = host.asked
    assert (method, asked["message"]) == ("elicitation/create", "Who are you?")


@pytest.mark.parametrize(
    "host",
    [
        NOBODY,
        RecordingHost(capabilities={}),
        RecordingHost(capabilities={"sampling": {}, "elicitation": None}),
        RecordingHost(capabilities={"elicitation": {"url": {}}}),
        RecordingHost(key=None, capabilities={}),
    ],
    ids=["nobody", "nothing", "something else", "another mode", "no session"],
)
async def test_a_host_that_did_not_declare_it_is_not_asked(cell: tuple[str, str, Mcp], host: Any) -> None:
    """It never hears of it; what the server did before it asked is not known, or its own error says it."""
    _, _, upstream = cell
    reply = await call(upstream, "ask", host=host)
    assert reply.effect is Effect.UNKNOWN or reply.is_error
    assert reply.effect is not Effect.WAITING
    if isinstance(host, RecordingHost):
        assert host.asked == []


async def test_a_host_that_is_asked_by_input_required_takes_it_home(cell: tuple[str, str, Mcp]) -> None:
    """And brings the answers back beside the same arguments. An older server's question goes to it all the same."""
    _, era, upstream = cell
    host = RecordingHost(in_band=False)
    reply = await call(upstream, "ask", {"a": 1}, host=host)
    if era == LEGACY:
        assert text_of(reply) == "accept Ada"
        with pytest.raises(UpstreamUnavailable) as problem:
            await call(upstream, "ask", host=host, resumed=Resumed(request_state="x", input_responses=None))
        assert problem.value.code == "upstream.cannot_resume"
        return
    assert reply.effect is Effect.WAITING
    assert reply.result is not None
    result = msgspec.json.decode(reply.result)
    assert result["inputRequests"]["who"]["method"] == "elicitation/create"
    assert host.asked == []
    answers = msgspec.Raw(b'{"who":{"action":"accept","content":{"name":"Eve"}}}')
    resumed = Resumed(request_state=result["requestState"], input_responses=answers)
    assert text_of(await call(upstream, "ask", {"a": 1}, host=host, resumed=resumed)) == "accept Eve state-1"


async def test_a_host_that_cannot_after_all(cell: tuple[str, str, Mcp]) -> None:
    """A server is told that nobody decided, or gets the host's error; the call ends."""
    _, era, upstream = cell
    host = RecordingHost(answer=HostCannot("gone", code=-32000))
    reply = await call(upstream, "ask", host=host)
    if era == MODERN:
        assert text_of(reply) == "cancel None state-1"
    else:
        assert reply.is_error
    assert len(host.asked) == 1


async def test_other_requests_pass(cell: tuple[str, str, Mcp]) -> None:
    """With their parameters, and their answers as they came, errors too."""
    _, _, upstream = cell
    reply = await upstream.request("resources/read", {"uri": "note://one"})
    assert reply.result is not None
    assert msgspec.json.decode(reply.result)["contents"][0]["text"] == "one"
    unknown = await upstream.request("com.example/none", {})
    assert unknown.error is not None
    assert unknown.error["code"] == -32601
    assert (await upstream.request("ping", {})).result is not None


async def test_a_call_that_is_cancelled_is_cancelled_there() -> None:
    """In the way of the era: a closed stream, or a notification."""
    for era in (MODERN, LEGACY):
        tools = Tools()
        async with over_http(era, tools) as upstream:
            task = asyncio.create_task(call(upstream, "wait", {"who": era}, host=RecordingHost()))
            await tools.waiting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(partial(getattr, tools, "cancelled"))
            assert tools.cancelled == [era]
            assert tools.called.count("wait") == 1


async def test_a_log_level_is_said_in_the_servers_way() -> None:
    """Once for a session; in each request where there is none; and never for those who share a session."""
    older = Tools()
    async with over_http(LEGACY, older) as upstream:
        meta = {"io.modelcontextprotocol/logLevel": "debug"}
        for _ in range(2):
            await call(upstream, "echo", host=RecordingHost("a"), meta=meta)
        assert older.levels == ["debug"]
        await upstream.request("logging/setLevel", {"level": "error"}, host=RecordingHost("b"))
        assert older.levels == ["debug", "error"]
        refused = await upstream.request("logging/setLevel", {"level": "info"}, host=RecordingHost(None))
        assert refused.error is not None
        assert older.levels == ["debug", "error"]
    newer = Tools()
    async with over_http(MODERN, newer) as upstream:
        host = RecordingHost("a")
        assert (await upstream.request("logging/setLevel", {"level": "debug"}, host=host)).result is not None
        assert (await upstream.request("logging/setLevel", {"level": "x"}, host=host)).error is not None
        assert (await upstream.request("resources/subscribe", {"uri": "x"}, host=host)).error is not None
        assert newer.levels == []
        assert newer.called == []


@pytest.mark.parametrize("newer_host", [True, False])
async def test_what_a_server_says_on_its_own_account(cell: tuple[str, str, Mcp], *, newer_host: bool) -> None:
    """Arrives in the dialect of whoever listens."""
    _, _, upstream = cell
    listener, host = RecordingHost(), RecordingHost()
    params = {"notifications": {"toolsListChanged": True}} if newer_host else {}
    task = asyncio.create_task(upstream.listen(params, host=listener))
    try:
        if newer_host:
            await listener.heard.wait()
            assert listener.methods() == ["notifications/subscriptions/acknowledged"]
        tries = 0
        while "notifications/tools/list_changed" not in listener.methods():
            tries += 1
            await call(upstream, "changed", host=host)
            await asyncio.sleep(0.02)
            assert tries < 200
        assert newer_host or "notifications/subscriptions/acknowledged" not in listener.methods()
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_nobody_listens_to_a_session_of_others() -> None:
    """Without a key there is no stream in the older era."""
    async with over_http(LEGACY, Tools()) as upstream:
        with pytest.raises(UpstreamUnavailable) as problem:
            await upstream.listen({}, host=RecordingHost(None))
        assert problem.value.code == "upstream.no_stream"


async def test_the_catalog_hears_that_tools_changed() -> None:
    """By the server's name."""
    heard: list[str] = []
    async with over_http(MODERN, Tools(), changed=heard.append) as upstream:
        listener = RecordingHost()
        task = asyncio.create_task(
            upstream.listen({"notifications": {"toolsListChanged": True}}, host=listener)
        )
        await listener.heard.wait()
        await call(upstream, "changed")
        await until(lambda: heard)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert heard == ["everything"]
