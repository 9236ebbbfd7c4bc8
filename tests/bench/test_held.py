"""What keeps calls waiting, against a gateway that answers as it is told."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.bench.held import EACH, Held, token_of

CALLS = EACH + 1


class Gateway:
    """Gives each call a way back twice, and keeps the third time for good."""

    def __init__(self, *, refuses: bool = False) -> None:
        self._refuses = refuses
        self.callers: Counter[str] = Counter()
        self.holding = 0
        self.all_held = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """On the port that it gives."""
        async with await asyncio.start_server(self._answer, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for state in (None, "one", "two"):
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
                body = json.loads(await reader.readexactly(int(fields["content-length"])))
                assert body["params"].get("requestState") == state
                if state is None:
                    self.callers[fields["authorization"]] += 1
                if state == "two":
                    self.holding += 1
                    if self.holding == CALLS:
                        self.all_held.set()
                    await reader.read()
                    return
                answer = {"id": body["id"], "result": {"requestState": "two" if state else "one"}}
                said = json.dumps({"error": {"code": 1}} if self._refuses else answer).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def all_wait(held: Held) -> bool:
    """What it says now."""
    return held.ready


async def test_all_of_them_wait_and_no_caller_has_more_than_its_share() -> None:
    """Two phases each, then held."""
    gateway = Gateway()
    async with gateway.listening() as port:
        held = Held(port, CALLS)
        assert not all_wait(held)
        running = asyncio.ensure_future(held.run())
        await gateway.all_held.wait()
        assert all_wait(held)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert gateway.callers == {f"bearer {token_of(0)}": EACH, f"bearer {token_of(1)}": 1}


async def test_a_refusal_is_no_figure() -> None:
    """Whoever measures learns that nothing waits."""
    async with Gateway(refuses=True).listening() as port:
        held = Held(port, 1)
        with pytest.raises(ExceptionGroup) as problem:
            await held.run()
    assert isinstance(problem.value.exceptions[0], RuntimeError)
    assert not all_wait(held)
