"""A fence around one server, so that what is wrong with it is nobody else's trouble.

So many calls at a time; a bounded queue for more; and a server that failed several times in a row is not asked for a
moment, except by one call that finds out whether it is back (``gateway/breaker.py``). Whatever ends here was not sent.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from gateway import breaker
from gateway.door.host import NOBODY, Host, can_be_asked
from gateway.errors import UpstreamUnavailable
from gateway.identity.credentials import Secret
from gateway.upstream.slots import Full, Slots
from gateway.upstream.target import About, Effect, Reply, Resumed, Upstream

MAX_WAIT_S: Final = 30.0
"""Seconds in the queue; a host has given up by then."""
RULES: Final = breaker.Rules(threshold=5, open_s=2.0)

_NOT_ITS_FAULT: Final = frozenset(
    {
        "upstream.cannot_resume",
        "upstream.credential",
        "upstream.no_stream",
        "upstream.session_ended",
        "upstream.too_many_sessions",
        "upstream.unauthorized",
    }
)
"""Failures that say nothing about whether the server is there. Attack: a caller whose token cannot be exchanged, or
who brings back a state that was never given out, repeats it, and the server is shut to everybody."""

T = TypeVar("T")


class Guarded:
    """An upstream within its fence; everything of the Protocol goes through to ``inner``.

    Failures are ``UpstreamUnavailable`` and an unknown outcome without any answer; a tool's own error, a refusal and
    a 5xx are answers. ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self,
        inner: Upstream,
        *,
        max_concurrency: int,
        max_queue: int,
        rules: breaker.Rules = RULES,
        max_wait_s: float = MAX_WAIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = inner.name
        self.cancels = inner.cancels
        self._inner = inner
        self._slots = Slots(max_concurrency, queue=max_queue, wait_s=max_wait_s)
        self._rules = rules
        self._state = breaker.Breaker()
        self._clock = clock

    async def about(self) -> About:
        """Takes no slot: it is asked once and remembered, and calls wait for it."""
        return await self._watched(self._inner.about)

    async def definitions(self) -> list[dict[str, Any]]:
        """Takes no slot: one listing is under way at a time, and every call needs it."""
        return await self._watched(self._inner.definitions)

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        transaction_id: str,
        meta: Mapping[str, Any],
        host: Host = NOBODY,
        resumed: Resumed | None = None,
    ) -> Reply:
        """See ``Upstream.call``. :raises UpstreamUnavailable: also ``upstream.busy`` and ``upstream.circuit_open``."""

        def ask(asking: Host) -> Awaitable[Reply]:
            return self._inner.call(
                tool, arguments, transaction_id=transaction_id, meta=meta, host=asking, resumed=resumed
            )

        return await self._in_turn(ask, host)

    async def request(
        self, method: str, params: Mapping[str, Any], *, host: Host = NOBODY, resumed: Resumed | None = None
    ) -> Reply:
        """See ``Upstream.request``. Errors as of :meth:`call`."""
        return await self._in_turn(
            lambda asking: self._inner.request(method, params, host=asking, resumed=resumed), host
        )

    async def tell(self, method: str, params: Mapping[str, Any], *, host: Host) -> None:
        """Nothing is told to a server that is not asked either."""
        if not self._shut():
            await self._inner.tell(method, params, host=host)

    async def listen(self, params: Mapping[str, Any], *, host: Host) -> None:
        """Streams are open for hours and have connections of their own: they take no slot, and prove nothing."""
        if self._shut():
            raise self._circuit_open()
        await self._inner.listen(params, host=host)

    async def forget(self, key: str) -> None:
        """See ``Upstream.forget``."""
        await self._inner.forget(key)

    async def aclose(self) -> None:
        """See ``Upstream.aclose``."""
        await self._inner.aclose()

    async def _in_turn(self, ask: Callable[[Host], Awaitable[Reply]], host: Host) -> Reply:
        if self._shut():
            raise self._circuit_open()
        try:
            await self._slots.take()
        except Full:
            raise UpstreamUnavailable(
                f"The server {self.name!r} has as many calls as it may have; try again later.",
                code="upstream.busy",
            ) from None
        try:
            if not can_be_asked(host):
                return await self._watched(lambda: ask(host))
            asking = _Asking(host, self._slots)
            return await self._watched(lambda: ask(asking), asking)
        finally:
            self._slots.give()

    async def _watched(self, ask: Callable[[], Awaitable[T]], asking: _Asking | None = None) -> T:
        self._state, admitted = breaker.admit(self._state, self._rules, self._clock())
        if not admitted:
            raise self._circuit_open()
        try:
            said = await ask()
        except UpstreamUnavailable as problem:
            if problem.code in _NOT_ITS_FAULT:
                self._state = breaker.abandoned(self._state)
            else:
                self._state = breaker.failed(self._state, self._rules, self._clock())
            raise
        except BaseException:
            self._state = breaker.abandoned(self._state)
            raise
        if not _is_silence(said):
            self._state = breaker.succeeded(self._state)
        elif asking is not None and asking.asked:
            # It was there to ask; what came of that may be the host's doing, and a host must not shut a server.
            self._state = breaker.abandoned(self._state)
        else:
            self._state = breaker.failed(self._state, self._rules, self._clock())
        return said

    def _shut(self) -> bool:
        state = self._state
        if state.opened_at is None:
            return False
        return state.probing or self._clock() - state.opened_at < self._rules.open_s

    def _circuit_open(self) -> UpstreamUnavailable:
        return UpstreamUnavailable(
            f"The server {self.name!r} failed several times in a row and is left alone for a moment.",
            code="upstream.circuit_open",
        )


def _is_silence(said: object) -> bool:
    return (
        isinstance(said, Reply)
        and said.effect is Effect.UNKNOWN
        and said.status is None
        and said.error is None
        and said.result is None
    )


class _Asking:
    """The host of one call, whose slot is others' while it thinks: a person takes minutes, and it is not the server
    that is busy. Without that, a handful of unanswered questions would hold every slot."""

    def __init__(self, host: Host, slots: Slots) -> None:
        self.key = host.key
        self.capabilities = host.capabilities
        self.asks_in_band = host.asks_in_band
        self.subject_token: Secret | None = host.subject_token
        self.asked = False
        self._host = host
        self._slots = slots
        self._thinking = 0

    async def notify(self, message: msgspec.Raw) -> None:
        """See ``Host.notify``."""
        await self._host.notify(message)

    async def ask(self, method: str, params: msgspec.Raw) -> msgspec.Raw:
        """See ``Host.ask``. A server may ask several things at once; the slot is given back once."""
        self.asked = True
        self._thinking += 1
        if self._thinking == 1:
            self._slots.give()
        try:
            return await self._host.ask(method, params)
        finally:
            self._thinking -= 1
            if self._thinking == 0:
                self._slots.retake()
