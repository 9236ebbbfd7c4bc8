"""Windows of load against the cheap upstream, in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.load import Bounds, Target, Window, drive, open_session
from tests.bench.upstream import UpstreamProtocol
from tests.bench.workload import Era, Expect
from tests.support.ports import free_port


@asynccontextmanager
async def upstream() -> AsyncIterator[int]:
    """The cheap upstream on a free port."""
    server = await asyncio.get_running_loop().create_server(UpstreamProtocol, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def window(target: Target, bounds: Bounds) -> Window:
    """One window of three connections."""
    extra = await open_session(target, Era.MODERN)
    return await drive("leg", target, Era.MODERN, extra, number=1, concurrency=3, bounds=bounds)


async def test_a_window_makes_as_many_calls_as_it_may() -> None:
    """Bounded by calls: exactly so many, all answered well, warm-up not counted."""
    async with upstream() as port:
        seen = await window(Target(port=port), Bounds(calls=40, seconds=60))
    assert (seen.calls, seen.errors, seen.clean) == (40, {}, True)
    assert seen.cpu_us is None


async def test_a_window_ends_when_its_time_is_over() -> None:
    """Bounded by time: a window of a million calls ends all the same."""
    async with upstream() as port:
        seen = await window(Target(port=port), Bounds(calls=1_000_000, seconds=0.05))
    assert 0 < seen.calls < 1_000_000
    assert seen.clean


async def test_a_target_that_does_not_do_what_is_expected_has_no_figures() -> None:
    """Answers where refusals were due are errors, are counted as such, and end the window early."""
    async with upstream() as port:
        target = Target(port=port, expect=Expect.REFUSAL)
        seen = await window(target, Bounds(calls=1_000_000, seconds=60))
    assert seen.calls == 0
    assert list(seen.errors) == ["answered where a refusal was due"]
    assert not seen.clean
    assert (seen.p50_ms, seen.rps) == (None, 0)


async def test_a_target_that_is_gone_is_reported() -> None:
    """Nobody listens: an error by name, and no crash in the middle of a run."""
    seen = await window(Target(port=free_port()), Bounds(calls=10, seconds=1))
    assert seen.errors == {"connection refused": 3}
    assert not seen.clean
