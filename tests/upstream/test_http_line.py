"""Streams, sessions, questions and credentials over HTTP, by servers that write whatever bytes they like. What was sent
once is sent once, and a host that did not say that it can be asked is not asked.
"""

import asyncio
import re
import tracemalloc
from typing import Any

import msgspec
import pytest

from gateway.door.host import Host, HostCannot
from gateway.errors import UpstreamUnavailable
from gateway.upstream.mcp_http import McpHttp
from gateway.upstream.target import Effect, Reply
from tests.support.raw_mcp import (
    END,
    LEGACY,
    MODERN,
    STREAM,
    Answering,
    Exchange,
    RawServer,
    chunk,
    event,
    impatient,
    plain,
    raw_mcp,
)
from tests.support.recording_host import RecordingHost
from tests.support.until import until

RESULT: dict[str, Any] = {"content": []}
PROGRESS = {
    "jsonrpc": "2.0",
    "method": "notifications/progress",
    "params": {"progressToken": 1, "progress": 1},
}
ELICIT = {"jsonrpc": "2.0", "id": "q1", "method": "elicitation/create", "params": {"message": "?"}}


async def call(upstream: McpHttp, host: Host | None = None) -> Reply:
    """One call."""
    return await upstream.call(
        "pay", {"a": 1}, transaction_id="t1", meta={}, host=RecordingHost() if host is None else host
    )


def streaming(*before: Any) -> Answering:
    """Says these, then answers."""

    async def called(one: Exchange) -> None:
        await one.stream(*map(event, before), event(one.said(result=RESULT)))

    return called


async def test_a_notification_passes_as_it_came() -> None:
    """Byte for byte, less line breaks and the gateway's own keys; unknown ones too."""
    odd = b'{"jsonrpc":"2.0", "method":"com.example/x",\n "params":{"n":1.10,"t":"\xc3\xbc","_meta":{"a":1}}}'
    forged = b'{"jsonrpc":"2.0","method":"x","params":{"_meta":{"dev.countersign/decision":1,"b":2.50}}}'
    spelled = forged.replace(b"dev.c", b"d\\u0065v.c")
    twice = b'{"jsonrpc":"2.0","method":"x","params":{"_meta":{"dev.countersign/d":1},"_meta":{"b":2.50}}}'
    host = RecordingHost()

    async def called(one: Exchange) -> None:
        odd_event = b"data: " + odd.replace(b"\n", b"\ndata: ") + b"\n\n"
        await one.stream(
            odd_event, event(forged), event(spelled), event(twice), event(one.said(result=RESULT))
        )

    async with raw_mcp(RawServer(called, era=MODERN)) as upstream:
        assert (await call(upstream, host)).effect is Effect.EXECUTED
    assert host.raw[0] == odd.replace(b"\n", b" ")
    assert [raw.replace(b" ", b"") for raw in host.raw[1:]] == [
        b'{"jsonrpc":"2.0","method":"x","params":{"_meta":{"b":2.50}}}'
    ] * 3


async def test_what_is_said_gets_there_before_the_answer_exists() -> None:
    """Event by event: nothing waits for the stream's end."""
    host = RecordingHost()

    async def called(one: Exchange) -> None:
        await one.stream(event(PROGRESS), end=False)
        await host.heard.wait()
        await one.write(chunk(event(one.said(result=RESULT))) + END)

    async with raw_mcp(RawServer(called, era=MODERN)) as upstream:
        assert (await call(upstream, host)).effect is Effect.EXECUTED
    assert host.methods() == ["notifications/progress"]


