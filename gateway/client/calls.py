"""One request of the host, from its line to its answer; the two phases of a call happen in here."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec

from gateway.client.errors import BridgeError
from gateway.client.exchange import Body
from gateway.client.headers import Mirror
from gateway.client.message import Message, RpcId, error_answer, one_line, repeated, value_of, with_id
from gateway.client.phases import Done, Repeat, Sign, Wait, phase_of
from gateway.client.rounds import Rounds
from gateway.client.signatures import Signatures

PATIENCE_S: Final = 50.0
"""How long a call waits for a person, in seconds: below the 60 s after which many hosts give a call up."""
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 5.0
PAUSE_GROWS: Final = 1.5
PROGRESS_STEP: Final = 1e-6
"""Progress must increase with each notification; steps this small leave room for what the server itself reports."""

Forward = Callable[[bytes], Awaitable[None]]


class Clock(Protocol):
    """Time as it passes, and waiting for it."""

    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class Person(Protocol):
    """Whoever sits at the host."""

    def say(self, text: str) -> None:
        """One short line."""
        ...

    async def show(self, url: str) -> None:
        """Open a page, if that was allowed."""
        ...


class Calls:
    """Carries requests through. What it returns is the line for the host, under the host's own id."""

    def __init__(
        self,
        rounds: Rounds,
        mirror: Mirror,
        forward: Forward,
        person: Person,
        clock: Clock,
        *,
        gateway_url: str,
        patience_s: float = PATIENCE_S,
        signatures: Signatures | None = None,
    ) -> None:
        self._rounds = rounds
        self._mirror = mirror
        self._forward = forward
        self._person = person
        self._clock = clock
        self._origin = _origin(gateway_url)
        self._patience_s = patience_s
        self._signatures = signatures
        self._numbers = itertools.count(1)

    async def carry(self, message: Message, renamed: Callable[[RpcId], None]) -> bytes:
        """The answer to one request. ``renamed`` hears under which id the gateway knows the call in this round."""
        assert message.id is not None
        try:
            answer = await self._answer(message, message.id, renamed)
        except BridgeError as problem:
            self._person.say(problem.message)
            return error_answer(message.id, problem.rpc_code, problem.message, because=problem.code)
        if message.method == "tools/list" and answer.result is not None:
            listed = value_of(answer.result)
            self._mirror.learn(listed if isinstance(listed, dict) else {})
        if answer.id == message.id and type(answer.id) is type(message.id):
            return one_line(answer.body)
        return with_id(answer.body, message.id)

    async def _answer(self, message: Message, ident: RpcId, renamed: Callable[[RpcId], None]) -> Message:
        began = self._clock.now()
        body = message.body
        pause = FIRST_PAUSE_S
        waits = 0
        just_repeated = False
        while True:
            answer = await self._round(message, body, ident, renamed)
            if message.method != "tools/call":
                return answer
            phase = phase_of(answer.result)
            left = began + self._patience_s - self._clock.now()
            match phase:
                case Done() | Sign():
                    return answer
                case Repeat(within_s=within_s):
                    # Asked for the same phase twice in a row, something else is wrong; the model may read what.
                    if just_repeated or within_s <= 0:
                        return answer
                    just_repeated = True
                case Wait():
                    just_repeated = False
                    if left <= 0:
                        self._person.say("Nobody has confirmed yet; the host may repeat the call later.")
                        return answer
                    if waits == 0:
                        await self._explain(phase)
                    waits += 1
                    await self._progress(message, waits)
                    await self._clock.sleep(min(pause, left))
                    pause = min(pause * PAUSE_GROWS, LONGEST_PAUSE_S)
            ident = f"countersign:{next(self._numbers)}"
            renamed(ident)
            body = repeated(message, ident, state=phase.state)

    async def _round(
        self, message: Message, body: bytes, ident: RpcId, renamed: Callable[[RpcId], None]
    ) -> Message:
        """One answer; where it is that a signature is missing, and we can sign, the answer to the signed call."""
        answer = await self._rounds.ask(message, self._sent(message, body), ident)
        signatures = self._signatures
        if (
            signatures is None
            or message.method != "tools/call"
            or not isinstance(phase_of(answer.result), Sign)
        ):
            return answer
        if not signatures.wanted(message):
            return answer
        ident = f"countersign:{next(self._numbers)}"
        renamed(ident)
        return await self._rounds.ask(
            message, self._sent(message, repeated(message, ident, state=None)), ident
        )

    def _sent(self, message: Message, body: bytes) -> bytes | Body:
        signatures = self._signatures
        if signatures is None or message.method != "tools/call":
            return body
        return lambda credentials: signatures.body(message, body, credentials)

    async def _explain(self, phase: Wait) -> None:
        what = phase.tool or "This call"
        if phase.approve_url is None:
            self._person.say(f"{what} waits until a person has confirmed it.")
            return
        self._person.say(f"{what} waits until a person has confirmed it: {phase.approve_url}")
        # Any page can be named in an answer; only the gateway's own is opened without a click.
        if _origin(phase.approve_url) == self._origin:
            await self._person.show(phase.approve_url)

    async def _progress(self, message: Message, count: int) -> None:
        token = message.progress_token
        if token is None:
            return
        params = {
            "progressToken": token,
            "progress": count * PROGRESS_STEP,
            "message": "Waiting until a person has confirmed this call.",
        }
        note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}
        await self._forward(msgspec.json.encode(note))


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()
