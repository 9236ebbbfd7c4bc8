"""Lines out of a pipe and text for a log, both bounded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream.stdio_lines import Allowance, LineReader, shown


@given(st.lists(st.binary(max_size=20)))
@settings(max_examples=200, deadline=None)
def test_where_a_piece_ends_changes_nothing(pieces: list[bytes]) -> None:
    """The lines are those of the whole; empty ones are none."""
    reader = LineReader()
    got = [line for piece in [*pieces, b"\n"] for line in reader.feed(piece)]
    want = [line.rstrip(b"\r") for line in b"".join(pieces).split(b"\n")]
    assert got == [line for line in want if line]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_line_that_is_too_long_is_skipped(size: int) -> None:
    """To its end, and counted; with ``cut`` its beginning is kept."""
    data = b"a\n" + b"x" * 20 + b"\nb\n"
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    reader, cutting = LineReader(limit=10), LineReader(limit=10, cut=True)
    assert [line for piece in pieces for line in reader.feed(piece)] == [b"a", b"b"]
    assert reader.skipped == 1
    assert [line for piece in pieces for line in cutting.feed(piece)] == [b"a", b"x" * 10, b"b"]


def test_a_log_shows_what_a_stranger_wrote() -> None:
    """And does not do it: no escape sequence, no line of its own, no secret."""
    line = "\x1b[31mred\x07 ü\u202eabc\r\x00 token-123".encode() + b"\xff"
    text = shown(line, ("token-123",))
    assert text == "\\x1b[31mred\\x07 ü\\u202eabc\\r\\x00 ***\\xff"
    assert text.isprintable()


def test_lines_are_rationed() -> None:
    """Some at once, a few in the long run."""
    allowance = Allowance(burst=3, per_s=1)
    assert [allowance.take(0) for _ in range(5)] == [True, True, True, False, False]
    assert [allowance.take(2) for _ in range(3)] == [True, True, False]
    assert [allowance.take(1_000) for _ in range(4)] == [True, True, True, False]
    assert allowance.dropped == 4
