"""How often, and after which waits, a failed question is asked again (LLD-A 10.2, C52)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from gateway.etdi.errors import TRANSIENT, EtdiCode, NotVerified

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


class RetryRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Waits are ``initial_delay_s``, then each ``backoff_factor`` times the one before, ``max_delay_s`` at most.
    ``retryable``: codes besides the transient ones, which always are."""

    max_retries: Annotated[int, Meta(ge=0, le=10)] = 2
    initial_delay_s: Annotated[float, Meta(ge=0, le=10)] = 0.1
    max_delay_s: Annotated[float, Meta(ge=0, le=60)] = 1.0
    backoff_factor: Annotated[float, Meta(ge=1, le=10)] = 2.0
    retryable: tuple[EtdiCode, ...] = ()

    def delays(self) -> Iterator[float]:
        """One for each retry."""
        delay = self.initial_delay_s
        for _ in range(self.max_retries):
            yield min(delay, self.max_delay_s)
            delay *= self.backoff_factor

    def again(self, code: EtdiCode) -> bool:
        """Whether asking again could help."""
        return code in TRANSIENT or code in self.retryable


NEVER: Final = RetryRules(max_retries=0)


async def retried(
    operation: Callable[[], Awaitable[T]], rules: RetryRules, *, sleep: Sleep = asyncio.sleep
) -> T:
    """What ``operation`` returns, the last time at the latest. :raises NotVerified: its own, when retries are over, or
    at once where asking again cannot help."""
    for delay in rules.delays():
        try:
            return await operation()
        except NotVerified as problem:
            if not rules.again(problem.code):
                raise
        await sleep(delay)
    return await operation()
