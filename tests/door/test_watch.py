"""Who hangs up is noticed, while a request takes long."""

import asyncio
from functools import partial
from typing import Any

from gateway.door.watch import Watches, until_gone
from tests.support.until import until


class Line:
    """What a client does: it is there, says something nobody asked for, or goes."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.read = 0

    async def receive(self) -> dict[str, Any]:
        """See ASGI."""
        self.read += 1
        return await self.events.get()

    def leave(self) -> None:
        """Hang up."""
        self.events.put_nowait({"type": "http.disconnect"})


async def test_whatever_else_a_client_sends_is_not_its_end() -> None:
    """Only the disconnect is."""
    line = Line()
    line.events.put_nowait({"type": "http.request", "body": b"more", "more_body": True})
    gone = asyncio.create_task(until_gone(line.receive))
    await until(lambda: line.read == 2)
    assert not gone.done()
    line.leave()
    await gone


async def test_a_client_that_goes_is_noticed_once() -> None:
    """Also where it went before anybody looked."""
    watches, line, heard = Watches(every_s=0.001), Line(), []
    line.leave()
    watch = watches.start(line.receive, lambda: heard.append(1))
    await until(lambda: heard)
    watch.stop()
    line.leave()
    assert heard == [1]


async def test_a_quick_request_is_never_looked_at() -> None:
    """It costs no task."""
    watches, line = Watches(every_s=3600), Line()
    watches.start(line.receive, lambda: None).stop()
    assert line.read == 0


async def test_the_end_of_an_answered_request_is_not_the_clients() -> None:
    """After ``stop`` nothing is heard, whatever comes."""
    watches, line, heard = Watches(every_s=0.001), Line(), []
    watch = watches.start(line.receive, lambda: heard.append(1))
    await until(lambda: line.read)
    watch.stop()
    line.leave()
    other = Line()
    other.leave()
    watches.start(other.receive, lambda: heard.append(2))
    await until(lambda: heard)
    assert heard == [2]


async def test_each_is_watched_by_itself() -> None:
    """The one that goes takes nobody along; a later one is watched too."""
    watches = Watches(every_s=0.001)
    heard: list[int] = []
    lines = [Line() for _ in range(3)]
    watching = [watches.start(line.receive, partial(heard.append, name)) for name, line in enumerate(lines)]
    lines[1].leave()
    await until(lambda: heard)
    assert heard == [1]
    for watch in watching:
        watch.stop()
    await asyncio.sleep(0)
    late = Line()
    late.leave()
    watches.start(late.receive, lambda: heard.append(9))
    await until(lambda: len(heard) == 2)
    assert heard == [1, 9]
