"""A call whose target asks back on its own connection, made for a host that is asked by ``input_required``.

The hard cell of the era matrix: a server of the older era keeps its call open while it waits for an answer; a host of
2026-07-28 gets an answer to its request and comes back with another one. In between the call is parked: a task of this
process that holds the server's connection. So the host has to come back to the same process; if it does not, or not
in time, the call is cancelled at the server and its outcome is unknown (invariant 4).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec

from gateway.door.host import NOBODY, Host, HostCannot
from gateway.errors import INTERNAL_ERROR, AuditUnavailable
from gateway.identity.credentials import Secret
from gateway.outcome.pending import CONTINUATION_TTL_S
from gateway.upstream.target import Effect, Reply

MAX_PARKED = 256
"""Parked calls of one process. Each holds a connection to a target, and a task."""
MAX_PARKED_OF_ONE = 8
"""Of one conversation: a host asks its person one thing at a time."""
_LOG = logging.getLogger("countersign.outcome")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the target asks, by keys of ours: ``{"method", "params"}`` each. ``parked`` leads back to the call."""

    parked: str
    input_requests: dict[str, Any]


class _Asked(msgspec.Struct, kw_only=True):
    method: str
    params: msgspec.Raw
    answer: asyncio.Future[msgspec.Raw]


class _Call:
    """One open call, and the :class:`~gateway.door.host.Host` that its upstream sees."""

    asks_in_band = False

    def __init__(
        self, host: Host, lapsed: Callable[[], Coroutine[Any, Any, None]], admitted: Callable[[_Call], bool]
    ) -> None:
        self.key = host.key
        self.capabilities = host.capabilities
        self.subject_token: Secret | None = host.subject_token
        self.present: Host = host
        self.lapsed = lapsed
        self.asked: dict[str, _Asked] = {}
        self.something = asyncio.Event()
        self._admitted = admitted
        self.task: asyncio.Task[Reply] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self._count = 0

    async def notify(self, message: msgspec.Raw) -> None:
        """To whoever is here in this round."""
        await self.present.notify(message)

    async def ask(self, method: str, params: msgspec.Raw) -> msgspec.Raw:
        """Wait for the next round. :raises HostCannot: too many calls are parked."""
        if not self._admitted(self):
            raise HostCannot("Too many questions are open; answer them first.", code=INTERNAL_ERROR)
        self._count += 1
        key = f"ask-{self._count}"
        answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self.asked[key] = _Asked(method=method, params=params, answer=answer)
        self.something.set()
        try:
            return await answer
        finally:
            self.asked.pop(key, None)


class Parking:
    """The open calls of this process."""

    def __init__(self, *, ttl_s: float = CONTINUATION_TTL_S) -> None:
        self._ttl_s = ttl_s
        self._parked: dict[str, _Call] = {}
        self._asking: set[_Call] = set()
        """The calls that have asked something, as long as they run or are parked: counted when a call asks and not when
        it starts, or any number that started together would be parked together."""
        self._ending: set[asyncio.Task[None]] = set()

    async def started(
        self,
        host: Host,
        make: Callable[[Host], Coroutine[Any, Any, Reply]],
        *,
        lapsed: Callable[[], Coroutine[Any, Any, None]],
    ) -> Reply | Question:
        """Make a call in a task of its own, until it is answered or asks. Errors as of ``Upstream.call``.

        ``lapsed`` is awaited if nobody comes back in time: the record's last word on the call.
        """
        call = _Call(host, lapsed, self._admitted)
        call.task = asyncio.create_task(make(call))
        call.task.add_done_callback(lambda _: self._over(call))
        return await self._next(call)

    async def resumed(self, parked: str, responses: Mapping[str, Any], host: Host) -> Reply | Question:
        """Bring the host's answers to a parked call. What it was not answered it asks again.

        A call that this process does not hold, or holds no longer, is *unknown*: its target may have gone on.
        """
        call = self._parked.pop(parked, None)
        if call is None or call.task is None:
            return Reply(effect=Effect.UNKNOWN)
        if call.timer is not None:
            call.timer.cancel()
        self._over(call)
        call.present = host
        call.capabilities = host.capabilities  # what THIS request declares, and never more
        answered = [key for key in call.asked if isinstance(responses.get(key), dict)]
        if not answered and call.asked and not call.task.done():
            return self._park(call)
        call.something.clear()
        for key in answered:
            asked = call.asked.pop(key)
            if not asked.answer.done():
                asked.answer.set_result(msgspec.Raw(msgspec.json.encode(responses[key])))
        if call.asked:
            call.something.set()  # what is left over is asked again
        return await self._next(call)

    async def aclose(self) -> None:
        """Cancel whatever is parked, and wait for its last record."""
        for parked in list(self._parked):
            self._lapse(parked)
        while self._ending:
            await asyncio.gather(*self._ending)

    def _over(self, call: _Call) -> None:
        """Its place is another's once it is over, and nobody can come back for its answer any more.

        Attack: a server that asks and answers itself at once. Its answers would be kept, each for minutes, and counted
        by nobody.
        """
        if call.task is not None and call.task.done() and call not in self._parked.values():
            self._asking.discard(call)

    def _admitted(self, call: _Call) -> bool:
        if call not in self._asking:
            others = sum(one.key == call.key for one in self._asking)
            if len(self._asking) >= MAX_PARKED or others >= MAX_PARKED_OF_ONE:
                return False
            self._asking.add(call)
        return True

    async def _next(self, call: _Call) -> Reply | Question:
        assert call.task is not None
        asking = asyncio.create_task(call.something.wait())
        try:
            await asyncio.wait({call.task, asking}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # The host is gone, and nobody else can come back: no token went out for this round.
            await _cancelled(call.task)
            raise
        finally:
            asking.cancel()
        if call.task.done():
            return call.task.result()
        return self._park(call)

    def _park(self, call: _Call) -> Question:
        parked = secrets.token_hex(16)
        call.present = NOBODY
        call.timer = asyncio.get_running_loop().call_later(self._ttl_s, self._lapse, parked)
        self._parked[parked] = call
        requests = {key: {"method": one.method, "params": one.params} for key, one in call.asked.items()}
        return Question(parked=parked, input_requests=requests)

    def _lapse(self, parked: str) -> None:
        call = self._parked.pop(parked, None)
        if call is not None and call.task is not None:
            self._over(call)
            ending = asyncio.create_task(_ended(call))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)


async def _ended(call: _Call) -> None:
    assert call.task is not None
    if call.timer is not None:
        call.timer.cancel()
    await _cancelled(call.task)
    try:
        await call.lapsed()
    except AuditUnavailable as problem:
        _LOG.error("no record of a call that lapsed: %s", problem.message)


async def _cancelled(task: asyncio.Task[Reply]) -> None:
    """Cancel, and wait until the upstream has told its server."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # looked at: what it was no longer matters
