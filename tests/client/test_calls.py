"""The two phases of a call, against a gateway that asks for them in every order; time is the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from starlette.responses import Response

from gateway.client.access import FixedToken
from gateway.client.calls import LONGEST_PAUSE_S, Calls
from gateway.client.exchange import Gateway, http_client
from gateway.client.headers import Mirror
from gateway.client.login.values import Secret
from gateway.client.message import read_message
from gateway.client.phases import DECISION
from gateway.client.rounds import Rounds
from gateway.client.session import LegacySession
from tests.support.scripted_gateway import Came, ScriptedGateway, result, scripted_gateway

HANDSHAKE = "handshake_required"
CONFIRM = "confirmation_required"
PATIENCE_S = 50.0


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def now(self) -> float:
        """Seconds slept so far."""
        return sum(self.pauses)

    async def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.pauses.append(seconds)


class Person:
    """Keeps what was said and shown."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.opened: list[str] = []

    def say(self, text: str) -> None:
        """One line."""
        self.said.append(text)

    async def show(self, url: str) -> None:
        """A page."""
        self.opened.append(url)


class Seen:
    """One host with its gateway: what passed."""

    def __init__(self, gateway: ScriptedGateway) -> None:
        self.gateway = gateway
        self.clock = Clock()
        self.person = Person()
        self.forwarded: list[dict[str, Any]] = []
        self.names: list[object] = []

    async def call(self, **params: Any) -> dict[str, Any]:
        """One ``tools/call`` of an older host; its answer."""

        async def forward(line: bytes) -> None:
            self.forwarded.append(msgspec.json.decode(line))

        async with http_client() as http:
            gateway = Gateway(http, self.gateway.url, FixedToken(Secret("t")))
            rounds = Rounds(gateway, LegacySession(gateway), Mirror(), forward)
            calls = Calls(
                rounds,
                Mirror(),
                forward,
                self.person,
                self.clock,
                gateway_url=self.gateway.url,
                patience_s=PATIENCE_S,
            )
            body = {
                "jsonrpc": "2.0",
                "id": "host",
                "method": "tools/call",
                "params": {"name": "pay", **params},
            }
            message = read_message(msgspec.json.encode(body))
            answer: dict[str, Any] = msgspec.json.decode(await calls.carry(message, self.names.append))
            return answer


@asynccontextmanager
async def asking(*statuses: str, url: str | None = None, expires: int = 30) -> AsyncIterator[Seen]:
    """A gateway that answers with these statuses in order, the last one for ever; ``done`` is a plain result."""
    waiting = list(statuses)

    async def behave(came: Came) -> Response:
        status = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if status == "done":
            return result(came, content=[])
        page = url or f"{gateway.url.removesuffix('/mcp')}/console/pending/1"
        decision = {"status": status, "expires_in_s": expires, "approve_url": page, "tool": "pay"}
        return result(came, content=[], _meta={DECISION: decision})

    async with scripted_gateway(behave) as gateway:
        yield Seen(gateway)


def status(answer: dict[str, Any]) -> str:
    """What the host reads."""
    return str(answer["result"].get("_meta", {}).get(DECISION, {}).get("status", "done"))


async def test_a_handshake_is_one_call_for_the_host() -> None:
    """Two requests with the same parameters under two ids; the answer comes under the host's own."""
    async with asking(HANDSHAKE, "done") as seen:
        answer = await seen.call(arguments={"n": 1})
        first, second = (one.message for one in seen.gateway.came)
    assert (answer["id"], status(answer)) == ("host", "done")
    assert first["params"] == second["params"]
    assert first["id"] != second["id"] == seen.names[0]
    assert seen.clock.pauses == []


async def test_a_handshake_that_leads_to_a_handshake_ends() -> None:
    """A gateway that never has enough is not asked for ever: one repetition, then the host reads it."""
    async with asking(HANDSHAKE) as seen:
        assert status(await seen.call()) == HANDSHAKE
        assert len(seen.gateway.came) == 2


async def test_a_handshake_without_a_lifetime_is_not_repeated() -> None:
    """It is over before it began."""
    async with asking(HANDSHAKE, expires=0) as seen:
        assert status(await seen.call()) == HANDSHAKE
        assert len(seen.gateway.came) == 1


async def test_a_confirmation_is_waited_for_with_growing_pauses_and_then_given_to_the_host() -> None:
    """Patience is kept to the second, the pauses grow to their limit, and the person was told once."""
    async with asking(HANDSHAKE, CONFIRM) as seen:
        assert status(await seen.call()) == CONFIRM
        pauses = seen.clock.pauses
    assert sum(pauses) == PATIENCE_S
    assert pauses[:-1] == sorted(pauses[:-1])
    assert max(pauses) == LONGEST_PAUSE_S
    assert len([one for one in seen.person.said if "/console/pending/1" in one]) == 1
    assert len(seen.person.opened) == 1


async def test_progress_is_told_to_a_host_that_asked_for_it() -> None:
    """It increases, under the host's own token; a host that did not ask hears nothing."""
    async with asking(CONFIRM, CONFIRM, CONFIRM, "done") as seen:
        await seen.call(_meta={"progressToken": "p"})
        told = [one["params"] for one in seen.forwarded]
    assert [one["progressToken"] for one in told] == ["p"] * 3
    assert [one["progress"] for one in told] == sorted({one["progress"] for one in told})
    async with asking(CONFIRM, "done") as seen:
        await seen.call()
        assert seen.forwarded == []


async def test_a_page_of_somebody_else_is_not_opened() -> None:
    """It is said, as a person can judge it; only the gateway's own page is opened without a click."""
    async with asking(CONFIRM, "done", url="https://evil.example/") as seen:
        await seen.call()
        assert seen.person.opened == []
        assert "https://evil.example/" in seen.person.said[0]


async def test_a_handshake_that_ran_out_while_a_person_thought_is_made_again() -> None:
    """Confirmation, handshake, confirmation, done: still one call."""
    async with asking(HANDSHAKE, CONFIRM, HANDSHAKE, CONFIRM, "done") as seen:
        assert status(await seen.call()) == "done"
        assert len(seen.gateway.came) == 5
