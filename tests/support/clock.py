"""A clock that moves when a test says so."""

from __future__ import annotations


class ManualClock:
    """Seconds, unix or monotonic. Hand it in wherever a `clock` is asked for."""

    def __init__(self, now: float = 1_795_224_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Time passes; negative: somebody sets the clock back."""
        self.now += seconds
