"""The bridge: MCP on a pipe to the host, streamable HTTP to the gateway. Each request of the host is a task."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from gateway.client.access import Access
from gateway.client.calls import PATIENCE_S, Calls, Clock, Person
from gateway.client.errors import BridgeError
from gateway.client.exchange import Gateway, http_client
from gateway.client.headers import Mirror
from gateway.client.listening import Listener
from gateway.client.message import (
    Kind,
    Message,
    RpcId,
    error_answer,
    read_message,
    value_of,
)
from gateway.client.pipe import MAX_LINE, Pipe, TooLong
from gateway.client.rounds import Rounds
from gateway.client.session import LegacySession
from gateway.client.signatures import Signatures
from gateway.errors import INTERNAL_ERROR, INVALID_REQUEST, PARSE_ERROR

MAX_AT_ONCE: Final = 64
"""Requests in flight; further ones are refused, so that a cancellation can still be heard."""
MAX_NOTES: Final = 64
"""Notifications and answers on their way; then the host waits."""
DRAIN_S: Final = 1.0
"""Seconds that calls in flight get when the host has closed its side; the SDKs kill a server after two."""
IN_ORDER_S: Final = 10.0
"""Seconds that a message waits for the notification before it."""
TOO_MANY: Final = 5041


@dataclass(slots=True)
class _Running:
    """A request of the host in flight, and the id under which the gateway knows it at the moment."""

    message: Message
    known_as: RpcId
    task: asyncio.Task[None] | None = None


class Bridge:
    """One host, one gateway."""

    def __init__(
        self,
        pipe: Pipe,
        url: str,
        access: Access,
        person: Person,
        clock: Clock,
        *,
        patience_s: float = PATIENCE_S,
        signatures: Signatures | None = None,
    ) -> None:
        self._pipe = pipe
        self._http = http_client()
        gateway = Gateway(self._http, url, access)
        mirror = Mirror()
        self._session = LegacySession(gateway)
        self._rounds = Rounds(gateway, self._session, mirror, pipe.send)
        self._listener = Listener(gateway, self._session, self._rounds)
        self._calls = Calls(
            self._rounds,
            mirror,
            pipe.send,
            person,
            clock,
            gateway_url=url,
            patience_s=patience_s,
            signatures=signatures,
        )
        self._person = person
        self._running: dict[RpcId, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Task[None] | None = None
        self._places = asyncio.Semaphore(MAX_NOTES)
        self._told: asyncio.Task[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until the host closes its side, or ``stop`` is set; then end what is in flight and the session."""
        self._pipe.start()
        reading = asyncio.ensure_future(self._read())
        ends = [reading, asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._pipe.closed())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
                await self._drained()
        finally:
            await self._end([*ends, *self._tasks, *([self._listening] if self._listening else [])])
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    await self._session.end()
            await self._http.aclose()

    async def _read(self) -> None:
        async for line in self._pipe.lines():
            if isinstance(line, TooLong):
                said = f"A message may have {MAX_LINE} bytes; this one was thrown away."
                await self._pipe.send(error_answer(None, INVALID_REQUEST, said))
                continue
            try:
                message = read_message(line)
            except ValueError as problem:
                code = PARSE_ERROR if _is_no_json(line) else INVALID_REQUEST
                await self._pipe.send(error_answer(None, code, str(problem)))
                continue
            await self._take(message)

    async def _take(self, message: Message) -> None:
        if message.kind is Kind.REQUEST:
            await self._begin(message)
        elif message.method == "notifications/cancelled" and message.kind is Kind.NOTIFICATION:
            await self._cancel(message)
        else:
            await self._post(message)

    async def _begin(self, message: Message) -> None:
        assert message.id is not None
        if message.id in self._running:
            said = "A request with this id is still running."
            await self._pipe.send(error_answer(message.id, INVALID_REQUEST, said))
            return
        if len(self._running) >= MAX_AT_ONCE:
            said = f"More than {MAX_AT_ONCE} requests are running; wait for one of them."
            await self._pipe.send(error_answer(message.id, TOO_MANY, said, because="client.too_many"))
            return
        if message.method == "initialize":
            self._session.begin(message)
        running = self._running[message.id] = _Running(message, message.id)
        running.task = self._start(self._carry(running, self._told))

    async def _carry(self, running: _Running, told: asyncio.Task[None] | None) -> None:
        def renamed(ident: RpcId) -> None:
            running.known_as = ident

        assert running.message.id is not None
        try:
            if told is not None:
                # What the host said first arrives first; but nothing waits for ever behind a note that hangs.
                await asyncio.wait([told], timeout=IN_ORDER_S)
            line = await self._calls.carry(running.message, renamed)
        except Exception as problem:  # noqa: BLE001 - a defect of ours is answered: the host would wait for ever
            self._person.say(f"An error of the bridge itself: {type(problem).__name__}.")
            line = error_answer(running.message.id, INTERNAL_ERROR, "The bridge failed.")
        finally:
            del self._running[running.message.id]
        await self._pipe.send(line)

    async def _cancel(self, message: Message) -> None:
        """Closing the stream cancels a modern request (basic/patterns/cancellation); an older one has to be told."""
        ident = value_of(message.params.get("requestId"))
        running = self._running.get(ident) if isinstance(ident, str | int) else None
        if running is None or running.task is None:
            return
        if running.message.protocol is None:
            params = {**message.params, "requestId": running.known_as}
            note = {"jsonrpc": "2.0", "method": message.method, "params": params}
            await self._post(read_message(msgspec.json.encode(note)))
        running.task.cancel()

    async def _post(self, message: Message) -> None:
        await self._places.acquire()
        self._told = self._start(self._tell(message, self._told))

    async def _tell(self, message: Message, told: asyncio.Task[None] | None) -> None:
        try:
            if told is not None:
                await asyncio.wait([told], timeout=IN_ORDER_S)
            await self._rounds.tell(message)
        except BridgeError as problem:
            self._person.say(problem.message)
        finally:
            self._places.release()
        if message.method == "notifications/initialized":
            if self._listening is not None:
                self._listening.cancel()
            self._listening = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        with suppress(BridgeError, OSError):  # without the standing stream every call still works
            await self._listener.run()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        problem = None if task.cancelled() else task.exception()
        # A host that is gone is noticed elsewhere.
        if problem is not None and not isinstance(problem, OSError):
            self._person.say(f"An error of the bridge itself: {type(problem).__name__}.")

    async def _drained(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_S)

    async def _end(self, tasks: list[asyncio.Future[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _is_no_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True
    return False
