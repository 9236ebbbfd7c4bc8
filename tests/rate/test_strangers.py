"""Who has no good credential is limited by address, before it is looked at again."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.rate.address import Addresses
from gateway.rate.bucket import Buckets
from gateway.rate.strangers import Strangers
from tests.support.clock import ManualClock


class Door:
    """Answers as it is told; how often it was asked."""

    def __init__(self) -> None:
        self.status = 401
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        self.asked += 1
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Street:
    """A door, and who comes to it."""

    def __init__(self) -> None:
        self.clock = ManualClock(0.0)
        self.door = Door()
        buckets = Buckets(60, 3, monotonic=self.clock)
        self.strangers = Strangers(buckets, Addresses(), monotonic=self.clock)

    async def comes(self, address: str = "192.0.2.1", *names: bytes) -> tuple[int, dict[bytes, bytes]]:
        """One request; its status and the header of its answer."""
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.request", "body": b""}

        scope: dict[str, Any] = {
            "type": "http",
            "client": (address, 1),
            "headers": [(name, b"x") for name in names],
        }
        await self.strangers.serve(self.door, scope, receive, send)
        return sent[0]["status"], dict(sent[0]["headers"])


@pytest.fixture
def street() -> Street:
    """Three at once, one a second."""
    return Street()


async def test_refused_unseen_until_there_is_some_again(street: Street) -> None:
    """With the seconds to wait; another address is not told; the number of refusals is kept."""
    for _ in range(3):
        assert (await street.comes())[0] == 401
    status, headers = await street.comes()
    assert (status, headers[b"retry-after"]) == (429, b"1")
    assert street.door.asked == 3
    assert (await street.comes("192.0.2.2"))[0] == 401
    street.clock.advance(1.0)
    assert (await street.comes())[0] == 401
    assert (await street.comes())[0] == 429
    assert street.strangers.refused == 2


@pytest.mark.parametrize(
    ("status", "names", "counted"),
    [
        (200, (), False),
        (401, (b"authorization",), True),
        (401, (), True),
        (400, (), True),
        (404, (), True),
        (400, (b"authorization",), False),
        (403, (b"cookie",), False),
        (429, (), False),
        (503, (), False),
    ],
)
async def test_who_is_a_stranger(
    street: Street,
    status: int,
    names: tuple[bytes, ...],
    counted: bool,  # noqa: FBT001 - a row
) -> None:
    """Told 401, or refused without a credential: mistakes of callers, and what is ours, use nothing up."""
    street.door.status = status
    *_, (last, _) = [await street.comes("192.0.2.1", *names) for _ in range(10)]
    assert last == (429 if counted else status)
    assert street.door.asked == (3 if counted else 10)