async def test_ten_megabytes_pass_in_constant_memory() -> None:
    """A host that takes each message is all that it needs."""
    data = event({**PROGRESS, "params": {"progress": 1, "message": "x" * 1000}})
    count = 10_000

    async def called(one: Exchange) -> None:
        await one.write(STREAM)
        for _ in range(count // 100):
            await one.write(chunk(data * 100))
        await one.write(chunk(event(one.said(result=RESULT))) + END)

    class Counting(RecordingHost):
        heard_count = 0

        async def notify(self, message: msgspec.Raw) -> None:
            self.heard_count += 1

    host = Counting()
    async with raw_mcp(RawServer(called, era=MODERN)) as upstream:
        tracemalloc.start()
        try:
            assert (await call(upstream, host)).effect is Effect.EXECUTED
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert host.heard_count == count
    assert peak < 2_000_000  # the server in this process holds its own part of it


async def test_a_slow_host_holds_the_server_back() -> None:
    """Nothing is queued for it; and its time is not the server's silence."""
    go_on = asyncio.Event()

    class Slow(RecordingHost):
        async def notify(self, message: msgspec.Raw) -> None:
            self.heard.set()
            await go_on.wait()

    written = 0
    data = event({**PROGRESS, "params": {"progress": 1, "message": "x" * 100_000}})

    async def called(one: Exchange) -> None:
        nonlocal written
        await one.write(STREAM)
        for _ in range(300):
            await one.write(chunk(data))
            written += 1
        await one.write(chunk(event(one.said(result=RESULT))) + END)

    host = Slow()
    async with raw_mcp(RawServer(called, era=MODERN), patience=impatient(silence_s=0.2)) as upstream:
        task = asyncio.create_task(call(upstream, host))
        await host.heard.wait()
        await asyncio.sleep(0.5)  # longer than a server may be silent
        assert written < 300
        assert not task.done()
        go_on.set()
        assert (await task).effect is Effect.EXECUTED


async def _half(one: Exchange) -> None:
    await one.write(STREAM + chunk(event(one.said(result=RESULT))[:-1]) + END)


async def _huge(one: Exchange) -> None:
    await one.write(STREAM)
    for _ in range(100):
        await one.write(chunk(b"data: " + b"x" * 1_000_000 if _ == 0 else b"x" * 1_000_000))


async def _lie(one: Exchange) -> None:
    await one.write(plain(msgspec.json.encode(one.said(result=RESULT)), kind=b"text/event-stream"))


async def _lie_too(one: Exchange) -> None:
    await one.write(plain(event(one.said(result=RESULT)), kind=b"application/json"))


async def _huge_json(one: Exchange) -> None:
    await one.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    for _ in range(100):
        await one.write(chunk(b" " * 1_000_000))


async def _dies(one: Exchange) -> None:
    await one.stream(event(PROGRESS), end=False)
    one.hang_up()


async def _twice(one: Exchange) -> None:
    await one.stream(event(one.said(result=RESULT)), event(one.said(result=RESULT)))


async def _foreign(one: Exchange) -> None:
    await one.stream(event({"jsonrpc": "2.0", "id": 999, "result": RESULT}))


async def _hangs(one: Exchange) -> None:
    await one.stream(event(PROGRESS), end=False)
    await asyncio.Event().wait()


async def _trickles(one: Exchange) -> None:
    await one.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n ")
    await asyncio.Event().wait()


HOSTILE = {
    "half an event": _half,
    "a hundred megabytes in one event": _huge,
    "a hundred megabytes of JSON": _huge_json,
    "JSON that says it is a stream": _lie,
    "a stream that says it is JSON": _lie_too,
    "dies in the middle": _dies,
    "two answers": _twice,
    "an answer to what was never asked": _foreign,
    "hangs in the middle": _hangs,
    "hangs in its JSON": _trickles,
}


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize("how", HOSTILE)
async def test_a_server_that_misbehaves_is_unknown(how: str, era: str) -> None:
    """It was sent once, the host was asked nothing, and the next request works."""
    host = RecordingHost()
    server = RawServer(HOSTILE[how], era=era)
    async with raw_mcp(server, patience=impatient(silence_s=1)) as upstream:
        reply = await call(upstream, host)
        assert (reply.effect, reply.result) == (Effect.UNKNOWN, None)
        assert len(server.calls) == 1
        assert host.asked == []
        server.called = streaming()
        assert (await call(upstream, host)).effect is Effect.EXECUTED


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_comments_are_signs_of_life(era: str) -> None:
    """Silence is what is bounded, and the whole besides."""

    async def called(one: Exchange) -> None:
        await one.write(STREAM)
        while True:
            await one.write(chunk(b": still here\n\n"))
            await asyncio.sleep(0.05)

    server = RawServer(called, era=era)
    async with raw_mcp(server, patience=impatient(silence_s=5, whole_s=0.5)) as upstream:
        assert (await call(upstream)).effect is Effect.UNKNOWN
    assert len(server.calls) == 1


async def test_a_question_is_put_and_its_answer_posted() -> None:
    """With the server's own id, byte for byte, in the same session; while the host thinks nobody is silent."""
    answered = asyncio.Event()
    server = RawServer(streaming())

    async def called(one: Exchange) -> None:
        await one.stream(event({**ELICIT, "id": 'q"\u00fc'}), end=False)
        await until(lambda: server.of(None))
        answered.set()
        await one.write(chunk(event(one.said(result=RESULT))) + END)

    async def think(method: str, params: Any) -> Any:
        await asyncio.sleep(0.5)  # longer than a server may be silent
        return {"action": "accept", "content": {}}

    server.called = called
    host = RecordingHost(answer=think)
    async with raw_mcp(server, patience=impatient(silence_s=0.2)) as upstream:
        await upstream.about()
        assert (await call(upstream, host)).effect is Effect.EXECUTED
    (response,) = server.of(None)
    assert response.message == {
        "jsonrpc": "2.0",
        "id": 'q"\u00fc',
        "result": {"action": "accept", "content": {}},
    }
    assert response.header("mcp-session-id") == server.calls[0].header("mcp-session-id")
    assert host.asked == [("elicitation/create", {"message": "?"})]


@pytest.mark.parametrize(
    ("question", "host", "code"),
    [
        (ELICIT, RecordingHost(capabilities={"sampling": {}}), -32601),
        ({**ELICIT, "params": {"mode": "url"}}, RecordingHost(), -32601),
        ({**ELICIT, "params": []}, RecordingHost(), -32601),
        ({**ELICIT, "method": "sampling/createMessage"}, RecordingHost(), -32601),
        ({**ELICIT, "method": "tools/call"}, RecordingHost(), -32601),
        (ELICIT, RecordingHost(key=None), -32601),
        (ELICIT, RecordingHost(answer=HostCannot("no", code=-1)), -1),
        ({**ELICIT, "method": "ping"}, RecordingHost(), None),
    ],
)
async def test_what_may_not_be_asked_is_refused(question: Any, host: RecordingHost, code: int | None) -> None:
    """By the gateway: the host never hears of it. A ping is answered."""
    server = RawServer(streaming())

    async def called(one: Exchange) -> None:
        await one.stream(event(question), end=False)
        await until(lambda: server.of(None))
        await one.write(chunk(event(one.said(result=RESULT))) + END)

    server.called = called
    async with raw_mcp(server) as upstream:
        assert (await call(upstream, host)).effect is Effect.EXECUTED
    (response,) = server.of(None)
    assert response.message.get("error", {}).get("code") == code
    assert len(host.asked) == (1 if code == -1 else 0)


async def test_a_modern_server_that_asks_is_not_answered() -> None:
    """It must not ask, and a client of that era sends no responses."""
    server = RawServer(streaming(ELICIT, PROGRESS), era=MODERN)
    host = RecordingHost()
    async with raw_mcp(server) as upstream:
        assert (await call(upstream, host)).effect is Effect.EXECUTED
    assert host.asked == []
    assert host.methods() == ["notifications/progress"]
    assert server.of(None) == []


async def test_a_question_that_is_taken_back() -> None:
    """By the server: the host's task is cancelled, nothing is posted, and the host is not told of a foreign id."""
    server = RawServer(streaming())
    cancelled = asyncio.Event()

    async def think(method: str, params: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    host = RecordingHost(answer=think)
    take_back = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "q1"}}

    async def called(one: Exchange) -> None:
        await one.stream(event(ELICIT), end=False)
        await host.questioned.wait()
        await one.write(chunk(event(take_back)))
        await cancelled.wait()
        await one.write(chunk(event(one.said(result=RESULT))) + END)

    server.called = called
    async with raw_mcp(server) as upstream:
        assert (await call(upstream, host)).effect is Effect.EXECUTED
    assert server.of(None) == []
    assert host.said == []


