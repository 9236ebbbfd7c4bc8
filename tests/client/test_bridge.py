"""The bridge as a process between a host that writes lines and a gateway that does as it is told."""

from __future__ import annotations

import asyncio
import gzip
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import RedirectResponse, Response

from gateway.client.bridge import MAX_AT_ONCE, TOO_MANY
from gateway.client.pipe import MAX_LINE
from tests.support.bridge import BridgeProcess, bridging
from tests.support.house import MODERN, MODERN_META
from tests.support.ports import free_port
from tests.support.scripted_gateway import (
    Behaviour,
    Came,
    ScriptedGateway,
    event,
    nothing,
    result,
    scripted_gateway,
    stream,
)
from tests.support.until import until

INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test-host", "version": "1"},
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@asynccontextmanager
async def between(
    home: Path, behave: Behaviour, listen: Behaviour = nothing
) -> AsyncIterator[tuple[BridgeProcess, ScriptedGateway]]:
    """A bridge with a fixed token, and the gateway behind it."""
    async with (
        scripted_gateway(behave, listen) as gateway,
        bridging(gateway.url, home, COUNTERSIGN_TOKEN="the-token") as bridge,
    ):
        yield bridge, gateway


async def fine(came: Came) -> Response:
    """Every request is answered."""
    return result(came, ok=True)


def with_sessions(*ended: str) -> Behaviour:
    """``initialize`` gives session ids in order; those in ``ended`` are no longer known."""
    given = iter(("session-1", "session-2", "session-3"))
    gone = set(ended)

    async def behave(came: Came) -> Response:
        if came.message.get("method") == "initialize":
            answer = result(came, protocolVersion="2025-06-18", capabilities={})
            answer.headers["mcp-session-id"] = next(given)
            return answer
        if came.headers.get("mcp-session-id") in gone and "id" in came.message:
            return Response(status_code=404)
        return result(came, session=came.headers.get("mcp-session-id"))

    return behave


async def test_a_message_travels_byte_for_byte(tmp_path: Path) -> None:
    """White space, order, big numbers and unknown members arrive as they were written; the token travels, the host's
    own id comes back."""
    line = b'{ "id":"a\\u0062","extra":1.10,"jsonrpc":"2.0" , "method":"ping","params":{"n":12345678901234567890}}'
    async with between(tmp_path, fine) as (bridge, gateway):
        await bridge.write(line)
        assert (await bridge.read())["id"] == "ab"
    assert gateway.came[0].body == line
    assert gateway.came[0].headers["authorization"] == "Bearer the-token"
    assert "mcp-method" not in gateway.came[0].headers


async def test_a_modern_message_gets_its_headers(tmp_path: Path) -> None:
    """Version, method, name and the annotated arguments, the latter learnt from the list that passed."""
    schema = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}

    async def behave(came: Came) -> Response:
        return result(came, tools=[{"name": "päy", "inputSchema": schema}], resultType="complete")

    async with between(tmp_path, behave) as (bridge, gateway):
        await bridge.ask("tools/list", {"_meta": MODERN_META})
        call = {"name": "päy", "arguments": {"region": "eu"}, "_meta": MODERN_META}
        await bridge.ask("tools/call", call, 2)
    headers = gateway.came[1].headers
    assert headers["mcp-protocol-version"] == MODERN
    assert headers["mcp-method"] == "tools/call"
    assert headers["mcp-name"] == "=?base64?cMOkeQ==?="
    assert headers["mcp-param-region"] == "eu"
    assert "mcp-session-id" not in headers


