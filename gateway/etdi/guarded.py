"""Asking issuers with a deadline, retries and a breaker each: a silent issuer costs a listing one deadline, not one for
each of its tools."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from gateway import breaker
from gateway.catalog.definition import Definition
from gateway.etdi.errors import TRANSIENT, EtdiCode, NotVerified
from gateway.etdi.retry import NEVER, RetryRules, Sleep, retried
from gateway.etdi.token import Proven, TokenVerifier

BREAKER: Final = breaker.Rules(threshold=5, open_s=5.0)


class GuardedTokens:
    """A :class:`~gateway.etdi.token.TokenVerifier` whose issuers are left alone for a moment once they failed several
    times in a row. ``timeout_s`` is for one definition, retries included. ``monotonic``: seconds."""

    def __init__(
        self,
        tokens: TokenVerifier,
        *,
        timeout_s: float,
        retry: RetryRules = NEVER,
        sleep: Sleep = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._timeout_s = timeout_s
        self._retry = retry
        self._sleep = sleep
        self._monotonic = monotonic
        self._states: dict[str, breaker.Breaker] = {}

    async def verify(self, definition: Definition) -> Proven:
        """See :meth:`TokenVerifier.verify`. :raises NotVerified:"""
        issuer = self._tokens.issuer_of(definition).issuer  # whoever is not trusted gets no state here
        state, admitted = breaker.admit(self._state(issuer), BREAKER, self._monotonic())
        self._states[issuer] = state
        if not admitted:
            raise NotVerified(
                EtdiCode.PROVIDER_UNAVAILABLE, "Token validation error: the provider did not answer before"
            )
        after = breaker.abandoned(state)
        try:
            proven = await self._within_deadline(definition)
        except NotVerified as problem:
            after = self._judged(issuer, failed=problem.code in TRANSIENT)
            raise
        else:
            after = self._judged(issuer, failed=False)
            return proven
        finally:
            self._states[issuer] = after

    async def _within_deadline(self, definition: Definition) -> Proven:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await retried(lambda: self._tokens.verify(definition), self._retry, sleep=self._sleep)
        except TimeoutError:
            raise NotVerified(EtdiCode.TIMEOUT, "Token validation error: no answer in time") from None

    def _state(self, issuer: str) -> breaker.Breaker:
        return self._states.get(issuer, breaker.Breaker())

    def _judged(self, issuer: str, *, failed: bool) -> breaker.Breaker:
        state = self._state(issuer)
        return breaker.failed(state, BREAKER, self._monotonic()) if failed else breaker.succeeded(state)
