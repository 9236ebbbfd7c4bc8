"""Events out of bytes, however these arrive; a half event never happened, and none is larger than its bound."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream.sse import MAX_ID_CHARS, MAX_RETRY_MS, EventReader, EventTooLarge


def read(*pieces: bytes, reader: EventReader | None = None) -> list[bytes]:
    """The data of the events in these pieces."""
    found = reader or EventReader()
    return [event.data for piece in pieces for event in found.feed(piece)]


STREAM = b': hello\nid: 1\nretry: 5\nevent: message\ndata: {"a":1}\n\ndata:2\n\n:\n\ndata: {\ndata: }\n\n'
DATA = [b'{"a":1}', b"2", b"{ }"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_in_any_pieces_with_any_line_ends(end: bytes, size: int) -> None:
    """CR, LF, and both; a piece may end between the two."""
    stream = STREAM.replace(b"\n", end)
    # A lone CR at the end may be half a line end: the event is complete all the same.
    assert read(*(stream[at : at + size] for at in range(0, len(stream), size))) == DATA


@given(st.lists(st.integers(1, 40)), st.sampled_from([b"\n", b"\r\n", b"\r"]))
@settings(max_examples=200, deadline=None)
def test_where_a_piece_ends_changes_nothing(cuts: list[int], end: bytes) -> None:
    """Whatever the cuts are."""
    stream, pieces, at = STREAM.replace(b"\n", end), [], 0
    for cut in cuts:
        pieces.append(stream[at : at + cut])
        at += cut
    assert read(*pieces, stream[at:]) == DATA


@pytest.mark.parametrize("cut", range(1, 5))
def test_half_an_event_never_happened(cut: int) -> None:
    """Its closing blank line never came."""
    assert read(b"data: 1\n\ndata: 22\n\n"[:-cut]) == [b"1"]


def test_a_mark_at_the_beginning_is_passed_over() -> None:
    """As the standard has it; anywhere else it is text."""
    assert read(b"\xef\xbb\xbfdata: 1\n\n") == [b"1"]
    assert read(b"data: 1\n\n\xef\xbb\xbfdata: 2\n\n") == [b"1"]


def test_an_event_without_data_is_none() -> None:
    """But its id counts: that is how a server says where to go on."""
    reader = EventReader()
    assert read(b"id: 7\nretry: 250\ndata:\n\n", reader=reader) == []
    assert (reader.last_id, reader.retry_ms) == (b"7", 250)


@pytest.mark.parametrize("value", [b"a b", b"\xc3\xbc", b"a\x00", b"x" * (MAX_ID_CHARS + 1), b"\x7f"])
def test_an_id_that_no_header_could_carry_is_ignored(value: bytes) -> None:
    """It would have to be written into one."""
    reader = EventReader(last_id=b"before")
    read(b"id: " + value + b"\n", reader=reader)
    assert reader.last_id == b"before"
    read(b"id:\n", reader=reader)
    assert reader.last_id is None


@pytest.mark.parametrize("value", [b"-1", b"1.5", b"x", b"", b"9" * 30, b"+5"])
def test_a_wish_that_is_none(value: bytes) -> None:
    """Of how long to wait."""
    reader = EventReader()
    read(b"retry: " + value + b"\n", reader=reader)
    assert reader.retry_ms is None
    read(b"retry: %d\n" % (MAX_RETRY_MS * 2), reader=reader)
    assert reader.retry_ms == MAX_RETRY_MS


@pytest.mark.parametrize(
    "piece",
    [b"x" * 10, b"data: 123456789\n", b": hello ", b"data: x\n" * 3, b"id: " + b"x" * 10],
)
def test_what_has_no_end_is_refused(piece: bytes) -> None:
    """A line, an event, a comment: memory is bounded."""
    reader = EventReader(limit=50)
    with pytest.raises(EventTooLarge):
        read(*[piece] * 20, reader=reader)


def test_a_long_stream_of_small_events_is_none_of_that() -> None:
    """The bound is on what is held."""
    reader = EventReader(limit=50)
    for _ in range(1000):
        assert read(b": a comment\ndata: 1234567890\n\n", reader=reader) == [b"1234567890"]


@pytest.mark.parametrize("piece", [b"data:xx\n" * 500, b"xx"], ids=["lines", "pieces"])
def test_small_pieces_cost_no_more_than_their_bytes(piece: bytes) -> None:
    """Attack: an event of millions of lines, or a line of millions of pieces, each an object of its own."""
    reader = EventReader()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100_000 * 2 // len(piece) if piece == b"xx" else 200):
            reader.feed(bytes(bytearray(piece)))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held - before < 1_000_000


@given(st.binary(max_size=80))
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise(body: bytes) -> None:
    """Nor do they hide an event that follows them, nor give one a line break."""
    reader = EventReader()
    found = read(body, b"\n\n", b"data: 1\n\n", reader=reader)
    assert found[-1] == b"1"
    assert not any(b"\n" in data or b"\r" in data for data in found)
