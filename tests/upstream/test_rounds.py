"""A server that asks and is called again: as often as is sensible, with answers in its own keys, and no further."""

from typing import Any

import msgspec
import pytest

from gateway.door.host import NOBODY, HostCannot
from gateway.upstream.rounds import MAX_REQUESTS, MAX_ROUNDS, in_rounds
from gateway.upstream.target import Effect, Reply, Resumed
from tests.support.recording_host import ACCEPTED, RecordingHost

DONE = Reply(effect=Effect.EXECUTED, result=msgspec.Raw(b"{}"))
FORM = {"method": "elicitation/create", "params": {"message": "?"}}


def waiting(**members: Any) -> Reply:
    """A server that asks."""
    result = msgspec.json.encode({"resultType": "input_required", **members})
    return Reply(effect=Effect.WAITING, result=msgspec.Raw(result), status=200)


class Server:
    """Gives these replies in turn, the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.resumed: list[Resumed] = []

    async def again(self, resumed: Resumed) -> Reply:
        """Called again."""
        self.resumed.append(resumed)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


async def test_answers_go_back_in_the_servers_keys() -> None:
    """With its state, untouched; each round's own."""
    server = Server(waiting(inputRequests={"b": FORM}), DONE)
    host = RecordingHost()
    first = waiting(inputRequests={"a": FORM, "z": FORM}, requestState="s1")
    assert await in_rounds(first, server.again, host) is DONE
    one, two = server.resumed
    assert (one.request_state, two.request_state) == ("s1", None)
    assert one.input_responses is not None
    assert two.input_responses is not None
    assert msgspec.json.decode(one.input_responses) == {"a": ACCEPTED, "z": ACCEPTED}
    assert list(msgspec.json.decode(two.input_responses)) == ["b"]


async def test_who_takes_it_home_gets_it_as_it_came() -> None:
    """And is not asked meanwhile."""
    host, first = RecordingHost(in_band=False), waiting(inputRequests={"a": FORM}, requestState="s")
    assert await in_rounds(first, Server(DONE).again, host) is first
    assert host.asked == []


async def test_a_state_alone_is_called_again() -> None:
    """Nothing is asked."""
    server, host = Server(waiting(requestState="s2"), DONE), RecordingHost(capabilities={})
    assert await in_rounds(waiting(requestState="s1"), server.again, host) is DONE
    assert [one.request_state for one in server.resumed] == ["s1", "s2"]
    assert host.asked == []


async def test_a_server_that_asks_for_ever_is_not_served_for_ever() -> None:
    """What it did meanwhile is not known."""
    server, host = Server(waiting(inputRequests={"a": FORM})), RecordingHost()
    reply = await in_rounds(waiting(inputRequests={"a": FORM}), server.again, host)
    assert (reply.effect, reply.result) == (Effect.UNKNOWN, None)
    assert len(server.resumed) == len(host.asked) == MAX_ROUNDS


@pytest.mark.parametrize(
    "members",
    [
        {"inputRequests": {"a": {"method": "sampling/createMessage"}}},
        {"inputRequests": {"a": FORM, "b": {"method": "roots/list"}}},
        {"inputRequests": {"a": {"method": "tools/call"}}},
        {"inputRequests": {"a": {**FORM, "params": {"mode": "url"}}}},
        {"inputRequests": {str(number): FORM for number in range(MAX_REQUESTS + 1)}},
        {"inputRequests": [FORM]},
        {"inputRequests": {"a": 5}},
        {"requestState": 5},
        {},
    ],
)
async def test_what_was_not_declared_is_shown_to_nobody(members: Any) -> None:
    """Not even the part that was: half an answer is none."""
    for host in (RecordingHost(), RecordingHost(in_band=False)):
        server = Server(DONE)
        reply = await in_rounds(waiting(**members), server.again, host)
        assert (reply.effect, reply.result, reply.status) == (Effect.UNKNOWN, None, 200)
        assert host.asked == []
        assert server.resumed == []


async def test_nobody_takes_nothing_home() -> None:
    """There is no host who could come back with the state."""
    server = Server(DONE)
    assert (await in_rounds(waiting(requestState="s"), server.again, NOBODY)).effect is Effect.UNKNOWN
    assert server.resumed == []


async def test_a_host_that_cannot() -> None:
    """A form is cancelled, which is no decision; anything else has no such word, and ends it."""
    server, host = Server(DONE), RecordingHost(answer=HostCannot("gone"))
    assert await in_rounds(waiting(inputRequests={"a": FORM}), server.again, host) is DONE
    assert server.resumed[0].input_responses is not None
    assert msgspec.json.decode(server.resumed[0].input_responses) == {"a": {"action": "cancel"}}
    server, host = Server(DONE), RecordingHost(capabilities={"roots": {}}, answer=HostCannot("gone"))
    roots = waiting(inputRequests={"a": {"method": "roots/list"}})
    assert (await in_rounds(roots, server.again, host)).effect is Effect.UNKNOWN
    assert server.resumed == []


@pytest.mark.parametrize("key", ["dev.countersign/confirm", "dev.countersign\\u002fconfirm"])
async def test_a_server_of_today_cannot_sign_its_question_with_our_key(key: str) -> None:
    """Whoever is asked here, and whoever takes it home, gets it without."""
    form = (
        '{"method":"elicitation/create","params":{"message":"m","_meta":{"' + key + '":1,"theirs":1}},"x":1}'
    )
    result = '{"resultType":"input_required","requestState":"s","inputRequests":{"a":' + form + "}}"
    first = Reply(effect=Effect.WAITING, result=msgspec.Raw(result.encode()))
    asked, takes_home = RecordingHost(), RecordingHost(in_band=False)
    assert await in_rounds(first, Server(DONE).again, asked) is DONE
    assert asked.asked == [("elicitation/create", {"message": "m", "_meta": {"theirs": 1}})]
    reply = await in_rounds(first, Server(DONE).again, takes_home)
    assert reply.result is not None
    request = {"method": "elicitation/create", "params": {"message": "m", "_meta": {"theirs": 1}}, "x": 1}
    assert msgspec.json.decode(reply.result) == {
        "resultType": "input_required",
        "requestState": "s",
        "inputRequests": {"a": request},
    }


async def test_a_server_does_not_ask_under_the_gateways_own_name() -> None:
    """The answer under that name would be read as the gateway's."""
    for host in (RecordingHost(), RecordingHost(in_band=False)):
        first = waiting(inputRequests={"dev.countersign/confirm": FORM}, requestState="s")
        reply = await in_rounds(first, Server(DONE).again, host)
        assert (reply.effect, reply.result, host.asked) == (Effect.UNKNOWN, None, [])
