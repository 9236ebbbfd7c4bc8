"""Messages are looked at and not rebuilt."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.message import Kind, error_answer, one_line, read_message, repeated, with_id

CALL = b'{"jsonrpc": "2.0", "id": 1, "x": 1.10, "method": "tools/call", "params": {"name": "a", "n": 1e2}}'


def test_a_repeated_call_differs_only_in_its_id_and_state() -> None:
    """Numbers keep their spelling, unknown members stay; answers to an earlier round do not travel."""
    message = read_message(CALL)
    again = repeated(message, "new", state=None)
    assert again == (
        b'{"jsonrpc":"2.0","id":"new","x":1.10,"method":"tools/call","params":{"name": "a", "n": 1e2}}'
    )
    answered = read_message(
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"n":1.0,"inputResponses":{},"requestState":"old"}}'
    )
    assert json.loads(repeated(answered, 2, state="new"))["params"] == {"n": 1.0, "requestState": "new"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (CALL, Kind.REQUEST),
        (b'{"jsonrpc":"2.0","method":"notifications/x"}', Kind.NOTIFICATION),
        (b'{"jsonrpc":"2.0","id":"a","result":{}}', Kind.RESPONSE),
        (b'{"jsonrpc":"2.0","id":null,"error":{}}', Kind.RESPONSE),
    ],
)
def test_kinds_are_told_apart(body: bytes, kind: Kind) -> None:
    """A method makes a request or a notification, a result or an error a response."""
    assert read_message(body).kind is kind


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_bytes_are_a_message_or_a_refusal(body: bytes) -> None:
    """Nothing else comes out, whatever goes in."""
    try:
        message = read_message(body)
    except ValueError:
        return
    assert message.body == body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=4), st.sampled_from([None, 2]))
def test_only_the_id_changes_on_one_line(members: dict[str, Any], indent: int | None) -> None:
    """An answer is one line for the host, under its own id, and otherwise the same."""
    document = {**members, "jsonrpc": "2.0", "id": 1, "result": members}
    line = with_id(json.dumps(document, indent=indent).encode(), "host")
    assert b"\n" not in line
    assert json.loads(line) == {**document, "id": "host"}


def test_a_line_has_no_line_breaks() -> None:
    """Also where the gateway writes carriage returns."""
    assert one_line(b'{\r\n"a":1}') == b'{  "a":1}'


def test_an_error_of_ours_says_its_code() -> None:
    """So that a host or a person can look it up."""
    error = msgspec.json.decode(error_answer(3, 5040, "no", because="client.failed"))["error"]
    assert error == {"code": 5040, "message": "no", "data": {"code": "client.failed"}}
