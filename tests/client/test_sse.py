"""Events as they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.sse import MAX_RETRY_MS, Event, events


async def cut(stream: bytes, places: list[int]) -> AsyncIterator[bytes]:
    """The stream in pieces."""
    last = 0
    for place in sorted({min(one, len(stream)) for one in places} | {len(stream)}):
        yield stream[last:place]
        last = place


async def read(stream: bytes, places: list[int], limit: int = 1_000) -> list[Event]:
    """All events of a stream."""
    return [one async for one in events(cut(stream, places), limit=limit)]


STREAM = b': hello\n\nid: 7\nretry: 99999999\ndata: {"a":\ndata: 1}\n\nid: 8\r\ndata:\r\n\r\nevent: x\n\ndata: cut off'


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
async def test_events_do_not_depend_on_the_pieces(places: list[int]) -> None:
    """Lines of data are joined, a priming event has none, a comment is nothing, what is unfinished is dropped."""
    assert await read(STREAM, places) == [
        Event(data=b'{"a":\n1}', id="7", retry_ms=MAX_RETRY_MS),
        Event(data=b"", id="8"),
    ]


@pytest.mark.parametrize("stream", [b"data: " + b"x" * 2_000, b"data: 1234567890\n" * 200])
async def test_an_event_without_end_is_refused(stream: bytes) -> None:
    """One long line, or many short ones: memory stays bounded."""
    with pytest.raises(ValueError, match="too long"):
        await read(stream, list(range(0, len(stream), 100)))
