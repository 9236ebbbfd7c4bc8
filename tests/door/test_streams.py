"""The streams without a call: a session's own, what a host missed of one, and ``subscriptions/listen``."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.door.host import Host
from gateway.door.listen import SUBSCRIPTION_META_KEY
from gateway.door.streams import MAX_STREAMS_OF_ONE
from gateway.errors import UpstreamUnavailable
from gateway.upstream.target import Reply
from tests.support.door import MODERN, Asked, Door, opened_door
from tests.support.until import until
from tests.support.walking import AGENT, OTHER, READ, an_answer, done

CALL = {"name": READ, "arguments": {}}
CHANGED = msgspec.Raw(b'{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}')
WANTED = {"notifications": {"toolsListChanged": True}}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """A fresh one, whose policy lets streams pass."""
    async with opened_door(tmp_path) as opened:
        opened.rooms.engine.answering = lambda _: an_answer("allow")
        yield opened


class Speaker:
    """A server that says what the test says, to everybody who listens, until it ends or is cancelled."""

    def __init__(self, door: Door) -> None:
        self.hosts: list[Host] = []
        self.cancelled = 0
        self._over = asyncio.Event()
        door.upstream.streaming = self

    async def __call__(self, host: Host) -> None:
        self.hosts.append(host)
        try:
            await self._over.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def listeners(self, count: int) -> list[Host]:
        """Wait for so many."""
        async with asyncio.timeout(20):
            await until(lambda: len(self.hosts) >= count)
        return self.hosts

    def end(self) -> None:
        """The server has said what it had to say."""
        self._over.set()


def numbered(number: int) -> msgspec.Raw:
    """A notification that can be told from others."""
    return msgspec.Raw(b'{"jsonrpc":"2.0","method":"notifications/message","params":{"data":%d}}' % number)


def data_of(asked: Asked) -> list[Any]:
    """The numbers that were told."""
    return [one["params"]["data"] for one in asked.messages if "params" in one]


# -- the session's own stream -----------------------------------------------------------------------------------------


async def test_a_session_hears_what_its_server_says(door: Door) -> None:
    """Judged once, recorded once, and held open until the host goes."""
    speaker, session = Speaker(door), await door.open()
    stream = door.get(session)
    (host,) = await speaker.listeners(1)
    await host.notify(CHANGED)
    await stream.told(1)
    assert stream.messages == [msgspec.json.decode(CHANGED)]
    assert not stream.complete
    stream.leave()
    await stream.end()
    assert speaker.cancelled == 1
    (record,) = door.rooms.records("passage")
    assert (record["tool"], record["outcome"], record["status"]) == (
        "subscriptions/listen",
        "allow",
        "executed",
    )


async def test_a_stream_that_the_policy_refuses_is_not_opened(door: Door) -> None:
    """The server hears nothing of it, and the refusal is one record."""
    speaker, session = Speaker(door), await door.open()
    door.rooms.engine.answering = lambda _: an_answer("deny")
    before = len(door.rooms.records())
    stream = await door.get(session).end()
    assert stream.document["error"]["code"] == 4031
    listened = await door.post("subscriptions/listen", WANTED, protocol=MODERN).end()
    assert listened.document["error"]["code"] == 4031
    assert (speaker.hosts, door.upstream.listened) == ([], [])
    assert [one["status"] for one in door.rooms.records("passage")] == ["refused", "refused"]
    assert len(door.rooms.records()) == before


async def test_a_second_stream_takes_the_place_of_the_first(door: Door) -> None:
    """The host has lost the first without our noticing; it is ended properly, and the second hears what comes."""
    speaker, session = Speaker(door), await door.open()
    first = door.get(session)
    await speaker.listeners(1)
    second = door.get(session)
    await speaker.listeners(2)
    await first.end()
    assert first.complete
    assert speaker.cancelled == 1
    await speaker.hosts[1].notify(CHANGED)
    await second.told(1)
    assert len(second.messages) == 1
    assert first.messages == []
    second.leave()
    await second.end()


async def test_the_end_of_a_session_ends_its_stream(door: Door) -> None:
    """And its server is told."""
    speaker, session = Speaker(door), await door.open()
    stream = door.get(session)
    await speaker.listeners(1)
    await door.delete(session).end()
    await stream.end()
    assert (stream.complete, speaker.cancelled) == (True, 1)


async def test_a_session_that_ends_while_its_stream_is_judged_has_none(door: Door) -> None:
    """Attack: a stream that belongs to nobody, and that nobody could end."""
    speaker, session, answered = Speaker(door), await door.open(), asyncio.Event()
    door.rooms.engine.thinking = answered.wait
    stream = door.get(session)
    await until(lambda: door.rooms.engine.questions)
    assert (await door.delete(session).end()).status == 204
    answered.set()
    await stream.end()
    assert (stream.status, stream.code) == (404, "door.session_unknown")
    assert speaker.hosts == []


async def test_a_session_that_ends_while_its_stream_waits_for_the_one_before_has_none(door: Door) -> None:
    """The same, where the stream before takes its time to end."""
    session, go, listened = await door.open(), asyncio.Event(), list[Host]()
    ending = asyncio.Event()

    async def slow_to_end(host: Host) -> None:
        listened.append(host)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ending.set()
            await go.wait()

    door.upstream.streaming = slow_to_end
    first = door.get(session)
    await until(lambda: listened)
    second = door.get(session)
    await ending.wait()
    assert (await door.delete(session).end()).status == 204
    go.set()
    await first.end()
    await second.end()
    assert (second.status, second.code) == (404, "door.session_unknown")
    assert len(listened) == 1


async def test_a_server_without_a_stream_is_silent(door: Door) -> None:
    """The stream stands nevertheless: hosts that find it ended open it again and again."""
    session = await door.open()
    stream = door.get(session)
    await until(lambda: door.upstream.listened)
    assert not stream.complete
    assert stream.status == 200
    stream.leave()
    await stream.end()


async def test_a_get_that_reads_no_stream_is_refused(door: Door) -> None:
    """Nothing is opened."""
    session = await door.open()
    asked = await door.send("GET", b"", {"mcp-session-id": session, "accept": "application/json"}).end()
    assert (asked.status, asked.code) == (400, "door.not_acceptable")
    assert door.upstream.listened == []


# -- what a host missed -----------------------------------------------------------------------------------------------


class Steps:
    """A call that says a number at each step, when it is told to."""

    def __init__(self, door: Door) -> None:
        self._go: asyncio.Queue[int | None] = asyncio.Queue()
        door.upstream.asking = self

    async def __call__(self, host: Host) -> Reply:
        while (number := await self._go.get()) is not None:
            await host.notify(numbered(number))
        return done()

    def say(self, *numbers: int | None) -> None:
        """One after the other; None ends the call."""
        for number in numbers:
            self._go.put_nowait(number)


async def lost(door: Door, steps: Steps, session: str) -> tuple[Asked, str]:
    """A call whose host hears one number and then loses the connection; the id of the last event it has."""
    call = door.post("tools/call", CALL, session=session, rpc_id="c")
    steps.say(1)
    await call.told(1)
    call.leave()
    last = call.events[-1].id
    assert last is not None
    return call, last


async def test_what_was_missed_of_a_stream_that_ended_is_told_again(door: Door) -> None:
    """From the event on, under the same ids, to the answer; and then the stream is over."""
    steps, session = Steps(door), await door.open()
    call, last = await lost(door, steps, session)
    steps.say(2, 3, None)
    await call.end()
    again = await door.get(session, after=last).end()
    assert data_of(again) == [2, 3]
    assert again.messages[-1]["id"] == "c"
    assert again.complete, "a stream without an end is an error of the connection, and is asked for again"
    stream = last.split(".")[0]
    assert [one.id for one in again.events] == [f"{stream}.{number}" for number in (3, 4, 5)]
    assert len(door.upstream.calls) == 1
    assert door.upstream.listened == []


async def test_a_stream_that_goes_on_is_told_to_its_end(door: Door) -> None:
    """What was missed first, then what comes, and then the answer."""
    steps, session = Steps(door), await door.open()
    call, last = await lost(door, steps, session)
    steps.say(2)
    again = door.get(session, after=last)
    await again.told(1)
    assert (data_of(again), again.complete) == ([2], False)
    steps.say(3, None)
    await again.end()
    assert data_of(again) == [2, 3]
    assert again.messages[-1]["result"]["content"]
    assert again.complete
    await call.end()


async def test_a_host_that_loses_the_second_telling_too_comes_again(door: Door) -> None:
    """As often as it likes, while it is kept."""
    steps, session = Steps(door), await door.open()
    call, last = await lost(door, steps, session)
    steps.say(2)
    again = door.get(session, after=last)
    await again.told(1)
    again.leave()
    await again.end()
    steps.say(None)
    await call.end()
    third = await door.get(session, after=again.events[-1].id).end()
    assert [sorted(one) for one in third.messages] == [["id", "jsonrpc", "result"]]


async def test_an_event_of_another_session_is_none(door: Door) -> None:
    """Attack: somebody who counts up ids and reads another's answers; the ids of both sessions are alike."""
    steps, session = Steps(door), await door.open()
    call, last = await lost(door, steps, session)
    steps.say(2, None)
    await call.end()
    beside, foreign = await door.open(), await door.open(token=OTHER)
    steps.say(7, None)
    own = await door.post("tools/call", CALL, session=beside).end()
    assert own.events[-1].id == "1.3"
    assert data_of(await door.get(beside, after=last).end()) == []
    assert data_of(await door.get(beside, after="1.1").end()) == [7]
    for token in (OTHER, AGENT):
        asked = await door.get(foreign if token == OTHER else session + "x", after=last, token=token).end()
        assert asked.code in ("door.event_unknown", "door.session_unknown")
    stolen = await door.get(session, after=last, token=OTHER).end()
    assert (stolen.status, stolen.code) == (404, "door.session_unknown")


