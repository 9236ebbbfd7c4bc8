"""Events as they are written, and those that are kept to be told again."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.door.event_stream import (
    MAX_KEPT_BYTES,
    MAX_KEPT_OF_SESSION,
    MAX_KEPT_STREAMS,
    KeptStream,
    KeptStreams,
    event,
)


def test_an_event_as_it_is_written() -> None:
    """WHATWG HTML, server-sent events."""
    assert event(b'{"a":1}') == b'data: {"a":1}\n\n'
    assert event(b"", event_id="1.1", retry_ms=1000) == b"id: 1.1\nretry: 1000\ndata: \n\n"


@given(
    st.binary(max_size=40), st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\ndata: x", b"\n\nid: 9.9\n"])
)
def test_no_line_break_makes_another_field(data: bytes, line_break: bytes) -> None:
    """Attack: a server that writes events of its own into the gateway's stream."""
    written = event(data + line_break + data)
    assert written.startswith(b"data: ")
    assert written.endswith(b"\n\n")
    assert b"\n" not in written[:-2]
    assert b"\r" not in written


def test_each_stream_has_a_name_and_each_event_a_number() -> None:
    """An id is never used twice in a session."""
    streams = KeptStreams()
    one, other = streams.open(standing=True), streams.open(standing=False)
    encoded = [one.add(b"a"), other.add(b"b"), one.add(b"c")]
    ids = [line.split(b"\n")[0] for line in encoded]
    assert ids == [b"id: 1.1", b"id: 2.1", b"id: 1.2"]


def test_what_came_after_an_event() -> None:
    """All of it, in order; nothing after the last one, and everything after none."""
    streams = KeptStreams()
    stream = streams.open(standing=False)
    encoded = [stream.add(b"%d" % number) for number in range(4)]
    for number in range(5):
        found = streams.find(f"1.{number}")
        assert found == (stream, number)
        assert [one.encoded for one in stream.after(number)] == encoded[number:]


@pytest.mark.parametrize(
    "event_id",
    [
        "",
        "1",
        "1.",
        ".1",
        "1.5",
        "2.1",
        "1.1.1",
        "1.-1",
        "1.1 ",
        " 1.1",
        "1.1\n",
        "1.0x1",
        "1.\u0661",
        "1." + "9" * 40,
    ],
)
def test_an_event_that_was_never_told_is_found_nowhere(event_id: str) -> None:
    """Whatever the host sends back."""
    streams = KeptStreams()
    streams.open(standing=False).add(b"a")
    assert streams.find(event_id) is None


def test_an_event_of_another_session_means_nothing() -> None:
    """Ids are a session's own: there is no way from one to the other's events."""
    ours, theirs = KeptStreams(), KeptStreams()
    stream = ours.open(standing=False)
    stream.add(b"secret")
    theirs.open(standing=False)
    assert theirs.find("1.1") is None
    assert theirs.find("1.0") is not None
    found = theirs.find("1.0")
    assert found is not None
    assert found[0].after(0) == []


def test_what_is_kept_of_a_stream_is_bounded() -> None:
    """The oldest go; who asks for what followed one of them is told that it is gone, never that nothing came."""
    streams = KeptStreams()
    stream = streams.open(standing=False)
    for _ in range(5):
        stream.add(b"x" * (MAX_KEPT_BYTES // 3))
    assert [one.number for one in stream.after(0)] == [4, 5]
    assert streams.find("1.2") is None
    assert streams.find("1.3") == (stream, 3)


def test_an_event_that_is_too_large_is_not_kept() -> None:
    """Attack: a server whose every stream ends in its largest result. Its loss is told, not passed over."""
    streams = KeptStreams()
    stream = streams.open(standing=False)
    stream.add(b"a")
    told = stream.add(b"x" * MAX_KEPT_BYTES)
    assert len(told) > MAX_KEPT_BYTES
    assert stream.after(0) == []
    assert streams.find("1.1") is None
    assert streams.find("1.2") == (stream, 2)
    stream.add(b"b")
    assert [one.number for one in stream.after(2)] == [3]


def test_what_is_kept_of_a_session_is_bounded() -> None:
    """All its streams together; those that ended give way first, and say so."""
    streams = KeptStreams()
    size = MAX_KEPT_OF_SESSION // 4 - 100
    live, ended = streams.open(standing=False), streams.open(standing=False)
    live.add(b"x" * size)
    ended.add(b"x" * size)
    ended.end()
    more = [streams.open(standing=False) for _ in range(3)]
    for stream in more:
        stream.add(b"x" * size)
    assert streams.find("2.0") is None
    assert streams.find("1.0") is not None
    for stream in more:
        stream.add(b"x" * (size // 2))
    assert streams.find("1.0") is None
    assert sum(one.kept_bytes for one in (live, ended, *more)) <= MAX_KEPT_OF_SESSION
    assert streams.find("5.0") is not None


def test_a_session_keeps_only_so_many_streams() -> None:
    """An ended one goes first; then the oldest."""
    streams = KeptStreams()
    all_of_them = [streams.open(standing=False) for _ in range(MAX_KEPT_STREAMS)]
    for stream in all_of_them:
        stream.add(b"a")
    all_of_them[3].end()
    streams.open(standing=False)
    assert streams.find("4.1") is None
    assert streams.find("1.1") is not None
    streams.open(standing=False)
    assert streams.find("1.1") is None
    assert streams.find("2.1") is not None


async def test_whoever_waits_hears_of_more_and_of_the_end() -> None:
    """Several at once."""
    stream = KeptStream("1", standing=False)
    waiting = [asyncio.create_task(stream.more()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    stream.add(b"a")
    await asyncio.gather(*waiting)
    last = asyncio.create_task(stream.more())
    await asyncio.sleep(0)
    stream.end()
    await last
    assert stream.ended
