"""When a server that died may be started again. Pure: the clock is given."""

from __future__ import annotations

FIRST_DELAY_S, LAST_DELAY_S = 0.5, 30.0
"""Seconds before the start after a second failure in a row; doubled from there, and never more than the last."""
STEADY_S = 30.0
"""Seconds after which a server that ran is not taken for one that fails at once."""


class Backoff:
    """The first restart is immediate, each further one in a row waits longer. Nobody waits in line meanwhile."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until the next start is allowed; 0: now."""
        return max(0.0, self._until - now)

    def failed(self, now: float, *, lived_s: float) -> None:
        """It ended, or did not come up."""
        self._failures = 1 if lived_s >= STEADY_S else self._failures + 1
        if self._failures > 1:
            # The exponent is bounded, too: after a night of failures it would not fit into a float.
            self._until = now + min(FIRST_DELAY_S * 2 ** min(self._failures - 2, 10), LAST_DELAY_S)
