"""Journals for tests of other rooms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.outcome.consent import Consent
from gateway.outcome.journal import Earlier
from gateway.outcome.parked import Question
from gateway.policy.decision import Allow
from gateway.policy.question import Asked
from gateway.upstream.target import Reply


class NoJournal:
    """See ``gateway.outcome.journal.Journal``: writes nothing down. What is written has its own tests."""

    async def carried(
        self,
        asked: Asked,
        decision: Allow,
        consent: Consent,
        send: Callable[[], Awaitable[Reply | Question]],
    ) -> Reply | Question | Earlier:
        """Send it."""
        return await send()
