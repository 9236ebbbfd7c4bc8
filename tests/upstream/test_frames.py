"""Messages of a server told apart; what is passed on is as it came, less what only the gateway says."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream.frames import (
    cancelled,
    correlation,
    error_for,
    passed_on,
    read_frame,
    result_for,
    with_token,
)


def encoded(**members: Any) -> bytes:
    """A message."""
    return msgspec.json.encode({"jsonrpc": "2.0", **members})


def test_the_kinds() -> None:
    """By method and id."""
    said, asked = read_frame(encoded(method="x")), read_frame(encoded(method="x", id="a"))
    answered = read_frame(encoded(id=7, result={}))
    assert said is not None
    assert asked is not None
    assert answered is not None
    assert (said.is_notification, said.is_request, said.answers(7)) == (True, False, False)
    assert (asked.is_notification, asked.is_request, asked.answers(7)) == (False, True, False)
    assert (answered.is_notification, answered.is_request, answered.answers(7)) == (False, False, True)


@pytest.mark.parametrize("written", [b'"7"', b"7.0", b"70", b"7e0", b"null", b"true", b"[7]", b"{}", b"-7"])
def test_another_id_is_another_request(written: bytes) -> None:
    """As JSON-RPC tells them apart, and Python does not."""
    frame = read_frame(b'{"jsonrpc":"2.0","result":{},"id":' + written + b"}")
    assert frame is not None
    assert not frame.answers(7)


@pytest.mark.parametrize("written", [b"null", b"1.5", b"true", b"[1]", b"{}", b"1e5"])
def test_a_question_whose_id_cannot_be_repeated_is_none(written: bytes) -> None:
    """Neither a question nor a notification."""
    frame = read_frame(b'{"jsonrpc":"2.0","method":"ping","id":' + written + b"}")
    assert frame is not None
    assert not frame.is_request
    assert not frame.is_notification


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'{"jsonrpc":"1.0","method":"x"}',
        b'{"method":"x"}',
        b"[" * 100_000,
        b'{"jsonrpc":"2.0","method":"x","params":{"a":"\xff"}}',
        b'{"jsonrpc":"2.0","method":5}',
    ],
)
def test_what_is_no_message(data: bytes) -> None:
    """Broken text in what would be passed on, too."""
    assert read_frame(data) is None


OWN = "dev.countersign/decision"


def test_only_our_own_keys_are_taken_off() -> None:
    """However they are spelled, and wherever ``_meta`` stands; numbers keep their spelling."""
    clean = b'{"jsonrpc":"2.0","method":"x","params":{"n":1.10,"_meta":{"a":2.50}}}'
    assert passed_on(clean) == msgspec.Raw(clean)
    for forged in (
        b'"dev.countersign/decision":1,',
        b'"dev\\u002ecountersign/decision":1,',
        b'"dev.countersign\\/x":1,',
    ):
        got = passed_on(clean.replace(b'"a"', forged + b'"a"'))
        assert got is not None
        assert bytes(got) == clean
    elsewhere = encoded(method="x", params={"data": {OWN: 1}})
    got = passed_on(elsewhere)
    assert got is not None
    assert msgspec.json.decode(got) == msgspec.json.decode(elsewhere)


def test_a_member_that_stands_twice_is_what_was_looked_at() -> None:
    """Else a reader who takes the first would take a forged one."""
    got = passed_on(
        b'{"jsonrpc":"2.0","method":"x","params":{"_meta":{"dev.countersign/d":1},"_meta":{"a":1}}}'
    )
    assert got is not None
    assert bytes(got) == b'{"jsonrpc":"2.0","method":"x","params":{"_meta":{"a":1}}}'


@pytest.mark.parametrize("params", [b"[]", b"1", b'{"_meta":5}', b'{"_meta":["\\u0000"]}'])
def test_what_cannot_be_looked_at_is_not_passed_on(params: bytes) -> None:
    """Where it might hold a key of ours."""
    assert passed_on(b'{"jsonrpc":"2.0","method":"\\u0078","params":' + params + b"}") is None


def test_one_line() -> None:
    """Between members JSON allows line breaks; an event stream does not."""
    got = passed_on(b'{"jsonrpc":"2.0",\r\n"method":"x"}')
    assert got is not None
    assert bytes(got) == b'{"jsonrpc":"2.0",  "method":"x"}'


def test_what_ties_a_notification_to_a_request() -> None:
    """Token, subscription, and the id it cancels."""
    params = {"progressToken": 5, "requestId": "q", "_meta": {"io.modelcontextprotocol/subscriptionId": 9}}
    frame = read_frame(encoded(method="x", params=params))
    assert frame is not None
    assert correlation(frame) == (5, 9, b'"q"')
    several: list[Any] = [[], None, {"_meta": 5}, {"_meta": []}]
    for broken in several:
        frame = read_frame(encoded(method="x", params=broken))
        assert frame is not None
        assert correlation(frame) == (None, None, None)


def test_a_token_is_given_back() -> None:
    """The rest stays as it was."""
    data = b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1.50}}'
    assert with_token(data, "mine") == data.replace(b":1,", b':"mine",')


def test_our_own_words() -> None:
    """Ids go back as they were written."""
    assert msgspec.json.decode(cancelled(3))["params"]["requestId"] == 3
    assert result_for(b'"a"', msgspec.Raw(b'{"n":1.10}')) == b'{"jsonrpc":"2.0","id":"a","result":{"n":1.10}}'
    assert msgspec.json.decode(error_for(b"5", -1, "no"))["error"] == {"code": -1, "message": "no"}
    assert msgspec.json.decode(error_for(b"5", -1, "no", 0))["error"]["data"] == 0


@given(st.binary(max_size=80))
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise(data: bytes) -> None:
    """Whatever a server writes."""
    frame = read_frame(data)
    if frame is not None:
        correlation(frame)
    passed_on(b'{"jsonrpc":"2.0","method":"\\u0078","params":' + data + b"}")