@pytest.mark.parametrize("event_id", ["1.99", "9.1", "x", "1", "' or 1", "1.1 "])
async def test_an_event_that_is_gone_is_said_to_be_gone(door: Door, event_id: str) -> None:
    """400, never silence: the host sends its request again."""
    session = await door.open()
    asked = await door.get(session, after=event_id).end()
    assert (asked.status, asked.code) == (400, "door.event_unknown")
    assert door.upstream.listened == []


async def test_the_sessions_own_stream_goes_on_where_it_was_lost(door: Door) -> None:
    """What was said and not received first, and then what comes."""
    speaker, session = Speaker(door), await door.open()
    first = door.get(session)
    await speaker.listeners(1)
    await speaker.hosts[0].notify(numbered(1))
    await first.told(1)
    seen = first.events[-1].id
    await speaker.hosts[0].notify(numbered(2))
    first.leave()
    await first.end()
    second = door.get(session, after=seen)
    await speaker.listeners(2)
    await speaker.hosts[1].notify(numbered(3))
    await second.told(2)
    assert data_of(second) == [2, 3]
    ids = [one.id for one in second.events if one.message is not None]
    assert len(set(ids)) == 2
    second.leave()
    await second.end()


# -- subscriptions/listen ---------------------------------------------------------------------------------------------


