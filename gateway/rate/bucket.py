"""Token buckets, one for each key, as the generic cell rate algorithm keeps them (ITU-T I.371): one number each.

In this process only. Attack: keys without end, to fill the memory. A bucket that is full again is the same as none and
is dropped; beyond that the oldest go, which forgives somebody and never refuses anybody.
"""

from __future__ import annotations

from collections.abc import Callable

MAX_KEYS = 50_000


class Buckets:
    """``per_minute`` refills, ``burst`` at once. ``monotonic``: seconds of a clock that is never set back."""

    def __init__(
        self, per_minute: float, burst: int, *, monotonic: Callable[[], float], max_keys: int = MAX_KEYS
    ) -> None:
        if per_minute <= 0 or burst < 1:
            raise ValueError("a bucket refills, and holds one or more")
        self._interval = 60.0 / per_minute
        self._span = self._interval * (burst - 1)
        self._monotonic = monotonic
        self._max_keys = max_keys
        self._due: dict[str, float] = {}

    def take(self, key: str) -> float:
        """0.0 where there was one to take; else the seconds until there is. Below a microsecond."""
        now = self._monotonic()
        due = self._due.get(key)
        if due is None:
            if len(self._due) >= self._max_keys:
                self._drop(now)
            due = now
        elif due < now:
            due = now
        wait = due - now - self._span
        if wait > 1e-9:
            return wait
        self._due[key] = due + self._interval
        return 0.0

    def wait(self, key: str) -> float:
        """What :meth:`take` would say. Takes nothing."""
        due = self._due.get(key)
        if due is None:
            return 0.0
        wait = due - self._monotonic() - self._span
        return wait if wait > 1e-9 else 0.0

    @property
    def kept(self) -> int:
        """Keys that are remembered."""
        return len(self._due)

    def _drop(self, now: float) -> None:
        self._due = {key: due for key, due in self._due.items() if due > now}
        for key in list(self._due)[: max(0, len(self._due) - self._max_keys // 2)]:
            del self._due[key]
