"""Sessions of the older era: a conversation, and never a right."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.door.call import Client
from gateway.door.host import Host, HostCannot
from gateway.door.session import (
    IDLE_S,
    MAX_ASKED,
    MAX_SESSIONS,
    MAX_SESSIONS_OF_ONE,
    SWEEP_S,
    Session,
    SessionGone,
    Sessions,
)
from gateway.errors import MalformedRequest, Unavailable
from gateway.upstream.target import Reply
from tests.support.clock import ManualClock
from tests.support.door import BOTH, LEGACY, MODERN, OTHER_SERVER, Asked, Door, opened_door
from tests.support.until import until
from tests.support.walking import OTHER, READ, done

FORMS: dict[str, Any] = {"elicitation": {}}
CALL = {"name": READ, "arguments": {}}


def a_session(principal: str = "p", server: str = "bank", now: float = 0.0) -> Session:
    """One that declared nothing."""
    return Session(
        principal=principal, server=server, protocol="2025-11-25", client=Client(), capabilities={}, now=now
    )


class Desk:
    """Sessions under a clock, and those that ended."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ended: list[Session] = []
        self.sessions = Sessions(now=self.clock, ended=self.ended.append)

    def open(self, principal: str = "p", server: str = "bank") -> Session:
        """One more."""
        return self.sessions.open(a_session(principal, server, self.clock()))

    def alive(self, session: Session) -> bool:
        """Whether its own caller finds it."""
        try:
            self.sessions.find(session.id, principal=session.principal, server=session.server)
        except SessionGone:
            return False
        return True


def test_an_id_cannot_be_guessed_and_does_not_tell_the_key() -> None:
    """256 bits in visible ASCII; upstreams are told of the conversation by another name."""
    ids = {a_session().id for _ in range(100)}
    assert len(ids) == 100
    assert all(len(one) >= 43 and one.isascii() and one.isprintable() for one in ids)
    session = a_session()
    assert session.id not in session.key


@pytest.mark.parametrize(("principal", "server"), [("q", "bank"), ("p", "shop"), ("", ""), ("P", "bank")])
def test_somebody_elses_session_is_one_that_does_not_exist(principal: str, server: str) -> None:
    """In the very words; and asking for it keeps nothing alive."""
    desk = Desk()
    session = desk.open()
    with pytest.raises(SessionGone) as foreign:
        desk.sessions.find(session.id, principal=principal, server=server)
    with pytest.raises(SessionGone) as unknown:
        desk.sessions.find("no-such-session", principal="p", server="bank")
    assert str(foreign.value) == str(unknown.value)
    assert (foreign.value.http_status, foreign.value.code) == (404, "door.session_unknown")
    assert desk.alive(session)


def test_a_foreign_look_does_not_keep_a_session_alive() -> None:
    """Only its own caller does."""
    desk = Desk()
    session = desk.open()
    desk.clock.advance(IDLE_S)
    with pytest.raises(SessionGone):
        desk.sessions.find(session.id, principal="q", server="bank")
    desk.clock.advance(1)
    assert not desk.alive(session)


def test_a_session_that_is_idle_for_too_long_is_over() -> None:
    """Each request starts the time anew; what is open keeps it; a clock set back ends nothing."""
    desk = Desk()
    session, busy = desk.open(), desk.open()
    busy.stream = lambda: None
    desk.clock.advance(IDLE_S)
    assert desk.alive(session)
    desk.clock.advance(IDLE_S + 1)
    assert not desk.alive(session)
    assert desk.alive(busy)
    assert desk.ended == [session]
    desk.clock.advance(-10 * IDLE_S)
    assert desk.alive(busy)


def test_idle_sessions_are_swept_when_others_open() -> None:
    """Also those that nobody asks for again."""
    desk = Desk()
    session = desk.open()
    desk.clock.advance(IDLE_S + SWEEP_S)
    desk.open()
    assert desk.ended == [session]
    assert len(desk.sessions) == 1


def test_who_opens_too_many_loses_their_own_oldest() -> None:
    """And nobody else's."""
    desk = Desk()
    other = desk.open("q")
    own = [desk.open() for _ in range(MAX_SESSIONS_OF_ONE + 3)]
    assert desk.ended == own[:3]
    assert desk.alive(other)
    assert desk.alive(own[3])
    assert len(desk.sessions) == MAX_SESSIONS_OF_ONE + 1


