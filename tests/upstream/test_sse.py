"""The one answer inside an event stream."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream.sse import only_response

ANSWER = msgspec.json.encode({"jsonrpc": "2.0", "id": 7, "result": {"text": "data: \\n\\n"}})
OTHER = msgspec.json.encode({"jsonrpc": "2.0", "id": 8, "result": {}})
PROGRESS = msgspec.json.encode({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}})
ASKS = msgspec.json.encode({"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {}})


def events(*data: bytes) -> bytes:
    """A stream of such events."""
    return b"".join(b"event: message\ndata: " + one + b"\n\n" for one in data)


def test_the_answer_is_found_among_the_others() -> None:
    """Notifications, other requests' answers and the server's own requests are passed over."""
    assert only_response(events(PROGRESS, OTHER, ASKS, ANSWER, PROGRESS), 7) == ANSWER
    assert only_response(events(PROGRESS, ANSWER), 8) == b""


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_is_one(end: bytes) -> None:
    """CR, LF, and both."""
    stream = b": hello" + end + b"id: 1" + end + b"retry: 5" + end + b"data:" + ANSWER + end + end
    assert only_response(stream, 7) == ANSWER


def test_a_mark_at_the_beginning_is_passed_over() -> None:
    """As the standard has it."""
    assert only_response(b"\xef\xbb\xbfdata: " + ANSWER + b"\n\n", 7) == ANSWER


def test_data_in_several_lines_is_one() -> None:
    """Joined by line ends."""
    half = ANSWER.index(b",")
    stream = b"data: " + ANSWER[:half] + b"\ndata: " + ANSWER[half:] + b"\n\n"
    assert msgspec.json.decode(only_response(stream, 7)) == msgspec.json.decode(ANSWER)


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_stream_that_was_cut_has_no_last_event(cut: int) -> None:
    """Its closing blank line never came."""
    assert only_response(events(PROGRESS, ANSWER)[:-cut], 7) == b""


def test_a_second_answer_takes_the_first_one_back() -> None:
    """Two answers to one question are none, even if they agree."""
    assert only_response(events(ANSWER, ANSWER), 7) == b""
    assert only_response(events(ANSWER, OTHER, ANSWER, ANSWER), 7) == b""


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"{", b"\xff", b'{"id":7.0}', b'{"id":"7"}', b"[" * 100_000, b'{"id":true}']
)
def test_what_is_no_answer_is_passed_over(data: bytes) -> None:
    """Whatever it is."""
    assert only_response(events(data, ANSWER), 7) == ANSWER
    assert only_response(events(data), 7) == b""


@given(st.binary(max_size=80))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise(body: bytes) -> None:
    """Nor do they hide an answer that follows them whole."""
    assert only_response(body, 7) == b""
    assert only_response(body + b"\n\n" + events(ANSWER), 7) == ANSWER