async def test_more_questions_than_a_person_could_answer() -> None:
    """Are refused, and the host is not asked them."""
    server = RawServer(streaming())

    async def called(one: Exchange) -> None:
        await one.stream(*(event({**ELICIT, "id": number}) for number in range(40)), end=False)
        await until(lambda: len(server.of(None)) >= 24)
        await one.write(chunk(event(one.said(result=RESULT))) + END)

    async def think(method: str, params: Any) -> Any:
        await asyncio.Event().wait()

    server.called = called
    host = RecordingHost(answer=think)
    async with raw_mcp(server) as upstream:
        assert (await call(upstream, host)).effect is Effect.EXECUTED
    assert len(host.asked) == 16
    assert {one.message["error"]["code"] for one in server.of(None)} == {-32603}


async def test_answers_get_through_when_all_connections_wait() -> None:
    """Attack: as many calls as there are connections, each of them asking."""
    server = RawServer(streaming())

    async def called(one: Exchange) -> None:
        mine = f"q{one.message['id']}-{one.header('mcp-session-id')}"
        await one.stream(event({**ELICIT, "id": mine}), end=False)
        await until(lambda: any(response.message["id"] == mine for response in server.of(None)))
        await one.write(chunk(event(one.said(result=RESULT))) + END)

    server.called = called
    async with raw_mcp(server, max_connections=2) as upstream:
        replies = await asyncio.gather(*(call(upstream, RecordingHost(key=f"k{n}")) for n in range(2)))
    assert {reply.effect for reply in replies} == {Effect.EXECUTED}