def test_a_full_process_ends_an_idle_session_and_none_that_is_in_use() -> None:
    """When all are in use, nobody is let in."""
    desk = Desk()
    all_of_them = [desk.open(f"p{number // 100}") for number in range(MAX_SESSIONS)]
    all_of_them[0].stream = lambda: None
    desk.open("new")
    assert desk.ended == [all_of_them[1]]
    for session in all_of_them:
        session.running["1"] = lambda: None
    desk.open("newer").running[1] = lambda: None  # the place of the one before, which was idle
    with pytest.raises(Unavailable) as full:
        desk.open("newest")
    assert full.value.code == "door.sessions_full"
    assert len(desk.sessions) == MAX_SESSIONS


def test_the_end_cancels_what_runs_once() -> None:
    """Requests, the stream; a second end does nothing."""
    desk = Desk()
    session = desk.open()
    heard: list[str] = []
    session.running["a"] = lambda: heard.append("a")
    session.stream = lambda: heard.append("stream")
    desk.sessions.close(session)
    desk.sessions.close(session)
    assert heard == ["a", "stream"]
    assert desk.ended == [session]
    assert session.ended


async def test_the_end_answers_what_was_asked() -> None:
    """A server does not wait for a host that has gone."""
    desk = Desk()
    session = desk.open()
    _, answer = session.question()
    desk.sessions.close_all()
    with pytest.raises(HostCannot):
        await answer


async def test_a_host_has_only_so_many_questions_open() -> None:
    """One more is answered here; a place is free again once one is withdrawn or answered."""
    session = a_session()
    ids = [session.question()[0] for _ in range(MAX_ASKED)]
    with pytest.raises(HostCannot):
        session.question()
    session.withdraw(ids[0])
    session.question()
    session.answered(ids[1], {"result": {}})
    session.question()
    assert len(set(ids)) == MAX_ASKED


@pytest.mark.parametrize(
    ("response", "code", "message", "data"),
    [
        ({"error": {"code": -1, "message": "no", "data": {"a": 1}}}, -1, "no", {"a": 1}),
        ({"error": {"code": True, "message": 5}}, -32603, "The host answered with an error.", None),
        ({"error": "no"}, -32603, "The host answered with an error.", None),
        ({"error": None}, -32603, "The host answered with an error.", None),
        ({"error": {}, "result": {"action": "accept"}}, -32603, "The host answered with an error.", None),
        ({}, -32603, "The host answered with an error.", None),
    ],
    ids=repr,
)
async def test_what_is_no_plain_result_is_an_error(
    response: dict[str, Any], code: int, message: str, data: Any
) -> None:
    """Never a yes, whatever stands beside it."""
    session = a_session()
    rpc_id, answer = session.question()
    session.answered(rpc_id, response)
    with pytest.raises(HostCannot) as cannot:
        await answer
    assert (cannot.value.code, cannot.value.message, cannot.value.data) == (code, message, data)


@pytest.mark.parametrize("rpc_id", [None, 1, "", "countersign-2", "COUNTERSIGN-1", True])
async def test_a_response_to_nothing_is_refused(rpc_id: Any) -> None:
    """And the question that is open stays open."""
    session = a_session()
    _, answer = session.question()
    with pytest.raises(MalformedRequest) as refused:
        session.answered(rpc_id, {"result": {}})
    assert refused.value.code == "door.response_unknown"
    assert not answer.done()


@pytest.mark.parametrize("rpc_id", [None, [], {}, 1.0, True, "1", 2, [[1]]])
def test_a_cancellation_of_nothing_changes_nothing(rpc_id: Any) -> None:
    """Attack: an id that is no id, which reads as another one or breaks."""
    session, heard = a_session(), []
    session.running[1] = lambda: heard.append(1)
    session.cancel(rpc_id)
    assert heard == []
    session.cancel(1)
    assert heard == [1]


# -- through the door -------------------------------------------------------------------------------------------------


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """A fresh one."""
    async with opened_door(tmp_path) as opened:
        yield opened


def said(asked: Asked) -> tuple[int, dict[str, Any]]:
    """Status and error, less what differs from request to request."""
    error = asked.document["error"]
    del error["data"]["call_id"]
    return asked.status, error


async def test_a_stolen_session_id_opens_nothing(door: Door) -> None:
    """For another caller, and at another server: 404 in the words of a session that never was, by every method."""
    session = await door.open(FORMS)
    unknown = said(await door.post("tools/call", CALL, session="x" * 43).end())
    assert unknown[0] == 404
    thefts: list[dict[str, Any]] = [{"token": OTHER}, {"server": OTHER_SERVER}]
    for how in thefts:
        asked = [
            door.post("tools/call", CALL, session=session, **how),
            door.post("notifications/roots/list_changed", session=session, rpc_id=None, **how),
            door.response("countersign-1", session, **how),
            door.get(session, **how),
            door.delete(session, **how),
        ]
        for one in asked:
            assert said(await one.end()) == unknown
    assert (door.upstream.calls, door.upstream.told, door.upstream.listened) == ([], [], [])
    assert (await door.post("tools/call", CALL, session=session).end()).status == 200