async def test_a_subscription_hears_its_server_until_it_ends(door: Door) -> None:
    """Each frame under the host's own id, and the end is the answer to the request."""
    speaker = Speaker(door)
    stream = door.post("subscriptions/listen", WANTED, protocol=MODERN, rpc_id="sub-1")
    (host,) = await speaker.listeners(1)
    await host.notify(CHANGED)
    await stream.told(1)
    speaker.end()
    await stream.end()
    frame, answer = stream.messages
    assert frame["params"]["_meta"] == {SUBSCRIPTION_META_KEY: "sub-1"}
    assert (answer["id"], answer["result"]["resultType"]) == ("sub-1", "complete")
    assert answer["result"]["_meta"][SUBSCRIPTION_META_KEY] == "sub-1"
    assert stream.complete
    assert door.upstream.listened[0][0]["notifications"] == WANTED["notifications"]
    assert door.upstream.forgotten == [host.key]


async def test_a_subscriber_that_goes_ends_it_at_the_server(door: Door) -> None:
    """And the conversation that was opened for it."""
    speaker = Speaker(door)
    stream = door.post("subscriptions/listen", WANTED, protocol=MODERN)
    (host,) = await speaker.listeners(1)
    stream.leave()
    await stream.end()
    assert speaker.cancelled == 1
    assert door.upstream.forgotten == [host.key]


async def test_a_subscription_at_a_server_without_a_stream_is_acknowledged_with_nothing(door: Door) -> None:
    """It stands, and is silent."""
    stream = door.post("subscriptions/listen", WANTED, protocol=MODERN, rpc_id=5)
    await stream.told(1)
    assert stream.messages[0]["method"] == "notifications/subscriptions/acknowledged"
    assert stream.messages[0]["params"]["notifications"] == {}
    assert not stream.complete
    stream.leave()
    await stream.end()