async def test_a_stream_that_was_let_go_is_fetched_on() -> None:
    """From the last event, after the pause that the server wishes; the call itself left once."""
    server = RawServer(streaming())
    fetched: list[str | None] = []

    async def called(one: Exchange) -> None:
        await one.stream(event(b"", head=b"id: e1\nretry: 10\n"))

    async def got(one: Exchange) -> None:
        fetched.append(one.header("last-event-id"))
        if len(fetched) == 1:
            await one.stream(event(PROGRESS, head=b"id: e2\n"))
        elif len(fetched) == 2:
            await one.write(STREAM)
            one.hang_up()
        else:
            await one.stream(event({"jsonrpc": "2.0", "id": server.calls[0].message["id"], "result": RESULT}))

    server.called, server.got = called, got
    host = RecordingHost()
    async with raw_mcp(server) as upstream:
        assert (await call(upstream, host)).effect is Effect.EXECUTED
    assert fetched == ["e1", "e2", "e2"]
    assert host.methods() == ["notifications/progress"]
    assert len(server.calls) == 1


@pytest.mark.parametrize("status", [b"405 Method Not Allowed", b"404 Not Found", b"401 Unauthorized"])
async def test_a_stream_that_cannot_be_fetched_on_is_unknown(status: bytes) -> None:
    """Whatever the second request met, the first one left: it is never "not sent"."""

    async def got(one: Exchange) -> None:
        await one.write(plain(b"", status=status))

    async def called(one: Exchange) -> None:
        await one.stream(event(b"", head=b"id: e1\nretry: 1\n"))

    server = RawServer(called, got=got)
    async with raw_mcp(server) as upstream:
        assert (await call(upstream)).effect is Effect.UNKNOWN
    assert len(server.calls) == 1


async def test_a_stream_without_an_end_of_letting_go() -> None:
    """Is given up after so many times. In the new era nothing is fetched on at all."""

    async def letting_go(one: Exchange) -> None:
        await one.stream(event(b"", head=b"id: e1\nretry: 0\n"))

    server = RawServer(letting_go, got=letting_go)
    async with raw_mcp(server) as upstream:
        assert (await call(upstream)).effect is Effect.UNKNOWN
    assert len(server.verbs("GET")) == 20
    modern = RawServer(letting_go, got=letting_go, era=MODERN)
    async with raw_mcp(modern) as upstream:
        assert (await call(upstream)).effect is Effect.UNKNOWN
    assert modern.verbs("GET") == []


async def test_an_older_server_is_told_that_nobody_waits() -> None:
    """By the id of the request, once; a modern one sees the stream closed."""
    for era in (LEGACY, MODERN):
        reached = asyncio.Event()

        async def hang(one: Exchange, reached: asyncio.Event = reached) -> None:
            reached.set()
            await asyncio.Event().wait()

        server = RawServer(hang, era=era)
        async with raw_mcp(server) as upstream:
            task = asyncio.create_task(call(upstream))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        told = [one.message["params"]["requestId"] for one in server.of("notifications/cancelled")]
        assert told == ([server.calls[0].message["id"]] if era == LEGACY else [])
        assert len(server.calls) == 1


