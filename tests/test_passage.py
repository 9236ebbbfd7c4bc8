"""Requests that are no tool call: judged, recorded, handed on; and what no rule lets pass reaches no server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.door.call import Era
from gateway.door.host import NOBODY, Host
from gateway.errors import (
    MalformedRequest,
    PolicyUnavailable,
    TokenRefused,
    Unauthenticated,
    UnknownTool,
    UpstreamUnavailable,
)
from gateway.identity.credentials import Credentials, Secret
from gateway.outcome.allow import MAX_STATE_CHARS
from gateway.outcome.pending import CONTINUATION_TTL_S
from gateway.passage import (
    GONE_IN_MODERN,
    LISTEN,
    MAX_SUBSCRIPTIONS,
    MAX_TARGET_CHARS,
    PASSED,
    NotPassed,
    Passed,
    Request,
    open_stream,
    pass_request,
)
from gateway.upstream.target import Effect, Reply
from tests.support.door import MODERN, Door, opened_door
from tests.support.walking import AGENT, MODERN_CLIENT, OTHER, SERVER, Rooms, an_answer, done, rooms

READ, TARGETED = (
    "resources/read",
    ("resources/read", "resources/subscribe", "resources/unsubscribe", "prompts/get"),
)


def a_request(method: str = READ, params: dict[str, Any] | None = None, **members: Any) -> Request:
    """One of the agent's."""
    token: str = members.pop("bearer", AGENT)
    return Request(
        **{
            "call_id": "c1",
            "received_at": 1_795_224_000.0,
            "server": SERVER,
            "method": method,
            "params": {"uri": "note://one"} if params is None else params,
            "era": Era.MODERN,
            "protocol": MODERN,
            "client": MODERN_CLIENT,
            "credentials": Credentials(bearer=Secret(token.encode())),
            **members,
        }
    )


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Rooms]:
    """All rooms; the policy lets pass."""
    async with rooms(tmp_path) as running:
        running.engine.answering = lambda _: an_answer("allow")
        running.upstream.reply = done({"contents": []})
        yield running


async def passed(bank: Rooms, request: Request | None = None, host: Host = NOBODY) -> Passed:
    """Handed on."""
    return await pass_request(request or a_request(), bank.house, host)


async def test_what_is_let_pass_reaches_its_server_as_it_came(bank: Rooms) -> None:
    """With the host's own parameters, ``_meta`` included; the answer passes back."""
    params = {"uri": "note://one", "_meta": {"traceparent": "x"}, "com.example/x": [1]}
    answer = await passed(bank, a_request(params=params))
    assert bank.upstream.requests == [(READ, params, None)]
    assert answer.reply.result == msgspec.Raw(b'{"contents":[]}')
    assert answer.token is None


async def test_the_policy_is_asked_about_the_request(bank: Rooms) -> None:
    """Who, where, what, and about which thing."""
    await passed(bank)
    (question,) = bank.engine.questions
    call = question["call"]
    assert (call["method"], call["target"], call["server"]) == (READ, "note://one", SERVER)
    assert question["caller"]["subject"] == "agent-one"


async def test_the_record_says_that_it_passed(bank: Rooms) -> None:
    """In a phase of its own, and none for a call."""
    await passed(bank)
    (record,) = bank.records("passage")
    assert (record["tool"], record["outcome"], record["status"]) == (READ, "allow", "executed")
    assert record["caller"]["subject"] == "agent-one"
    assert bank.records() == []


@pytest.mark.parametrize(
    "said",
    [
        an_answer("deny"),
        an_answer("handshake", obligations={"handshake": {"ttl_seconds": 30}}),
        an_answer("confirm"),
        {},
        {"outcome": "allow"},
        b"nonsense",
        b"null",
        None,
        PolicyUnavailable("down", code="policy.unreachable"),
        PolicyUnavailable("slow", code="policy.timeout"),
    ],
    ids=lambda said: str(said)[:30],
)
async def test_without_a_plain_yes_nothing_is_sent(bank: Rooms, said: Any) -> None:
    """No, a question back, nonsense, silence, a dead engine: the server sees nothing, and no stream is opened."""
    bank.engine.answering = lambda _: said
    with pytest.raises((NotPassed, PolicyUnavailable)):
        await passed(bank)
    with pytest.raises((NotPassed, PolicyUnavailable)):
        await open_stream(a_request(LISTEN, {}), bank.house)
    assert bank.upstream.requests == []
    assert bank.upstream.listened == []
    records = bank.records("passage")
    assert len(records) == 2
    assert {one["outcome"] for one in records} == {"deny"}
    assert not {one["status"] for one in records} & {"executed", "unknown", "waiting"}


