"""A fence around real servers on real sockets: full, dead, silent, back again; and never another one's trouble."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.breaker import Rules
from gateway.door.host import NOBODY, Host, HostCannot
from gateway.errors import UpstreamUnavailable
from gateway.serving import serving
from gateway.upstream.guarded import Guarded
from gateway.upstream.http_wire import Patience
from gateway.upstream.mcp_http import McpHttp
from gateway.upstream.target import Effect, Reply, Resumed
from tests.support.raw_mcp import LEGACY as OLD
from tests.support.raw_mcp import Exchange, RawServer, raw_mcp
from tests.support.recording_host import RecordingHost
from tests.support.sdk_server import Tools
from tests.support.until import until

RULES = Rules(threshold=3, open_s=10)


class Time:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.s


class Sdk:
    """The SDK's server, and how often it was spoken to."""

    def __init__(self) -> None:
        self.tools = Tools()
        self.spoken_to = 0
        self.app: ASGIApp = self.tools.server().streamable_http_app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts."""
        self.spoken_to += scope["type"] == "http"
        await self.app(scope, receive, send)


@asynccontextmanager
async def guarded(sdk: Sdk, **options: Any) -> AsyncIterator[Guarded]:
    """Over a real socket."""
    async with serving(sdk, lifespan=True) as port:
        inner = McpHttp("everything", f"http://127.0.0.1:{port}/mcp", version="0", timeout_s=20)
        one = Guarded(inner, **{"max_concurrency": 2, "max_queue": 1, "rules": RULES, **options})
        try:
            yield one
        finally:
            await one.aclose()


async def call(upstream: Guarded, tool: str = "echo", *, host: Host = NOBODY, **arguments: Any) -> Reply:
    """One call."""
    return await upstream.call(tool, arguments, transaction_id="t", meta={}, host=host)


async def code(doing: Awaitable[Any]) -> str:
    """Why it did not come about."""
    with pytest.raises(UpstreamUnavailable) as caught:
        await doing
    return caught.value.code


def waits(upstream: Guarded, who: str) -> asyncio.Task[Reply]:
    """A call that does not come back on its own."""
    return asyncio.create_task(call(upstream, "wait", who=who))


async def test_a_server_has_so_many_calls_and_no_more() -> None:
    """Two run, one waits, the next is told at once, and the server never hears of it."""
    sdk = Sdk()
    async with guarded(sdk) as upstream:
        await upstream.definitions()
        running = [waits(upstream, "a"), waits(upstream, "b")]
        await until(lambda: sdk.tools.called == ["wait", "wait"])
        queued = asyncio.create_task(call(upstream, text="queued"))
        await asyncio.sleep(0)
        before = sdk.spoken_to
        assert await code(call(upstream, text="too many")) == "upstream.busy"
        assert await code(upstream.request("resources/list", {})) == "upstream.busy"
        assert await upstream.definitions()
        assert sdk.spoken_to == before + 1
        running[0].cancel()
        assert (await queued).effect is Effect.EXECUTED
        await until(lambda: sdk.tools.cancelled == ["a"])
        running[1].cancel()
    assert sdk.tools.called == ["wait", "wait", "echo"]


async def test_whoever_waits_for_too_long_was_not_sent() -> None:
    """It is *busy*, not unknown."""
    sdk = Sdk()
    async with guarded(sdk, max_concurrency=1, max_wait_s=0.05) as upstream:
        running = waits(upstream, "a")
        await sdk.tools.waiting.wait()
        assert await code(call(upstream)) == "upstream.busy"
        running.cancel()
    assert sdk.tools.called == ["wait"]


async def test_a_host_that_thinks_holds_no_slot() -> None:
    """Unanswered questions must not shut a server to others."""
    sdk, asked, decided = Sdk(), asyncio.Event(), asyncio.Event()

    async def think(method: str, params: Any) -> Any:
        asked.set()
        await decided.wait()
        return {"action": "decline"}

    async with guarded(sdk, max_concurrency=1, max_queue=0) as upstream:
        thinking = asyncio.create_task(call(upstream, "ask", host=RecordingHost(answer=think)))
        await asked.wait()
        assert (await call(upstream)).effect is Effect.EXECUTED
        decided.set()
        assert (await thinking).effect is Effect.EXECUTED
        assert (await call(upstream)).effect is Effect.EXECUTED


async def test_a_dead_server_fails_at_once_and_alone() -> None:
    """After three failures it is not asked; after a while one call finds out; another server does not notice."""
    time, dead, well = Time(), Sdk(), Sdk()
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(guarded(well, clock=time))
        async with guarded(dead, clock=time) as upstream:
            assert (await call(upstream)).effect is Effect.EXECUTED
        codes = [await code(call(upstream)) for _ in range(5)]
        assert codes == ["upstream.not_sent"] * 3 + ["upstream.circuit_open"] * 2
        assert await code(upstream.definitions()) == "upstream.circuit_open"
        assert await code(upstream.about()) == "upstream.circuit_open"
        assert await code(upstream.request("resources/list", {})) == "upstream.circuit_open"
        assert await code(upstream.listen({}, host=NOBODY)) == "upstream.circuit_open"
        await upstream.tell("notifications/roots/list_changed", {}, host=NOBODY)
        assert (await call(other)).effect is Effect.EXECUTED
        time.s += 10
        assert await code(call(upstream)) == "upstream.not_sent"
        assert await code(call(upstream)) == "upstream.circuit_open"


Called = Callable[[Exchange], Awaitable[None]]


@asynccontextmanager
async def raw(called: Called, time: Time, **how: Any) -> AsyncIterator[tuple[RawServer, Guarded]]:
    """A server whose answers to calls are written by the test."""
    server = RawServer(called, **how)
    async with raw_mcp(server, patience=Patience(silence_s=0.2)) as inner:
        yield server, Guarded(inner, max_concurrency=8, max_queue=0, rules=RULES, clock=time)


async def silent(one: Exchange) -> None:
    """No answer, ever."""
    await asyncio.Event().wait()


async def test_a_server_that_is_silent_is_not_waited_for_by_everybody() -> None:
    """What was sent is unknown; what comes after three of those is not sent. Once it answers, all is well."""
    time = Time()
    async with raw(silent, time) as (server, upstream):
        effects = [(await call(upstream)).effect for _ in range(3)]
        assert effects == [Effect.UNKNOWN] * 3
        assert await code(call(upstream)) == "upstream.circuit_open"
        assert len(server.of("tools/call")) == 3

        async def back(one: Exchange) -> None:
            await one.answer(result={"content": [], "resultType": "complete"})

        server.called = back
        time.s += 10
        assert (await call(upstream)).effect is Effect.EXECUTED
        assert (await call(upstream)).effect is Effect.EXECUTED


ANSWERS: dict[str, dict[str, Any]] = {
    "a tool's own error": {"result": {"content": [], "isError": True, "resultType": "complete"}},
    "a refusal": {"error": {"code": -32602, "message": "no"}},
    "a defect": {"error": {"code": -32603, "message": "broken"}},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_is_an_answer(answer: dict[str, Any]) -> None:
    """However bad: tools that fail on purpose must not shut their server to others."""

    async def called(one: Exchange) -> None:
        await one.answer(**answer)

    async with raw(called, Time()) as (server, upstream):
        for _ in range(5):
            await call(upstream)
        assert len(server.of("tools/call")) == 5


async def test_a_caller_cannot_shut_a_server_with_a_state_it_never_gave() -> None:
    """What is refused here says nothing about the server."""

    async def called(one: Exchange) -> None:
        await one.answer(result={"content": []})

    async with raw(called, Time(), era=OLD) as (server, upstream):
        for _ in range(5):
            from_nowhere = upstream.call("x", {}, transaction_id="t", meta={}, resumed=_made_up())
            assert await code(from_nowhere) == "upstream.cannot_resume"
        assert server.of("tools/call") == []
        assert (await call(upstream)).effect is Effect.EXECUTED


def _made_up() -> Any:
    return Resumed(request_state="made up", input_responses=None)


async def test_a_host_that_does_not_answer_cannot_shut_a_server() -> None:
    """The call is over and its outcome is unknown; the server was there all the time."""
    roots: dict[str, Any] = {"inputRequests": {"a": {"method": "roots/list"}}, "resultType": "input_required"}

    async def called(one: Exchange) -> None:
        await one.answer(result=roots)

    host = RecordingHost(capabilities={"roots": {}}, answer=HostCannot("no"))
    async with raw(called, Time()) as (server, upstream):
        for _ in range(5):
            assert (await call(upstream, host=host)).effect is Effect.UNKNOWN
        assert len(server.of("tools/call")) == 5


def _called(server: RawServer, times: int) -> bool:
    return len(server.of("tools/call")) == times


async def test_a_call_that_is_cancelled_is_no_failure() -> None:
    """And a probe that goes away leaves the door to the next one."""
    time = Time()
    async with raw(silent, time) as (server, upstream):
        for number in range(4):
            leaving = asyncio.create_task(call(upstream))
            await until(partial(_called, server, number + 1))
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
        assert (await call(upstream)).effect is Effect.UNKNOWN


async def test_what_passes_through() -> None:
    """Name, way of cancelling, and what is not a call."""
    sdk = Sdk()
    async with guarded(sdk) as upstream:
        assert (upstream.name, upstream.cancels) == ("everything", True)
        assert (await upstream.about()).instructions == "Be kind."
        assert (await upstream.request("resources/list", {})).effect is Effect.EXECUTED
        await upstream.tell("notifications/roots/list_changed", {}, host=RecordingHost())
        await upstream.forget("k")
