"""What an upstream's response means; whatever it is, reading it does not raise."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream.reply import own_reply, read_response
from gateway.upstream.target import OUTCOME_META_KEY, Effect, Reply


def response(**members: Any) -> bytes:
    """A JSON-RPC response to request 7."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": 7, **members})


def read(body: bytes) -> Reply | None:
    """As the answer to request 7."""
    return read_response(body, rpc_id=7)


def test_a_result_passes_as_it_came() -> None:
    """Byte for byte; only its head is looked at."""
    reply = read(b'{"jsonrpc":"2.0", "id":7, "result": { "content" : [1.10], "isError":false } }')
    assert reply is not None
    assert reply.result is not None
    assert bytes(memoryview(reply.result)).strip() == b'{ "content" : [1.10], "isError":false }'
    assert (reply.effect, reply.is_error, reply.error, reply.result_type) == (
        Effect.EXECUTED,
        False,
        None,
        None,
    )


def test_a_tools_own_error_was_executed() -> None:
    """The server ran and says that it failed; how far it got nobody knows."""
    reply = read(response(result={"isError": True, "resultType": "complete"}))
    assert reply is not None
    assert (reply.effect, reply.is_error, reply.result_type) == (Effect.EXECUTED, True, "complete")


def test_a_question_is_waiting() -> None:
    """As it came; who may be asked it is for others to say."""
    reply = read(response(result={"resultType": "input_required", "requestState": "s"}))
    assert reply is not None
    assert (reply.effect, reply.result_type) == (Effect.WAITING, "input_required")


@pytest.mark.parametrize("kind", ["task", "", "done", "Complete", "Input_required"])
def test_an_unknown_kind_of_result_is_no_answer(kind: str) -> None:
    """The server was not told that anybody here speaks it."""
    assert read(response(result={"resultType": kind})) is None


def test_the_status_goes_along() -> None:
    """For the audit."""
    for body in (response(result={}), response(error={"code": 1, "message": ""})):
        reply = read_response(body, rpc_id=7, status=418)
        assert reply is not None
        assert reply.status == 418


@pytest.mark.parametrize(
    ("code", "effect"),
    [
        (-32700, Effect.REFUSED),
        (-32600, Effect.REFUSED),
        (-32601, Effect.REFUSED),
        (-32602, Effect.REFUSED),
        (-32020, Effect.REFUSED),
        (-32021, Effect.REFUSED),
        (-32022, Effect.REFUSED),
        (-32603, Effect.UNKNOWN),
        (-32000, Effect.UNKNOWN),
        (0, Effect.UNKNOWN),
        (-32602.0, Effect.UNKNOWN),
        ("-32602", Effect.UNKNOWN),
        (None, Effect.UNKNOWN),
        (True, Effect.UNKNOWN),
        ([-32602], Effect.UNKNOWN),
        ({}, Effect.UNKNOWN),
    ],
)
def test_an_error_may_have_come_half_way(code: Any, effect: Effect) -> None:
    """Unless its code says that nothing began."""
    reply = read(response(error={"code": code, "message": "m"}))
    assert reply is not None
    assert (reply.effect, reply.result, reply.is_error) == (effect, None, True)
    assert reply.error == {"code": code, "message": "m"}


def test_a_null_error_beside_a_result_is_none() -> None:
    """Some servers write both members, and money that moved must not become unknown by that."""
    reply = read(response(error=None, result={}))
    assert reply is not None
    assert reply.effect is Effect.EXECUTED


DEEP = b"[" * 100_000
NO_ANSWERS = {
    "nothing": b"",
    "a page": b"<html>502</html>",
    "a list": b"[]",
    "a batch": b"[" + response(result={}) + b"]",
    "two": response(result={}) * 2,
    "another version": msgspec.json.encode({"jsonrpc": "1.0", "id": 7, "result": {}}),
    "no version": b'{"id":7,"result":{}}',
    "no id": b'{"jsonrpc":"2.0","result":{}}',
    "a null id": response(id=None, result={}),
    "another id": response(id=8, result={}),
    "the id as text": response(id="7", result={}),
    "the id as a fraction": response(id=7.0, result={}),
    "the id as a list": response(id=[7], result={}),
    "neither result nor error": response(),
    "only a null error": response(error=None),
    "both": response(result={}, error={"code": -32602, "message": "m"}),
    "a request": response(method="sampling/createMessage", params={}),
    "a result that is text": response(result="done"),
    "a result that is a list": response(result=[]),
    "a null result": response(result=None),
    "an error that is text": response(error="no"),
    "isError as text": response(result={"isError": "false"}),
    "broken text": b'{"jsonrpc":"2.0","id":7,"result":{"content":"\xff"}}',
    "broken text in an error": b'{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"\xff"}}',
    "a lone surrogate": b'{"jsonrpc":"2.0","id":7,"result":{"content":"\\ud800"}}',
    "UTF-16": response(result={}).decode().encode("utf-16"),
    "depth": b'{"jsonrpc":"2.0","id":7,"result":{"content":' + DEEP + b"]" * 100_000 + b"}}",
    "depth without an end": b'{"jsonrpc":"2.0","id":7,"result":' + DEEP,
    "depth in an error": b'{"jsonrpc":"2.0","id":7,"error":{"data":' + DEEP,
}


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_anything_else_is_no_answer(body: bytes) -> None:
    """And so, after sending, unknown."""
    assert read(body) is None


def test_an_id_of_the_other_kind_is_another_id() -> None:
    """True is 1 to Python and not to JSON-RPC."""
    body = b'{"jsonrpc":"2.0","id":true,"result":{}}'
    assert read_response(body, rpc_id=1) is None
    assert read_response(b'{"jsonrpc":"2.0","id":"a","result":{}}', rpc_id="a") is not None


@given(st.binary(max_size=80))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise(body: bytes) -> None:
    """Nor are they an answer by accident."""
    assert read(body) is None


OUTCOME = {"outcome": "executed", "status": 201, "debug_id": "d", "request_id": "r"}


def test_our_own_server_says_how_it_ended() -> None:
    """In a block that is taken off: the caller hears it from the gateway."""
    reply = own_reply({"content": [], "isError": False, "_meta": {"a": 1, OUTCOME_META_KEY: OUTCOME}})
    assert (reply.effect, reply.status, reply.debug_id, reply.request_id) == (Effect.EXECUTED, 201, "d", "r")
    assert reply.result is not None
    assert msgspec.json.decode(reply.result) == {"content": [], "isError": False, "_meta": {"a": 1}}


def test_an_empty_meta_goes() -> None:
    """Nothing is left of it."""
    reply = own_reply(
        {"content": [], "isError": True, "_meta": {OUTCOME_META_KEY: {**OUTCOME, "outcome": "refused"}}}
    )
    assert (reply.effect, reply.is_error) == (Effect.REFUSED, True)
    assert reply.result is not None
    assert msgspec.json.decode(reply.result) == {"content": [], "isError": True}


@pytest.mark.parametrize(
    "block", [None, {}, [], "executed", {"outcome": "done"}, {"outcome": "executed", "status": "x"}]
)
def test_without_a_readable_block_the_outcome_is_unknown(block: Any) -> None:
    """A defect of ours is no success."""
    assert own_reply({"content": [], "_meta": {OUTCOME_META_KEY: block}}).effect is Effect.UNKNOWN
    assert own_reply({"content": []}).effect is Effect.UNKNOWN