@pytest.mark.parametrize("outcome", ["deny", "handshake", "confirm"])
async def test_a_no_names_its_reason(bank: Rooms, outcome: str) -> None:
    """A handshake or a confirmation has no meaning here: a policy that asks for one has not been understood."""
    obligations = {"handshake": {"ttl_seconds": 30}} if outcome == "handshake" else None
    bank.engine.answering = lambda _: an_answer(
        outcome, **({"obligations": obligations} if obligations else {})
    )
    with pytest.raises((NotPassed, PolicyUnavailable)) as no:
        await passed(bank)
    assert no.value.code == ("test.reason" if outcome == "deny" else "policy.malformed_answer")


async def test_a_stranger_is_not_judged(bank: Rooms) -> None:
    """Refused before the policy hears of it."""
    with pytest.raises(Unauthenticated):
        await passed(bank, a_request(bearer="wrong"))
    assert (bank.engine.questions, bank.upstream.requests) == ([], [])
    assert bank.records("passage")[-1]["status"] == "refused"


async def test_a_server_that_is_not_there(bank: Rooms) -> None:
    """Refused, and recorded."""
    with pytest.raises(UnknownTool) as unknown:
        await passed(bank, a_request(server="none"))
    assert unknown.value.code == "catalog.unknown_server"
    with pytest.raises(UnknownTool):
        await open_stream(a_request(LISTEN, {}, server="none"), bank.house)
    assert [one["status"] for one in bank.records("passage")] == ["refused", "refused"]


@pytest.mark.parametrize(
    "named", [None, "", 5, ["note://one"], "x" * (MAX_TARGET_CHARS + 1)], ids=lambda one: str(one)[:9]
)
@pytest.mark.parametrize("method", TARGETED)
async def test_a_request_about_nothing_is_refused(bank: Rooms, method: str, named: Any) -> None:
    """What is judged by its target has one; the refusal is recorded, and the policy is not asked."""
    member = "name" if method == "prompts/get" else "uri"
    params = {} if named is None else {member: named}
    with pytest.raises(MalformedRequest):
        await passed(bank, a_request(method, params))
    assert (bank.engine.questions, bank.upstream.requests) == ([], [])
    assert bank.records("passage")[-1]["status"] == "refused"


async def test_a_server_that_gives_no_answer(bank: Rooms) -> None:
    """Its error passes; the record says that it failed."""
    bank.upstream.reply = Reply(effect=Effect.REFUSED, error={"code": -32602, "message": "no"}, is_error=True)
    assert (await passed(bank)).reply.error == {"code": -32602, "message": "no"}
    assert bank.records("passage")[-1]["status"] == "failed"


def by_target(allowed: str) -> Any:
    """A policy that lets everything pass but subscriptions to another thing than this one."""

    def answering(question: dict[str, Any]) -> dict[str, Any]:
        call = question["call"]
        refused = call["method"] == "resources/subscribe" and call["target"] != allowed
        return an_answer("deny" if refused else "allow")

    return answering


def listening(uris: Any) -> Request:
    """A subscription that names resources."""
    return a_request(LISTEN, {"notifications": {"resourceSubscriptions": uris}})


async def test_what_may_not_be_subscribed_to_is_not_listened_to_either(bank: Rooms) -> None:
    """Attack: a resource that no rule lets this caller subscribe to, asked for under the newer era's name."""
    bank.engine.answering = by_target("note://one")
    upstream, caller = await open_stream(listening(["note://one"]), bank.house)
    assert (upstream.name, caller.subject) == (SERVER, "agent-one")
    for uris in (["note://two"], ["note://one", "note://two"], ["note://two", "note://one"]):
        with pytest.raises(NotPassed):
            await open_stream(listening(uris), bank.house)
    assert [one["status"] for one in bank.records("passage")] == ["executed", *["refused"] * 3]
    assert bank.upstream.listened == []


@pytest.mark.parametrize(
    "uris",
    ["note://one", {"a": 1}, [5], [""], [None], ["n"] * (MAX_SUBSCRIPTIONS + 1)],
    ids=lambda one: str(one)[:12],
)
async def test_a_subscription_to_what_cannot_be_named_is_refused(bank: Rooms, uris: Any) -> None:
    """And so many are not judged one by one."""
    with pytest.raises(MalformedRequest):
        await open_stream(listening(uris), bank.house)
    assert len(bank.engine.questions) <= 1
    assert bank.records("passage")[-1]["status"] == "refused"