async def test_a_session_is_kept_listened_to_and_ended(tmp_path: Path) -> None:
    """The id and the version that was agreed go with every request; the server's own stream reaches the host."""

    async def listen(came: Came) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield event({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
            await asyncio.Event().wait()

        return stream(parts())

    async with between(tmp_path, with_sessions(), listen) as (bridge, gateway):
        await bridge.ask("initialize", INITIALIZE)
        await bridge.write(INITIALIZED)
        assert (await bridge.read())["method"] == "notifications/tools/list_changed"
        assert (await bridge.ask("ping", {}, 2))["result"] == {"session": "session-1"}
        assert await bridge.hung_up_on() == 0
        assert {one.headers.get("mcp-protocol-version") for one in gateway.came[1:]} == {"2025-06-18"}
        assert gateway.came[-1].method == "DELETE"


async def test_a_session_that_ended_is_opened_again_once(tmp_path: Path) -> None:
    """404: the host's own ``initialize`` is sent again, and the request that failed is carried out; the host sees
    nothing of it."""
    async with between(tmp_path, with_sessions("session-1")) as (bridge, gateway):
        await bridge.ask("initialize", INITIALIZE)
        await bridge.write(INITIALIZED)
        assert (await bridge.ask("ping", {}, 2))["result"] == {"session": "session-2"}
        assert len(gateway.posted("initialize")) == 2
        assert gateway.posted("initialize")[1].message["params"] == INITIALIZE


async def test_a_session_that_ends_at_once_is_not_opened_for_ever(tmp_path: Path) -> None:
    """The second 404 is the host's to know."""
    async with between(tmp_path, with_sessions("session-1", "session-2", "session-3")) as (bridge, gateway):
        await bridge.ask("initialize", INITIALIZE)
        assert "error" in await bridge.ask("ping", {}, 2)
        assert len(gateway.posted("initialize")) == 2


async def test_a_question_of_the_server_is_answered_by_the_host(tmp_path: Path) -> None:
    """A request inside a call's stream reaches the host, its answer is posted, and the call goes on."""
    answered = asyncio.Event()

    async def behave(came: Came) -> Response:
        if "method" not in came.message:
            answered.set()
            return Response(status_code=202)

        async def parts() -> AsyncIterator[bytes]:
            yield event({"jsonrpc": "2.0", "id": "q-1", "method": "elicitation/create", "params": {}})
            await answered.wait()
            yield event({"jsonrpc": "2.0", "id": came.message["id"], "result": {"content": []}})

        return stream(parts())

    async with between(tmp_path, behave) as (bridge, gateway):
        question = await bridge.ask("tools/call", {"name": "pay"}, 7)
        assert question["method"] == "elicitation/create"
        await bridge.write({"jsonrpc": "2.0", "id": "q-1", "result": {"action": "accept"}})
        assert (await bridge.read())["id"] == 7
        assert gateway.came[1].message == {"jsonrpc": "2.0", "id": "q-1", "result": {"action": "accept"}}


def hanging(gone: asyncio.Event) -> Behaviour:
    """Calls begin to answer and never end; ``gone`` is set when the client closes the stream."""

    async def behave(came: Came) -> Response:
        if came.message.get("method") != "tools/call":
            return result(came)

        async def parts() -> AsyncIterator[bytes]:
            try:
                yield event(
                    {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "begun"}}
                )
                await asyncio.Event().wait()
            finally:
                gone.set()

        return stream(parts())

    return behave


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_cancelled_call_is_cancelled_at_the_gateway(tmp_path: Path, era: str) -> None:
    """Modern: its stream is closed and nothing is posted; legacy: the notification travels. Nothing is answered."""
    gone = asyncio.Event()
    meta = {"_meta": MODERN_META} if era == "modern" else {}
    async with between(tmp_path, hanging(gone)) as (bridge, gateway):
        await bridge.ask("tools/call", {"name": "pay", **meta}, 9)
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}}
        await bridge.write(cancel)
        await gone.wait()
        assert (await bridge.ask("ping", {}, 10))["id"] == 10
        told = [one.message for one in gateway.posted("notifications/cancelled")]
    assert told == ([] if era == "modern" else [cancel])


async def test_a_host_that_vanishes_takes_its_calls_along(tmp_path: Path) -> None:
    """Its pipe closes mid-call: the stream to the gateway is closed, and the bridge ends with 0."""
    gone = asyncio.Event()
    async with between(tmp_path, hanging(gone)) as (bridge, _):
        await bridge.ask("tools/call", {"name": "pay", "_meta": MODERN_META}, 9)
        assert await bridge.hung_up_on() == 0
        await gone.wait()


async def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """SIGTERM, with a call in flight and a host that keeps its pipe open."""
    gone = asyncio.Event()
    async with between(tmp_path, hanging(gone)) as (bridge, _):
        await bridge.ask("tools/call", {"name": "pay", "_meta": MODERN_META}, 9)
        bridge.process.send_signal(signal.SIGTERM)
        assert await bridge.process.wait() == 0
        await gone.wait()


async def test_a_line_of_ten_megabytes_is_thrown_away(tmp_path: Path) -> None:
    """It is refused by name of the limit, the gateway never hears of it, and the next line is served."""
    async with between(tmp_path, fine) as (bridge, gateway):
        sending = asyncio.ensure_future(
            bridge.write(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * 10_000_000 + b'"}')
        )
        refused = await bridge.read()
        await sending
        assert str(MAX_LINE) in refused["error"]["message"]
        assert refused["id"] is None
        assert (await bridge.ask("ping", {}, 2))["result"] == {"ok": True}
        assert len(gateway.came) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"no json", -32700),
        (b"\xff\xfe", -32700),
        (b"[]", -32600),
        (b"[" * 100_000, -32700),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
    ],
)
async def test_what_is_no_message_is_refused(tmp_path: Path, line: bytes, code: int) -> None:
    """The host learns it, the gateway does not, and the conversation goes on."""
    async with between(tmp_path, fine) as (bridge, gateway):
        await bridge.write(line)
        assert (await bridge.read())["error"]["code"] == code
        assert "result" in await bridge.ask("ping", {})
        assert len(gateway.came) == 1


