"""Lines over file descriptors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from gateway.client.pipe import TOO_LONG, Pipe, TooLong


@pytest.fixture
def ends() -> Iterator[tuple[int, int, int, int]]:
    """What the pipe reads from, what a host writes to; what a host reads from, what the pipe writes to."""
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    yield in_read, in_write, out_read, out_write
    for end in (in_read, in_write, out_read, out_write):
        try:
            os.close(end)
        except OSError:
            continue


async def test_lines_come_whole_and_too_long_ones_as_a_mark(ends: tuple[int, int, int, int]) -> None:
    """Pieces are joined, empty lines skipped; after a long line the next one is whole again."""
    in_read, in_write, _, out_write = ends
    pipe = Pipe(in_read, out_write, max_line=8)
    pipe.start()
    for piece in (b"ab", b"c\r\n\n  \n12345678\n", b"123456789", b"0123456789", b"\nxyz\n", b"unfinished"):
        os.write(in_write, piece)
    os.close(in_write)
    found: list[bytes | TooLong] = [line async for line in pipe.lines()]
    assert found == [b"abc", b"12345678", TOO_LONG, b"xyz"]


async def test_a_host_that_stops_reading_is_noticed(ends: tuple[int, int, int, int]) -> None:
    """Who writes hears of it, and so does who waits for it."""
    in_read, _, out_read, out_write = ends
    pipe = Pipe(in_read, out_write)
    pipe.start()
    await pipe.send(b"one")
    assert os.read(out_read, 100) == b"one\n"
    os.close(out_read)
    with pytest.raises(OSError, match="pipe"):
        await pipe.send(b"two")
    await pipe.closed()


async def test_a_host_that_does_not_read_does_not_stop_the_rest(ends: tuple[int, int, int, int]) -> None:
    """A full pipe holds its sender, and nothing else in the loop."""
    in_read, in_write, out_read, out_write = ends
    pipe = Pipe(in_read, out_write)
    pipe.start()
    sending = asyncio.ensure_future(pipe.send(b"x" * 1_000_000))
    os.write(in_write, b"still heard\n")
    assert await anext(pipe.lines()) == b"still heard"
    assert not sending.done()
    read = 0
    while read < 1_000_001:
        read += len(await asyncio.to_thread(os.read, out_read, 65_536))
    await sending
