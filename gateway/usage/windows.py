"""How often within the last ten minutes, hour and day: an estimate from two fixed windows of each. Pure.

The window of the clock before this one counts with the share of it that is still within reach, rounded up: after 40
calls in the hour before, a quarter into this one, 30 and what came since. So a number is never below what this window
of the clock holds, and never above what both hold. The price of keeping two numbers: whoever knows where the windows
begin, and asks at the right moments, has less than twice a limit within one length of the window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.policy.question import Often, Within

WINDOWS: Mapping[str, int] = {"ten_minutes": 600, "hour": 3600, "day": 86400}
"""Seconds of each window that the policy knows. The shortest divides the others: while it does not turn, none does."""
SHORTEST_S = min(WINDOWS.values())


class Tally:
    """One number of one fixed window. ``here``: what this process counted; ``settled``: how much of that the store has;
    ``elsewhere``: what it has of others; ``heard``: whether it was asked since the window began, and since it ended."""

    __slots__ = ("elsewhere", "heard", "here", "settled")

    def __init__(self) -> None:
        self.here = 0
        self.settled = 0
        self.elsewhere = 0
        self.heard = False

    @property
    def owed(self) -> int:
        """What the store has not been told; below 0 where something was taken back."""
        return self.here - self.settled

    def told(self, owed: int, total: int) -> None:
        """The store was told so much, and has this in all: less than ours where it lost its numbers."""
        self.settled += owed
        self.elsewhere = max(0, total - self.settled)
        self.heard = True


class Window:
    """One window that slides, over two that do not. ``now`` is whole unix seconds."""

    __slots__ = ("current", "index", "previous", "seconds")

    def __init__(self, seconds: int, now: int) -> None:
        self.seconds = seconds
        self.index = now // seconds
        self.current = Tally()
        self.previous = Tally()

    def turn(self, now: int) -> None:
        """Be at this time. A clock that was set back by less than a window finds what it left; by more, and what was
        counted in a time that has yet to come is forgotten, or it would count until then."""
        index = now // self.seconds
        if self.index - 1 <= index <= self.index:
            return
        self.previous = self.current if index == self.index + 1 else Tally()
        self.previous.heard = False
        self.current = Tally()
        self.index = index

    def estimate(self, now: int) -> int:
        """How many within the last ``seconds``, at the time that it was turned to."""
        left = self.seconds - max(0, now - self.index * self.seconds)
        before, current = self.previous, self.current
        share = -(-(before.here + before.elsewhere) * left // self.seconds)
        return share + current.here + current.elsewhere

    def tallies(self) -> Iterator[tuple[int, Tally]]:
        """Both, with the number of their fixed window since 1970."""
        yield self.index, self.current
        yield self.index - 1, self.previous


class Tallies:
    """What one caller did with one tool. ``heard``: the store was asked about every number, as far as it has to be."""

    __slots__ = ("_turned", "calls", "failures", "heard")

    def __init__(self, now: int) -> None:
        self._turned = now // SHORTEST_S
        self.calls = tuple(Window(seconds, now) for seconds in WINDOWS.values())
        self.failures = tuple(Window(seconds, now) for seconds in WINDOWS.values())
        self.heard = False

    def turn(self, now: int) -> None:
        """Be at this time."""
        turned = now // SHORTEST_S
        if turned == self._turned:
            return
        self._turned = turned
        self.heard = False
        for window in (*self.calls, *self.failures):
            window.turn(now)

    def often(self, now: int, *, less: int = 0) -> Often:
        """The facts for the policy, ``less`` calls that are not to be counted, at the time that it was turned to."""
        return Often(
            calls=Within(*[max(0, window.estimate(now) - less) for window in self.calls]),
            failures=Within(*[window.estimate(now) for window in self.failures]),
        )