async def test_each_key_has_a_session_of_its_own() -> None:
    """Opened with what it declared, used again, and ended when it is forgotten; who has none shares one."""
    server = RawServer(streaming())
    one, two, nobody = (
        RecordingHost("a"),
        RecordingHost("b", {"roots": {"listChanged": True}}),
        RecordingHost(None),
    )
    async with raw_mcp(server) as upstream:
        for host in (one, two, nobody, one, two, nobody):
            await call(upstream, host)
        await upstream.tell("notifications/roots/list_changed", {}, host=two)
        await upstream.tell("notifications/roots/list_changed", {}, host=RecordingHost("c"))
        await upstream.forget("a")
        assert [gone.header("mcp-session-id") for gone in server.verbs("DELETE")] == ["s2"]
    opened = [one.message["params"]["capabilities"] for one in server.of("initialize")]
    assert opened == [{}, {"elicitation": {}}, {"roots": {"listChanged": True}}]
    assert [one.header("mcp-session-id") for one in server.calls] == ["s2", "s3", "s1"] * 2
    assert [one.header("mcp-session-id") for one in server.of("notifications/roots/list_changed")] == ["s3"]
    assert sorted(str(gone.header("mcp-session-id")) for gone in server.verbs("DELETE")) == ["s1", "s2", "s3"]


async def test_a_host_that_declares_less_has_another_session() -> None:
    """What was opened with more must not be asked of it."""
    server = RawServer(streaming())
    async with raw_mcp(server) as upstream:
        await call(upstream, RecordingHost("a"))
        await call(upstream, RecordingHost("a", {}))
        await call(upstream, RecordingHost("a"))
    assert [one.header("mcp-session-id") for one in server.calls] == ["s2", "s3", "s2"]


async def test_sessions_are_bounded_and_expire() -> None:
    """The one that was not used for longest goes, at the server too; none that is in use."""
    server = RawServer(streaming())
    async with raw_mcp(server, max_sessions=2) as upstream:
        for key in ("a", "b", "a", "c"):
            await call(upstream, RecordingHost(key))
        await until(lambda: server.verbs("DELETE"))
        assert [gone.header("mcp-session-id") for gone in server.verbs("DELETE")] == ["s3"]
        reached = asyncio.Event()

        async def hang(one: Exchange) -> None:
            if len(server.calls) == 6:
                reached.set()
            await asyncio.Event().wait()

        server.called = hang
        tasks = [asyncio.create_task(call(upstream, RecordingHost(key))) for key in ("a", "c")]
        await reached.wait()
        with pytest.raises(UpstreamUnavailable) as problem:
            await call(upstream, RecordingHost("d"))
        assert problem.value.code == "upstream.too_many_sessions"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    idle = RawServer(streaming())
    async with raw_mcp(idle, session_idle_s=0.1) as upstream:
        await call(upstream, RecordingHost("a"))
        await until(lambda: idle.verbs("DELETE"))
        assert [gone.header("mcp-session-id") for gone in idle.verbs("DELETE")] == ["s2"]


async def test_a_session_that_ended_is_opened_anew_for_what_may_be_repeated() -> None:
    """A read is repeated, by us; a call is not: the server said that it did not look, and the caller hears that."""
    server = RawServer(streaming())
    gone = True

    async def called(one: Exchange) -> None:
        if gone and one.header("mcp-session-id") == "s2":
            await one.write(plain(b"", status=b"404 Not Found"))
        else:
            await one.answer(result=RESULT)

    server.called = called
    host = RecordingHost()
    async with raw_mcp(server) as upstream:
        reply = await upstream.request("com.example/any", {"x": 1}, host=host)
        assert reply.effect is Effect.EXECUTED
        seen = [one.header("mcp-session-id") for one in server.of("com.example/any")]
        assert seen == ["s2", "s3"]
    server = RawServer(called)
    async with raw_mcp(server) as upstream:
        with pytest.raises(UpstreamUnavailable) as problem:
            await call(upstream, host)
        assert problem.value.code == "upstream.session_ended"
        assert len(server.calls) == 1
        assert (await call(upstream, host)).effect is Effect.EXECUTED
        assert [one.header("mcp-session-id") for one in server.calls] == ["s2", "s3"]


class Tokens:
    """A credential that is renewed when it is refused, ``left`` times."""

    per_caller = False

    def __init__(self, left: int) -> None:
        self.left = left
        self.number = 0
        self.refusals: list[bytes] = []

    async def authorization(self, host: Host) -> bytes | None:
        """The current one."""
        return b"Bearer token-%d" % self.number

    def refused(self, value: bytes) -> None:
        """Another one, while there is any."""
        self.refusals.append(value)
        if self.left:
            self.left -= 1
            self.number += 1


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_a_refused_credential_is_renewed_once(era: str) -> None:
    """A request that met a 401 was not applied (RFC 9110), so it leaves once more with another one, a call too."""
    server = RawServer(streaming(), era=era)

    async def called(one: Exchange) -> None:
        if one.header("authorization") == "Bearer token-1":
            await one.answer(result=RESULT)
        else:
            await one.write(plain(b"", status=b"401 Unauthorized"))

    server.called = called
    tokens = Tokens(1)
    async with raw_mcp(server, credential=tokens) as upstream:
        assert (await call(upstream)).effect is Effect.EXECUTED
    assert tokens.refusals == [b"Bearer token-0"]
    assert [one.header("authorization") for one in server.calls] == ["Bearer token-0", "Bearer token-1"]