async def test_a_gateway_that_dies_mid_stream_is_an_unknown_outcome(tmp_path: Path) -> None:
    """The call is neither repeated nor called failed."""

    async def behave(came: Came) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield event({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "begun"}})
            yield b'data: {"jsonrpc":"2.0","id":'

        return stream(parts())

    async with between(tmp_path, behave) as (bridge, gateway):
        await bridge.ask("tools/call", {"name": "pay", "_meta": MODERN_META}, 4)
        lost = await bridge.read()
        assert lost["id"] == 4
        assert lost["error"]["data"] == {"code": "client.answer_lost"}
        assert "not known" in lost["error"]["message"]
        assert len(gateway.came) == 1


async def test_a_broken_stream_is_picked_up_where_it_ended(tmp_path: Path) -> None:
    """2025-11-25: the server ends the stream after an event with an id; the answer comes on a GET with that id."""
    asked: list[Any] = []

    async def behave(came: Came) -> Response:
        asked.append(came.message.get("id"))

        async def parts() -> AsyncIterator[bytes]:
            yield b"id: e-1\nretry: 1\ndata:\n\n"

        return stream(parts())

    async def listen(came: Came) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield event({"jsonrpc": "2.0", "id": asked[0], "result": {"late": True}}, "e-2")

        return stream(parts())

    async with between(tmp_path, behave, listen) as (bridge, gateway):
        assert (await bridge.ask("tools/call", {"name": "pay"}, 5))["result"] == {"late": True}
        assert gateway.came[1].headers["last-event-id"] == "e-1"
        assert len(gateway.posted("tools/call")) == 1


async def test_a_gateway_that_is_not_there_says_that_nothing_was_sent(tmp_path: Path) -> None:
    """And the bridge lives on: the gateway may be started later."""
    async with bridging(f"http://127.0.0.1:{free_port()}/mcp", tmp_path, COUNTERSIGN_TOKEN="t") as bridge:
        refused = await bridge.ask("ping", {})
        assert refused["error"]["data"] == {"code": "client.unreachable"}
        await bridge.said("nothing was sent")
        assert await bridge.hung_up_on() == 0


async def _garbage(came: Came) -> Response:
    return Response("<html>", media_type="application/json")


async def _foreign(came: Came) -> Response:
    return Response('{"jsonrpc":"2.0","id":"of-another","result":{}}', media_type="application/json")


async def _elsewhere(came: Came) -> Response:
    return RedirectResponse("http://127.0.0.1:9/steal", 307)


async def _bomb(came: Came) -> Response:
    body = gzip.compress(b" " * 100_000)
    return Response(body, media_type="application/json", headers={"content-encoding": "gzip"})


async def _unauthorized(came: Came) -> Response:
    return Response(status_code=401)


async def _broken(came: Came) -> Response:
    return Response("it broke", status_code=500)


@pytest.mark.parametrize("behave", [_garbage, _foreign, _elsewhere, _bomb, _unauthorized, _broken])
async def test_an_answer_that_is_none_is_an_error_of_that_call(tmp_path: Path, behave: Behaviour) -> None:
    """One request, one error under the host's id, nothing followed, nothing unpacked, nothing sent again."""
    async with between(tmp_path, behave) as (bridge, gateway):
        refused = await bridge.ask("ping", {}, "mine")
        assert refused["id"] == "mine"
        assert refused["error"]["code"] == 5040
        assert len(gateway.came) == 1


async def test_an_error_of_the_gateway_reaches_the_host_as_it_is(tmp_path: Path) -> None:
    """Under the host's id, even where the gateway could not read one."""

    async def behave(came: Came) -> Response:
        body = (
            b'{\n "jsonrpc":"2.0","id":null,"error":{"code":-32020,"message":"m","data":{"code":"door.x"}}}'
        )
        return Response(body, status_code=400, media_type="application/json")

    async with between(tmp_path, behave) as (bridge, _):
        refused = await bridge.ask("ping", {}, 3)
    assert refused == {
        "jsonrpc": "2.0",
        "id": 3,
        "error": {"code": -32020, "message": "m", "data": {"code": "door.x"}},
    }


async def test_too_many_requests_at_once_are_refused(tmp_path: Path) -> None:
    """And one of those in flight can still be cancelled."""
    gone = asyncio.Event()
    async with between(tmp_path, hanging(gone)) as (bridge, gateway):
        for ident in range(MAX_AT_ONCE):
            await bridge.ask("tools/call", {"name": "pay", "_meta": MODERN_META}, ident)
        refused = await bridge.ask("ping", {}, "one-more")
        assert refused["error"]["code"] == TOO_MANY
        await bridge.write(
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 0}}
        )
        await gone.wait()
        await until(lambda: len(gateway.came) == MAX_AT_ONCE)


async def test_an_id_in_use_is_refused(tmp_path: Path) -> None:
    """Whose answer is whose would be a guess."""
    async with between(tmp_path, hanging(asyncio.Event())) as (bridge, gateway):
        await bridge.ask("tools/call", {"name": "pay", "_meta": MODERN_META}, 1)
        assert "still running" in (await bridge.ask("ping", {}, 1))["error"]["message"]
        assert len(gateway.came) == 1
