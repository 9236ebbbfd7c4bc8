"""What a server says over HTTP when nothing was asked of it, by servers that write what they like."""

import asyncio
from typing import Any

import pytest

from gateway.errors import UpstreamUnavailable
from gateway.upstream.http_listener import FIRST_RETRY_S, LAST_RETRY_S, LEAST_RETRY_S, pause_s
from gateway.upstream.mcp_http import McpHttp
from tests.support.raw_mcp import (
    LEGACY,
    MODERN,
    STREAM,
    Exchange,
    RawServer,
    chunk,
    event,
    plain,
    raw_mcp,
)
from tests.support.recording_host import RecordingHost
from tests.support.until import until

UPDATED = {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": "a"}}
CHANGED = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
ELICIT = {"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"message": "?"}}
FILTER: dict[str, Any] = {"notifications": {"toolsListChanged": True}}


async def _called(one: Exchange) -> None:
    await one.answer(result={"content": []})


def server(got: Any, era: str = LEGACY) -> RawServer:
    """One whose stream a test writes: of GET, or of ``subscriptions/listen``."""
    raw = RawServer(_called, got=got, era=era)
    if era == MODERN:
        plainly = raw._answered

        async def answered(one: Exchange) -> None:
            await (got(one) if one.message.get("method") == "subscriptions/listen" else plainly(one))

        raw._answered = answered  # type: ignore[method-assign]
    return raw


async def listening(upstream: McpHttp, host: RecordingHost, params: Any = None) -> None:
    """To its end."""
    await upstream.listen(params or {}, host=host)


async def test_a_session_has_one_stream() -> None:
    """By GET, in the session of the key; what is said arrives, what is asked is answered by POST."""
    raw = server(None)

    async def got(one: Exchange) -> None:
        await one.stream(event(UPDATED), event(ELICIT), end=False)
        await until(lambda: raw.of(None))
        await one.write(b"0\r\n\r\n")

    raw.got = got
    host = RecordingHost()
    async with raw_mcp(raw) as upstream:
        await listening(upstream, host)
    assert host.methods() == ["notifications/resources/updated"]
    assert host.asked == [("elicitation/create", {"message": "?"})]
    (get,) = raw.verbs("GET")
    assert get.header("mcp-session-id") == "s2"
    assert raw.of(None)[0].message["result"]["action"] == "accept"


async def test_a_stream_that_names_its_events_is_taken_up_again() -> None:
    """From the last one, until it is gone."""
    seen: list[str | None] = []

    async def got(one: Exchange) -> None:
        seen.append(one.header("last-event-id"))
        if len(seen) < 4:
            await one.stream(event(UPDATED, head=b"id: e%d\nretry: 1\n" % len(seen)))
        else:
            await one.write(plain(b"", status=b"404 Not Found"))

    host = RecordingHost()
    async with raw_mcp(server(got)) as upstream:
        with pytest.raises(UpstreamUnavailable) as problem:
            await listening(upstream, host)
        assert problem.value.code == "upstream.session_ended"
    assert seen == [None, "e1", "e2", "e3"]
    assert len(host.said) == 3


async def test_a_stream_that_ends_at_once_is_given_up() -> None:
    """A server that invites for ever and says nothing is not followed for ever."""

    async def got(one: Exchange) -> None:
        await one.stream(event(b"", head=b"id: e\nretry: 1\n"))

    raw = server(got)
    async with raw_mcp(raw) as upstream:
        await listening(upstream, RecordingHost())
    assert len(raw.verbs("GET")) == 3


@pytest.mark.parametrize(
    ("wish", "pause"),
    [(None, FIRST_RETRY_S), (0, LEAST_RETRY_S), (1, LEAST_RETRY_S), (5_000, 5.0), (3_600_000, LAST_RETRY_S)],
)
def test_a_server_cannot_make_the_gateway_connect_without_a_pause(wish: int | None, pause: float) -> None:
    """Whatever it says on the stream that it ends each time."""
    assert pause_s(wish) == pause


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize(
    "answer",
    [
        plain(b"", status=b"405 Method Not Allowed"),
        plain(b"{}"),
        plain(b"<html>", kind=b"text/html"),
        plain(b'{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"no"}}', status=b"404 Not found"),
    ],
    ids=["405", "json", "html", "404"],
)
async def test_a_server_without_a_stream(era: str, answer: bytes) -> None:
    """Is unavailable for that, and for nothing else."""

    async def got(one: Exchange) -> None:
        await one.write(answer)

    async with raw_mcp(server(got, era)) as upstream:
        with pytest.raises(UpstreamUnavailable):
            await listening(upstream, RecordingHost(), FILTER if era == MODERN else None)
        assert (await upstream.call("pay", {}, transaction_id="t", meta={})).result is not None


async def test_a_subscription_ends_with_its_answer() -> None:
    """The frames are the server's, unchanged; a question in the new era is nobody's."""

    async def got(one: Exchange) -> None:
        tag = {"_meta": {"io.modelcontextprotocol/subscriptionId": one.message["id"]}}
        ack = {
            "jsonrpc": "2.0",
            "method": "notifications/subscriptions/acknowledged",
            "params": {**tag, **FILTER},
        }
        await one.stream(
            event(ack), event(ELICIT), event({**CHANGED, "params": tag}), event(one.said(result={}))
        )

    raw, host = server(got, MODERN), RecordingHost()
    heard: list[str] = []
    async with raw_mcp(raw, changed=heard.append) as upstream:
        await listening(upstream, host, {**FILTER, "_meta": {"traceparent": "00-x"}})
    (sent,) = raw.of("subscriptions/listen")
    assert sent.message["params"]["notifications"] == FILTER["notifications"]
    assert sent.message["params"]["_meta"]["traceparent"] == "00-x"
    assert host.methods() == ["notifications/subscriptions/acknowledged", "notifications/tools/list_changed"]
    assert host.said[1]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == sent.message["id"]
    assert (host.asked, heard) == ([], ["raw"])


async def test_a_subscription_at_an_older_server() -> None:
    """Is acknowledged here, subscribed to there, and gets what it asked for and nothing else."""

    async def got(one: Exchange) -> None:
        await one.stream(
            event(CHANGED), event({**CHANGED, "method": "notifications/prompts/list_changed"}), event(UPDATED)
        )

    raw, host = server(got), RecordingHost()
    plainly = raw._answered

    async def answered(one: Exchange) -> None:
        if one.message.get("method") == "resources/subscribe":
            known = one.message["params"]["uri"] == "a"
            await one.answer(**({"result": {}} if known else {"error": {"code": -32602, "message": "no"}}))
        else:
            await plainly(one)

    raw._answered = answered  # type: ignore[method-assign]
    wanted = {"toolsListChanged": True, "resourceSubscriptions": ["a", "b", 5]}
    async with raw_mcp(raw) as upstream:
        await listening(upstream, host, {"notifications": wanted})
    assert host.said[0]["params"]["notifications"] == {
        "toolsListChanged": True,
        "resourceSubscriptions": ["a"],
    }
    assert host.methods()[1:] == ["notifications/tools/list_changed", "notifications/resources/updated"]
    assert [one.message["params"]["uri"] for one in raw.of("resources/subscribe")] == ["a", "b"]


async def test_listeners_take_no_connection_from_calls() -> None:
    """Attack: as many idle streams as there are connections for calls."""
    opened = 0

    async def got(one: Exchange) -> None:
        nonlocal opened
        opened += 1
        await one.write(STREAM + chunk(b": hello\n\n"))
        await asyncio.Event().wait()

    async with raw_mcp(server(got, MODERN), max_connections=1) as upstream:
        tasks = [asyncio.create_task(listening(upstream, RecordingHost(), FILTER)) for _ in range(5)]
        await until(lambda: opened == 5)
        assert (await upstream.call("pay", {}, transaction_id="t", meta={})).result is not None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
