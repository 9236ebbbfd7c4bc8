"""What a caller has sent, and in vain: counted where it is sent, for the policy (``gateway/usage``).

* A call counts before it leaves: whoever hangs up has called all the same. A later round of a call that its target has
  begun is no second call; what an earlier equal call answers was not sent.
* It fails when the target refuses it or says ``isError``, when nobody knows how it ended, when it is cancelled on its
  way, and when its target asked something that nobody will come back to answer.
* What certainly did not leave is taken back, and has not failed either: that a target is down says nothing about who
  calls it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from gateway.errors import UpstreamUnavailable
from gateway.outcome.consent import Consent
from gateway.outcome.parked import Question
from gateway.policy.question import Asked
from gateway.upstream.target import Effect, Reply


class Counter(Protocol):
    """Counts by caller, server and tool. Never waits, never raises."""

    def sent(self, asked: Asked) -> Callable[[], None]:
        """A call is about to leave. What is returned takes that back."""
        ...

    def failed(self, asked: Asked) -> None:
        """A call that was sent was in vain, as far as anybody knows."""
        ...


async def counted(
    counter: Counter, asked: Asked, consent: Consent, send: Callable[[], Awaitable[Reply | Question]]
) -> Reply | Question:
    """``send()``, counted. Errors pass through."""
    undo = counter.sent(asked) if consent.continuation is None else None
    try:
        reply = await send()
    except UpstreamUnavailable:
        if undo is not None:
            undo()
        raise
    except BaseException:
        counter.failed(asked)
        raise
    if isinstance(reply, Reply) and _in_vain(reply):
        counter.failed(asked)
    return reply


def _in_vain(reply: Reply) -> bool:
    return reply.is_error or reply.error is not None or reply.effect in {Effect.REFUSED, Effect.UNKNOWN}
