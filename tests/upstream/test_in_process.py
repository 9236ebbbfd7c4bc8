"""A server of our own, called and not connected to; its defects are nobody's success."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from gateway.errors import UpstreamUnavailable
from gateway.upstream.in_process import InProcess
from gateway.upstream.target import OUTCOME_META_KEY, TRANSACTION_META_KEY, Effect

DONE = {"result": {"content": [], "_meta": {OUTCOME_META_KEY: {"outcome": "executed", "status": 200}}}}


class Server:
    """Answers with whatever the test set."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.messages: list[Mapping[str, Any]] = []
        self.closed = False

    async def handle(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """See ``MessageServer.handle``."""
        self.messages.append(message)
        if isinstance(self.answer, BaseException):
            raise self.answer
        answer: dict[str, Any] | None = self.answer
        return answer

    async def aclose(self) -> None:
        """See ``MessageServer.aclose``."""
        self.closed = True


async def test_a_call_is_one_message() -> None:
    """With the transaction id, and nothing that the host attached."""
    server = Server(DONE)
    arguments = {"a": 1}
    reply = await InProcess("p", server).call("pay", arguments, transaction_id="t1", meta={"host": "x"})
    (message,) = server.messages
    assert (message["method"], message["jsonrpc"]) == ("tools/call", "2.0")
    assert message["params"] == {"name": "pay", "arguments": {"a": 1}, "_meta": {TRANSACTION_META_KEY: "t1"}}
    assert (reply.effect, reply.status) == (Effect.EXECUTED, 200)
    assert reply.result is not None
    assert msgspec.json.decode(reply.result) == {"content": []}


async def test_a_protocol_error_came_before_the_start() -> None:
    """The server refuses what it does not understand, and then has sent nothing."""
    error = {"code": -32602, "message": "no such tool"}
    reply = await InProcess("p", Server({"error": error})).call("x", {}, transaction_id="t", meta={})
    assert (reply.effect, reply.error, reply.result) == (Effect.REFUSED, error, None)


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("a defect"),
        UpstreamUnavailable("not for the server to say"),
        RecursionError(),
        None,
        {},
        {"result": None},
        {"result": []},
        {"error": None},
        {"error": "x"},
        {"result": {"content": []}},
    ],
    ids=repr,
)
async def test_what_broke_on_the_way_is_unknown(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It may have reached the target; an exception would look like a failure (invariant 4)."""
    reply = await InProcess("p", Server(answer)).call("pay", {"secret": "x1y2"}, transaction_id="t", meta={})
    assert reply.effect is Effect.UNKNOWN
    assert "x1y2" not in caplog.text


async def test_definitions_are_the_servers_list() -> None:
    """As they are."""
    server = Server({"result": {"tools": [{"name": "a"}]}})
    assert await InProcess("p", server).definitions() == [{"name": "a"}]
    assert server.messages[0]["method"] == "tools/list"


@pytest.mark.parametrize(
    "answer", [None, {}, {"result": None}, {"result": {}}, {"error": {}}, RuntimeError("x")], ids=repr
)
async def test_no_list_is_unavailable(answer: Any) -> None:
    """Nothing can be called then."""
    with pytest.raises(UpstreamUnavailable):
        await InProcess("p", Server(answer)).definitions()


async def test_closing_closes_the_server() -> None:
    """It holds the connection to the target."""
    server = Server(None)
    await InProcess("p", server).aclose()
    assert server.closed
