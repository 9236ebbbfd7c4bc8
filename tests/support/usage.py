"""Counters for tests of other rooms."""

from __future__ import annotations

from collections.abc import Callable

from gateway.policy.question import Asked, Often


class NothingCounted:
    """Nobody ever called anything, and nobody will have. What is counted has its own tests."""

    def often(self, asked: Asked, *, begun: bool) -> Often:
        """See ``gateway.policy.policy.UsageFacts``."""
        return Often()

    def sent(self, asked: Asked) -> Callable[[], None]:
        """See ``gateway.outcome.counting.Counter``."""
        return _nothing

    def failed(self, asked: Asked) -> None:
        """See ``gateway.outcome.counting.Counter``."""


def _nothing() -> None:
    pass