# -- a second round ---------------------------------------------------------------------------------------------------


def asks(bank: Rooms, state: Any = "state-of-the-server") -> None:
    """The server asks for input first."""
    result = {"resultType": "input_required", "inputRequests": {"who": {}}, "requestState": state}
    bank.upstream.reply = Reply(
        effect=Effect.WAITING, result=msgspec.Raw(msgspec.json.encode(result)), result_type="input_required"
    )


async def token_of(bank: Rooms) -> str:
    """Of a first round."""
    asks(bank)
    token = (await passed(bank)).token
    assert token is not None
    bank.upstream.reply = done({"contents": []})
    return token


async def test_the_servers_own_state_comes_back_to_it(bank: Rooms) -> None:
    """Ours stands for it at the host; waiting first, executed then."""
    token = await token_of(bank)
    assert "state-of-the-server" not in token
    await passed(bank, a_request(token=token, input_responses={"who": {"action": "accept"}}))
    resumed = bank.upstream.requests[-1][2]
    assert resumed is not None
    assert resumed.request_state == "state-of-the-server"
    assert resumed.input_responses == msgspec.Raw(b'{"who":{"action":"accept"}}')
    assert [one["status"] for one in bank.records("passage")] == ["waiting", "executed"]


@pytest.mark.parametrize(
    "how",
    [
        {"bearer": OTHER},
        {"params": {"uri": "note://two"}},
        {"method": "resources/subscribe"},
        {"params": {"uri": "note://one", "more": 1}},
    ],
    ids=["a foreign caller", "another resource", "another method", "one parameter more"],
)
async def test_a_stolen_round_is_refused_and_burnt(bank: Rooms, how: dict[str, Any]) -> None:
    """The server sees nothing of it, nor of the next try with the right ones."""
    token = await token_of(bank)
    with pytest.raises(TokenRefused) as refused:
        await passed(bank, a_request(token=token, **how))
    assert refused.value.code == "handshake.mismatch"
    with pytest.raises(TokenRefused) as burnt:
        await passed(bank, a_request(token=token))
    assert burnt.value.code == "handshake.token_unknown"
    assert len(bank.upstream.requests) == 1


async def test_a_round_is_good_once_and_not_for_ever(bank: Rooms) -> None:
    """Replayed, expired, or never given out."""
    token = await token_of(bank)
    await passed(bank, a_request(token=token))
    late = await token_of(bank)
    bank.clock.advance(CONTINUATION_TTL_S)
    sent = len(bank.upstream.requests)
    for bad in (token, late, "0" * 64, "state-of-the-server", ""):
        with pytest.raises(TokenRefused):
            await passed(bank, a_request(token=bad))
    assert len(bank.upstream.requests) == sent


async def test_a_handshake_token_is_no_second_round(bank: Rooms) -> None:
    """What was granted for something else opens nothing here."""
    token = await token_of(bank)
    granted = await bank.waiting.present(token)
    assert granted is not None
    handshake, _ = await bank.waiting.grant(granted.binding, transaction_id="t", revision="r1", ttl_s=30)
    with pytest.raises(TokenRefused) as refused:
        await passed(bank, a_request(token=handshake))
    assert refused.value.code == "handshake.mismatch"
    assert len(bank.upstream.requests) == 1


async def test_a_second_round_is_judged_like_the_first(bank: Rooms) -> None:
    """A policy that changed its mind is heard."""
    token = await token_of(bank)
    bank.engine.answering = lambda _: an_answer("deny")
    with pytest.raises(NotPassed):
        await passed(bank, a_request(token=token))
    assert len(bank.upstream.requests) == 1


@pytest.mark.parametrize("state", ["x" * (MAX_STATE_CHARS + 1), 5, ["a"]], ids=["long", "number", "list"])
async def test_a_state_that_nobody_could_keep_is_the_servers_failure(bank: Rooms, state: Any) -> None:
    """Not ours; no token goes out."""
    asks(bank, state)
    with pytest.raises(UpstreamUnavailable):
        await passed(bank)


async def test_a_host_that_goes_is_recorded(bank: Rooms) -> None:
    """Cancelled, in whatever the server was doing."""
    begun = asyncio.Event()

    async def think() -> None:
        begun.set()
        await asyncio.Event().wait()

    bank.engine.thinking = think
    going = asyncio.create_task(passed(bank))
    await begun.wait()
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert bank.records("passage")[-1]["error"] == "cancelled"
    assert bank.upstream.requests == []