@pytest.mark.parametrize(("left", "times"), [(0, 1), (5, 2)])
async def test_a_credential_that_stays_refused(left: int, times: int) -> None:
    """The same one is not shown again, and two are enough; it is certain that nothing was carried out."""

    async def called(one: Exchange) -> None:
        await one.write(plain(b"", status=b"401 Unauthorized", more=b"www-authenticate: Bearer\r\n"))

    server = RawServer(called, era=MODERN)
    async with raw_mcp(server, credential=Tokens(left)) as upstream:
        with pytest.raises(UpstreamUnavailable) as problem:
            await call(upstream)
        assert problem.value.code == "upstream.unauthorized"
        assert "token-" not in problem.value.message
    assert len(server.calls) == times


async def test_headers_are_computed_from_what_is_sent() -> None:
    """Method and name in the new era, whatever method bears a name; a host's own capabilities less tasks."""
    server = RawServer(streaming(), era=MODERN)
    declared = {
        "elicitation": {},
        "tasks": {"requests": {}},
        "extensions": {"io.modelcontextprotocol/tasks": {}, "com.example/x": {"y": 1}},
    }
    meta = {
        "progressToken": 7,
        "traceparent": "00-x",
        "io.modelcontextprotocol/logLevel": "debug",
        "io.modelcontextprotocol/clientInfo": {"name": "forged"},
        "dev.countersign/decision": "forged",
    }
    host = RecordingHost(capabilities=declared)
    async with raw_mcp(server) as upstream:
        await upstream.call("pay", {}, transaction_id="t1", meta=meta, host=host)
        await upstream.request("resources/read", {"uri": "note://\u00fc", "x": [1]}, host=host)
        await upstream.request("prompts/get", {"name": "p"}, host=host)
        await upstream.request("tasks/get", {"taskId": "t"}, host=host)
    sent = server.calls[0].message["params"]["_meta"]
    assert sent["io.modelcontextprotocol/clientCapabilities"] == {
        "elicitation": {},
        "extensions": {"com.example/x": {"y": 1}},
    }
    assert sent["io.modelcontextprotocol/clientInfo"]["name"] == "countersign"
    assert (sent["progressToken"], sent["traceparent"]) == (7, "00-x")
    assert sent["io.modelcontextprotocol/logLevel"] == "debug"
    assert "dev.countersign/decision" not in sent
    # What has no such header is the attempt to open a session, as the host's own era has them.
    said = [(one.header("mcp-method"), one.header("mcp-name")) for one in server.seen]
    names = [one for one in said if one[0] not in (None, "server/discover")]
    assert names[0] == ("tools/call", "pay")
    assert names[1][0] == "resources/read"
    assert re.fullmatch(r"=\?base64\?.*\?=", str(names[1][1]))
    assert names[2:] == [("prompts/get", "p"), ("tasks/get", "t")]
    assert server.of("resources/read")[0].message["params"]["x"] == [1]


async def test_who_goes_while_a_session_opens_leaves_none_behind() -> None:
    """Attack: to subscribe and hang up, again and again, and so to take the places of everybody's sessions."""
    opening, go = asyncio.Event(), asyncio.Event()

    async def called(one: Exchange) -> None:
        await one.answer(result={"content": []})

    raw = RawServer(called)
    plainly = raw._answered

    async def answered(one: Exchange) -> None:
        if one.message.get("method") == "initialize" and raw.sessions:
            opening.set()
            await go.wait()
        await plainly(one)

    raw._answered = answered  # type: ignore[method-assign]
    async with raw_mcp(raw) as upstream:
        listening = asyncio.create_task(upstream.listen({}, host=RecordingHost("listen:1")))
        await opening.wait()
        listening.cancel()
        await asyncio.wait({listening})
        forgetting = asyncio.create_task(upstream.forget("listen:1"))
        go.set()
        await forgetting
        assert [one.header("mcp-session-id") for one in raw.verbs("DELETE")] == ["s2"]
