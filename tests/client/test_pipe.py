"""Lines over file descriptors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from io import FileIO
from typing import NamedTuple

import pytest

from gateway.client.pipe import TOO_LONG, Pipe, TooLong


class Ends(NamedTuple):
    """What the pipe reads from and a host writes to; what a host reads from and the pipe writes to."""

    in_read: int
    host_writes: FileIO
    host_reads: FileIO
    out_write: int


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Two pipes, of which only the host's ends are ever closed.

    The pipe's threads use the other two until they notice: closed here, their numbers would go to the next test's
    pipe, and an old thread would read what was meant for the new one.
    """
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    with ExitStack() as closing:
        host_writes = closing.enter_context(FileIO(in_write, "wb"))
        host_reads = closing.enter_context(FileIO(out_read, "rb"))
        yield Ends(in_read, host_writes, host_reads, out_write)


async def test_lines_come_whole_and_too_long_ones_as_a_mark(ends: Ends) -> None:
    """Pieces are joined, empty lines skipped; after a long line the next one is whole again."""
    pipe = Pipe(ends.in_read, ends.out_write, max_line=8)
    pipe.start()
    for piece in (b"ab", b"c\r\n\n  \n12345678\n", b"123456789", b"0123456789", b"\nxyz\n", b"unfinished"):
        ends.host_writes.write(piece)
    ends.host_writes.close()
    found: list[bytes | TooLong] = [line async for line in pipe.lines()]
    assert found == [b"abc", b"12345678", TOO_LONG, b"xyz"]


async def test_a_host_that_stops_reading_is_noticed(ends: Ends) -> None:
    """Who writes hears of it, and so does who waits for it."""
    pipe = Pipe(ends.in_read, ends.out_write)
    pipe.start()
    await pipe.send(b"one")
    assert ends.host_reads.read(100) == b"one\n"
    ends.host_reads.close()
    with pytest.raises(OSError, match="pipe"):
        await pipe.send(b"two")
    await pipe.closed()


async def test_a_host_that_does_not_read_does_not_stop_the_rest(ends: Ends) -> None:
    """A full pipe holds its sender, and nothing else in the loop."""
    pipe = Pipe(ends.in_read, ends.out_write)
    pipe.start()
    sending = asyncio.ensure_future(pipe.send(b"x" * 1_000_000))
    ends.host_writes.write(b"still heard\n")
    assert await anext(pipe.lines()) == b"still heard"
    assert not sending.done()
    read = 0
    while read < 1_000_001:
        read += len(await asyncio.to_thread(ends.host_reads.read, 65_536) or b"")
    await sending