async def test_a_session_does_not_stand_for_a_token(door: Door) -> None:
    """Sessions are never authentication."""
    session = await door.open()
    asked = await door.post("tools/call", CALL, session=session, token="wrong").end()
    assert asked.status == 401
    assert door.upstream.calls == []


async def test_an_ended_session_is_gone_and_its_server_is_told(door: Door) -> None:
    """DELETE; and again."""
    session = await door.open()
    assert (await door.delete(session).end()).status == 204
    await until(lambda: door.upstream.forgotten)
    assert (await door.delete(session).end()).status == 404
    assert (await door.post("tools/call", CALL, session=session).end()).status == 404
    assert door.upstream.calls == []


@pytest.mark.parametrize("protocol", [MODERN, LEGACY])
async def test_what_a_host_declares_is_not_kept_whatever_its_size(door: Door, protocol: str) -> None:
    """Attack: two hundred sessions of one caller, each with a megabyte of capabilities."""
    large = {"elicitation": {}, "experimental": {"x": ["y" * 100] * 200}}
    params: dict[str, Any] = {"name": READ, "arguments": {}}
    if protocol == LEGACY:
        params = {"protocolVersion": LEGACY, "capabilities": large, "clientInfo": {}}
        asked = door.post("initialize", params)
    else:
        asked = door.post("tools/call", params, protocol=MODERN, capabilities=large)
    await asked.end()
    assert asked.code == "door.params"
    assert door.upstream.calls == []


async def test_an_idle_session_is_gone(door: Door) -> None:
    """The host is told to open anew."""
    session = await door.open()
    door.rooms.clock.advance(IDLE_S + 1)
    assert (await door.post("ping", session=session).end()).status == 404


async def asked_in(door: Door, session: str) -> tuple[Asked, str]:
    """A call in which the server asks; the call, and the id of the question."""

    async def asks(host: Host) -> Reply:
        try:
            answer = await host.ask("elicitation/create", msgspec.Raw(b'{"message":"Who?"}'))
        except HostCannot as problem:
            return done({"content": [], "structuredContent": {"cannot": problem.message}})
        return done({"content": [], "structuredContent": {"answer": msgspec.json.decode(answer)}})

    door.upstream.asking = asks
    call = door.post("tools/call", CALL, session=session)
    await call.told(1)
    question = call.messages[0]
    assert question["method"] == "elicitation/create"
    return call, question["id"]


async def test_a_question_and_its_answer(door: Door) -> None:
    """On the call's own stream, and by a POST of its own."""
    session = await door.open(FORMS)
    call, question = await asked_in(door, session)
    accepted = await door.response(question, session, {"action": "accept"}).end()
    assert (accepted.status, accepted.body) == (202, b"")
    await call.end()
    assert call.messages[-1]["result"]["structuredContent"] == {"answer": {"action": "accept"}}
    assert call.complete


async def test_an_answer_that_nobody_asked_for_is_refused(door: Door) -> None:
    """Of another session of the same caller, of another caller, without a session, and a second one: 400 or 404.

    Attack: whoever guesses a question's id says yes in somebody else's place.
    """
    session, beside = await door.open(FORMS), await door.open(FORMS)
    foreign = await door.open(FORMS, token=OTHER)
    call, question = await asked_in(door, session)
    wrong = [
        door.response(question, beside),
        door.response(question, foreign, token=OTHER),
        door.response(question, None),
        door.response("countersign-99", session),
    ]
    for one in wrong:
        await one.end()
        assert (one.status, one.code) == (400, "door.response_unknown")
    assert (await door.response(question, session, token=OTHER).end()).status == 404
    assert len(call.messages) == 1, "the question is still open"
    assert (await door.response(question, session, {"action": "decline"}).end()).status == 202
    second = await door.response(question, session, {"action": "accept"}).end()
    assert (second.status, second.code) == (400, "door.response_unknown")
    await call.end()
    assert call.messages[-1]["result"]["structuredContent"] == {"answer": {"action": "decline"}}


