"""The seam between a call that leaves and what is written down about it (``gateway/transactions``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from gateway.outcome.consent import Consent
from gateway.outcome.parked import Question
from gateway.policy.decision import Allow, Confirm
from gateway.policy.question import Asked
from gateway.upstream.target import Effect, Reply


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """An equal call was made before, so this one was not sent. ``transaction_id`` is the earlier call's.

    ``result`` is the earlier call's own (masked as its caller was allowed to see it), where it was carried out and its
    result is kept; ``outcome`` None: it is being carried out at this moment.
    """

    transaction_id: str
    outcome: Effect | None
    result: msgspec.Raw | None = None
    result_type: str | None = None


class Earliers(Protocol):
    """Knows what became of equal calls, before this one is put before a person."""

    async def answered(self, asked: Asked, decision: Confirm) -> Earlier | None:
        """The equal call that answers for this one, with its kept result, where the policy says that it does; None:
        somebody has to confirm it. :raises StoreUnavailable:"""
        ...


class Journal(Protocol):
    """Writes down that a call leaves, before it does, and how it ended."""

    async def carried(
        self,
        asked: Asked,
        decision: Allow,
        consent: Consent,
        send: Callable[[], Awaitable[Reply | Question]],
    ) -> Reply | Question | Earlier:
        """Write, ``send()`` at most once, write again. Errors of ``send`` pass through.

        :raises StoreUnavailable: it could not be written down, and nothing was sent.
        :raises TokenRefused: ``transaction.already_begun``: nothing was sent now.
        """
        ...
