"""Async clients in code without a loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError
from typing import Any

import pytest

from gateway.client import Background, HandshakeClient
from tests.support.handshake_service import PAID, SESSION, handshake_service, in_thread


async def test_an_async_client_is_used_without_a_loop() -> None:
    """Several calls over one client, whose connections belong to one loop."""

    def without_a_loop(url: str) -> list[Any]:
        with Background() as background:
            client = HandshakeClient(url, SESSION)
            call = background.blocking(client.execute_with_handshake)
            found = [call("create_refund", {"n": n}) for n in range(3)]
            background.run(client.aclose())
            return found

    async with handshake_service() as service:
        assert await in_thread(without_a_loop, service.url) == [PAID] * 3


def test_an_error_comes_out() -> None:
    """As it was raised."""

    async def fails(tool: str, parameters: Any) -> Any:
        raise KeyError(tool)

    with Background() as background, pytest.raises(KeyError):
        background.blocking(fails)("a", {})


def test_a_thread_that_waits_when_it_closes_does_not_wait_for_ever() -> None:
    """What it waited for was cancelled, and it is told."""
    started, told = threading.Event(), list[BaseException]()

    async def never() -> None:
        started.set()
        await asyncio.get_running_loop().create_future()

    def waits() -> None:
        try:
            background.run(never())
        except CancelledError as problem:
            told.append(problem)

    waiting = threading.Thread(target=waits, daemon=True)
    with Background() as background:
        waiting.start()
        assert started.wait(20)
    waiting.join(20)
    assert len(told) == 1