@pytest.mark.parametrize(
    ("capabilities", "accept"), [({}, BOTH), ({"sampling": {}}, BOTH), (FORMS, "application/json")]
)
async def test_a_host_that_cannot_be_asked_is_not_asked(
    door: Door, capabilities: dict[str, Any], accept: str
) -> None:
    """It declared nothing, something else, or reads no stream: the server is told."""

    async def asks(host: Host) -> Reply:
        with pytest.raises(HostCannot):
            await host.ask("elicitation/create", msgspec.Raw(b"{}"))
        return done()

    door.upstream.asking = asks
    session = await door.open(capabilities)
    call = await door.post("tools/call", CALL, session=session, accept=accept).end()
    assert call.document["result"]


async def test_the_end_of_a_session_ends_its_calls(door: Door) -> None:
    """The host has said that it is gone: the server is told to stop, and the outcome is unknown."""
    session = await door.open(FORMS)
    call, _ = await asked_in(door, session)
    await door.delete(session).end()
    await call.end()
    record = door.rooms.records()[-1]
    assert (record["status"], record["error"]) == ("unknown", "cancelled")


async def waiting_call(door: Door, session: str, rpc_id: Any) -> tuple[Asked, asyncio.Event, asyncio.Event]:
    """A call that the server holds; what lets it end, and what says that it was cancelled."""
    begun, go, cancelled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def holds(host: Host) -> Reply:
        del host
        begun.set()
        try:
            await go.wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return done()

    door.upstream.asking = holds
    call = door.post("tools/call", CALL, session=session, rpc_id=rpc_id)
    async with asyncio.timeout(20):
        await begun.wait()
    return call, go, cancelled


async def test_the_id_of_a_request_under_way_is_not_used_again(door: Door) -> None:
    """Attack: a second request takes the place of the first, which then nobody can cancel. Afterwards it is free."""
    session, other = await door.open(), await door.open()
    call, go, _ = await waiting_call(door, session, 7)
    again = await door.post("tools/call", CALL, session=session, rpc_id=7).end()
    assert "under way" in again.document["error"]["message"]
    assert len(door.upstream.calls) == 1
    door.upstream.asking = None
    assert (await door.post("tools/call", CALL, session=session, rpc_id="7").end()).document["result"]
    assert (await door.post("tools/call", CALL, session=other, rpc_id=7).end()).document["result"]
    go.set()
    assert (await call.end()).document["result"]
    assert (await door.post("tools/call", CALL, session=session, rpc_id=7).end()).document["result"]


async def test_a_host_takes_its_request_back(door: Door) -> None:
    """``notifications/cancelled``: the server is told, the record says unknown, and the request has an end."""
    session = await door.open()
    call, _, cancelled = await waiting_call(door, session, "a")
    note = await door.post("notifications/cancelled", {"requestId": "a"}, session=session, rpc_id=None).end()
    assert note.status == 202
    await call.end()
    assert cancelled.is_set()
    assert (call.status, call.complete) == (202, True)
    record = door.rooms.records()[-1]
    assert (record["status"], record["error"]) == ("unknown", "cancelled")
    assert door.upstream.told == []


@pytest.mark.parametrize("request_id", [None, [], {"a": 1}, True, 1.0, "1", "b"])
async def test_a_cancellation_of_nothing_is_accepted_and_forgotten(door: Door, request_id: Any) -> None:
    """Never an error of ours, and never another request than the one that is meant."""
    session = await door.open()
    call, go, cancelled = await waiting_call(door, session, 1)
    params = {"requestId": request_id}
    note = await door.post("notifications/cancelled", params, session=session, rpc_id=None).end()
    assert note.status == 202
    other = await door.open()
    await door.post("notifications/cancelled", {"requestId": 1}, session=other, rpc_id=None).end()
    await door.post("notifications/cancelled", {"requestId": 1}, rpc_id=None).end()
    go.set()
    assert (await call.end()).document["result"]
    assert not cancelled.is_set()


async def test_a_host_of_the_older_era_that_hangs_up_cancels_nothing(door: Door) -> None:
    """It may come back for the answer (2025-11-25/basic/transports); the record says how it ended."""
    session = await door.open()
    call, go, cancelled = await waiting_call(door, session, 1)
    call.leave()
    go.set()
    await call.end()
    assert not cancelled.is_set()
    assert door.rooms.records()[-1]["status"] == "executed"


async def test_what_a_host_announces_reaches_its_server(door: Door) -> None:
    """In a session; what is for the gateway does not, and without a session nobody is told."""
    session = await door.open()
    for method in ("notifications/roots/list_changed", "notifications/initialized", "notifications/progress"):
        assert (await door.post(method, session=session, rpc_id=None).end()).status == 202
    assert (await door.post("notifications/roots/list_changed", rpc_id=None).end()).status == 202
    assert door.upstream.told == [("notifications/roots/list_changed", {})]