# -- through the door -------------------------------------------------------------------------------------------------


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """Whose policy lets pass."""
    async with opened_door(tmp_path) as opened:
        opened.rooms.engine.answering = lambda _: an_answer("allow")
        opened.upstream.reply = done({"contents": []})
        yield opened


PARAMS = {"uri": "note://one", "name": "p", "level": "info", "ref": {}}


@pytest.mark.parametrize("method", sorted(PASSED))
async def test_the_methods_of_mcp_pass_in_their_era(door: Door, method: str) -> None:
    """All in the older one; what 2026-07-28 has dropped does not pass there, and no server hears of it."""
    older = await door.post(method, PARAMS).end()
    assert older.document["result"] == {"contents": []}
    params = {"uri": "note://one"} if method == READ else {"name": "p"} if method == "prompts/get" else {}
    modern = await door.post(method, params, protocol=MODERN).end()
    if method in GONE_IN_MODERN:
        assert (modern.status, modern.document["error"]["code"]) == (404, -32601)
        assert len(door.upstream.requests) == 1
        return
    assert modern.document["result"]["resultType"] == "complete"


@pytest.mark.parametrize("protocol", [MODERN, "2025-11-25"])
@pytest.mark.parametrize(
    "method", ["tasks/get", "resources/delete", "sampling/createMessage", "RESOURCES/READ", "x"]
)
async def test_a_method_that_nobody_has_read_about_is_not_served(
    door: Door, method: str, protocol: str
) -> None:
    """The policy is not asked, the server sees nothing; the record names it."""
    asked = await door.post(method, {"uri": "note://one"}, protocol=protocol).end()
    assert asked.document["error"]["code"] == -32601
    assert (door.rooms.engine.questions, door.upstream.requests) == ([], [])
    assert door.rooms.records()[-1]["tool"] == method


async def test_no_cache_may_hand_an_answer_to_another(door: Door) -> None:
    """Whether this caller may read it was judged: *private*, whatever the server says."""
    door.upstream.reply = done(
        {"contents": [], "cacheScope": "public", "ttlMs": 60_000, "resultType": "complete"}
    )
    asked = await door.post(READ, {"uri": "note://one"}, protocol=MODERN).end()
    assert asked.document["result"]["cacheScope"] == "private"


async def test_a_dead_engine_is_503_and_a_no_is_200(door: Door) -> None:
    """The one may be tried again; the other is an answer. Nothing is sent by either."""
    door.rooms.engine.answering = lambda _: PolicyUnavailable("down", code="policy.unreachable")
    dead = await door.post(READ, {"uri": "note://one"}, protocol=MODERN).end()
    assert (dead.status, dead.code) == (503, "policy.unreachable")
    door.rooms.engine.answering = lambda _: an_answer("deny")
    refused = await door.post(READ, {"uri": "note://one"}, protocol=MODERN).end()
    assert (refused.status, refused.document["error"]["code"], refused.code) == (200, 4031, "test.reason")
    assert door.upstream.requests == []


async def test_the_second_round_through_the_door(door: Door) -> None:
    """The host sees our token in the place of the server's state, and brings it back."""
    asks(door.rooms)
    first = await door.post(READ, {"uri": "note://one"}, protocol=MODERN).end()
    result = first.document["result"]
    assert result["resultType"] == "input_required"
    assert b"state-of-the-server" not in first.body
    door.upstream.reply = done({"contents": []})
    back = {"uri": "note://one", "requestState": result["requestState"], "inputResponses": {"who": {}}}
    again = await door.post(READ, back, protocol=MODERN).end()
    assert again.document["result"]["resultType"] == "complete"
    method, params, resumed = door.upstream.requests[-1]
    assert (method, set(params)) == (READ, {"uri", "_meta"})
    assert resumed is not None
    assert resumed.request_state == "state-of-the-server"


async def test_an_older_host_has_no_second_round(door: Door) -> None:
    """What it writes there is no token, and goes nowhere."""
    await door.post(READ, {"uri": "note://one", "requestState": "x", "inputResponses": {}}).end()
    assert door.upstream.requests == [(READ, {"uri": "note://one"}, None)]


async def test_a_request_about_nothing_has_one_record(door: Door) -> None:
    """The passage's own, and no other."""
    asked = await door.post("resources/read", {}).end()
    assert asked.document["error"]["code"] == -32602
    assert len(door.rooms.records("passage")) == 1
    assert door.rooms.records() == []