async def test_a_subscription_at_a_server_that_is_down_ends(door: Door) -> None:
    """The host may subscribe anew."""

    async def down(host: Host) -> None:
        del host
        raise UpstreamUnavailable("down")

    door.upstream.streaming = down
    stream = await door.post("subscriptions/listen", WANTED, protocol=MODERN).end()
    assert stream.messages[-1]["result"]["resultType"] == "complete"
    assert stream.complete


@pytest.mark.parametrize(
    "params", [{}, {"notifications": None}, {"notifications": []}, {"notifications": "all"}]
)
async def test_a_subscription_to_nothing_that_is_named_is_refused(door: Door, params: dict[str, Any]) -> None:
    """400, and no stream."""
    asked = await door.post("subscriptions/listen", params, protocol=MODERN).end()
    assert (asked.status, asked.document["error"]["code"]) == (400, -32602)
    assert door.upstream.listened == []


async def test_a_subscription_needs_a_caller_and_a_server(door: Door) -> None:
    """As everything does; nothing is opened."""
    stranger = await door.post("subscriptions/listen", WANTED, protocol=MODERN, token="wrong").end()
    assert stranger.status == 401
    nowhere = await door.post("subscriptions/listen", WANTED, protocol=MODERN, server="none").end()
    assert nowhere.code == "catalog.unknown_server"
    older = await door.post("subscriptions/listen", WANTED).end()
    assert older.document["error"]["code"] == -32601
    assert door.upstream.listened == []


async def test_one_caller_holds_only_so_many_streams(door: Door) -> None:
    """Attack: stream after stream, until no conversation with the server is left for anybody else."""
    speaker = Speaker(door)
    streams = [door.post("subscriptions/listen", WANTED, protocol=MODERN) for _ in range(MAX_STREAMS_OF_ONE)]
    await speaker.listeners(MAX_STREAMS_OF_ONE)
    for refused in (door.post("subscriptions/listen", WANTED, protocol=MODERN), door.get(await door.open())):
        await refused.end()
        assert (refused.status, refused.code) == (503, "door.streams_full")
    assert len(door.upstream.listened) == MAX_STREAMS_OF_ONE
    other = door.post("subscriptions/listen", WANTED, protocol=MODERN, token=OTHER)
    await speaker.listeners(MAX_STREAMS_OF_ONE + 1)
    for stream in (*streams, other):
        stream.leave()
        await stream.end()
    free = door.post("subscriptions/listen", WANTED, protocol=MODERN)
    await speaker.listeners(MAX_STREAMS_OF_ONE + 2)
    free.leave()
    await free.end()


# -- a host that goes in the middle of a call -------------------------------------------------------------------------


async def test_a_host_of_today_that_hangs_up_cancels_its_call(door: Door) -> None:
    """Closing the stream is the cancellation: the server is told, and the record says unknown."""
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def holds(host: Host) -> Reply:
        await host.notify(CHANGED)
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return done()

    door.upstream.asking = holds
    call = door.post("tools/call", CALL, protocol=MODERN)
    await begun.wait()
    call.leave()
    await call.end()
    assert cancelled.is_set()
    record = door.rooms.records()[-1]
    assert (record["status"], record["error"]) == ("unknown", "cancelled")


async def test_a_call_that_cannot_be_stopped_is_carried_to_its_end(door: Door) -> None:
    """A REST API has no cancellation: the record says how it ended, although nobody hears it."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def holds(host: Host) -> Reply:
        del host
        begun.set()
        await go.wait()
        return done()

    door.upstream.cancels, door.upstream.asking = False, holds
    session = await door.open()
    modern = door.post("tools/call", CALL, protocol=MODERN)
    await begun.wait()
    begun.clear()
    older = door.post("tools/call", CALL, session=session, rpc_id=1)
    await begun.wait()
    modern.leave()
    await door.post("notifications/cancelled", {"requestId": 1}, session=session, rpc_id=None).end()
    go.set()
    await asyncio.gather(modern.end(), older.end())
    assert [one["status"] for one in door.rooms.records()[-2:]] == ["executed", "executed"]
    assert older.document["result"]["content"]
