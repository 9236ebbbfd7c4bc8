"""Counts comparisons, keeps a few divergences, and says when the candidate is held. For one thread at a time."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

import msgspec

from gateway.decisions.entry import Kept
from gateway.shadow.comparing import DIRECTIONS, Comparison, Direction
from gateway.shadow.report import Hold, Report, Row, Sample

MAX_ROWS = 500
"""Tools that are counted one by one; servers name their tools, so that there may be any number. The rest is one row."""
SAMPLES_OF_A_KIND = 3
MAX_SAMPLES = 60
MAX_SAMPLE_BYTES = 16 * 1024
"""Of a larger question the arguments are left out: the file is written again and again."""
OTHERS = "(others)"


class _Call(msgspec.Struct, frozen=True):
    server: str = ""


class _Tool(msgspec.Struct, frozen=True):
    name: str = ""


class _About(msgspec.Struct, frozen=True):
    call: _Call = _Call()
    tool: _Tool = _Tool()


_ABOUT = msgspec.json.Decoder(_About)
_Key = tuple[str, str, int | None]


class Tally:
    """``now``: unix seconds. ``held``: a hold from before; it stays for as long as the candidate is the same.

    The candidate is held when more than ``hold_above`` of the last ``hold_after`` questions were answered differently.
    The last ones, since a candidate that was good for a million questions may go wrong today. Nothing lets go of a hold
    but another candidate.
    """

    def __init__(
        self,
        kept: Kept,
        *,
        hold_above: float,
        hold_after: int,
        sample: int,
        now: Callable[[], float],
        held: Hold | None = None,
    ) -> None:
        self._kept = kept
        self._hold_above = hold_above
        self._hold_after = hold_after
        self._sample = sample
        self._now = now
        self._held = held
        self._live = self._candidate = self._engine = ""
        self._begin()

    @property
    def held(self) -> Hold | None:
        """Set while the candidate must not be taken live."""
        return self._held

    def begin(self, live: str, candidate: str, engine: str) -> None:
        """The next comparison is between these revisions. Counts of other ones would say nothing about them.

        ``candidate`` is empty while it has not answered yet.
        """
        if (live, candidate) == (self._live, self._candidate):
            return
        if self._live or self._candidate:
            self._begin()
        self._live, self._candidate, self._engine = live, candidate, engine
        if self._held is not None and candidate and self._held.candidate != candidate:
            self._held = None

    def add(self, document: bytes, found: Comparison) -> Hold | None:
        """Count one; the hold, if this is the question that brought it about.

        :raises ValueError: the question is none.
        """
        about = _ABOUT.decode(document)
        key = (about.call.server, about.tool.name, found.data_class)
        if key not in self._asked and len(self._asked) >= MAX_ROWS:
            key = (OTHERS, OTHERS, None)
        self._asked[key] += 1
        if len(self._last) == self._hold_after:
            self._last_diverged -= self._last[0]
        self._last.append(found.direction is not None)
        if found.direction is not None:
            self._last_diverged += 1
            self._diverged[key, found.direction] += 1
            self._keep(document, key, found, found.direction)
        return self._newly_held()

    def report(self, lost: int) -> Report:
        """As it stands."""
        asked, diverged = self._asked.total(), self._diverged.total()
        rows = [self._row(key, count) for key, count in self._asked.items()]
        rows.sort(key=lambda row: (-sum(row.diverged.values()), -row.asked, row.server, row.tool))
        return Report(
            state="watching" if self._held is None else "held",
            live=self._live,
            candidate=self._candidate,
            engine=self._engine,
            since=self._since,
            updated=self._now(),
            sample=self._sample,
            asked=asked,
            diverged=diverged,
            lost=lost,
            rate=diverged / asked if asked else 0.0,
            hold_above=self._hold_above,
            hold_after=self._hold_after,
            held=self._held,
            rows=tuple(rows),
            samples=tuple(self._samples),
        )

    def _begin(self) -> None:
        self._since = self._now()
        self._asked: Counter[_Key] = Counter()
        self._diverged: Counter[tuple[_Key, Direction]] = Counter()
        self._last: deque[bool] = deque(maxlen=self._hold_after)
        self._last_diverged = 0
        self._samples: list[Sample] = []
        self._of_kind: Counter[tuple[_Key, Direction]] = Counter()

    def _newly_held(self) -> Hold | None:
        asked = len(self._last)
        if (
            self._held is not None
            or asked < self._hold_after
            or self._last_diverged <= self._hold_above * asked
        ):
            return None
        self._held = Hold(
            at=self._now(),
            candidate=self._candidate,
            live=self._live,
            asked=asked,
            diverged=self._last_diverged,
        )
        return self._held

    def _row(self, key: _Key, asked: int) -> Row:
        server, tool, data_class = key
        diverged = {one: self._diverged[key, one] for one in DIRECTIONS if self._diverged[key, one]}
        return Row(server=server, tool=tool, data_class=data_class, asked=asked, diverged=diverged)

    def _keep(self, document: bytes, key: _Key, found: Comparison, direction: Direction) -> None:
        """The first few of each kind. What is laxer always finds room: it is what somebody must see."""
        if self._of_kind[key, direction] >= SAMPLES_OF_A_KIND:
            return
        if len(self._samples) >= MAX_SAMPLES:
            milder = [number for number, one in enumerate(self._samples) if one.direction != "laxer"]
            if direction != "laxer" or not milder:
                return
            del self._samples[milder[0]]
        self._of_kind[key, direction] += 1
        kept = Kept(keep=False, masked={}) if len(document) > MAX_SAMPLE_BYTES else self._kept
        question, arguments = kept.of(msgspec.json.decode(document, type=dict))
        server, tool, data_class = key
        self._samples.append(
            Sample(
                time=self._now(),
                server=server,
                tool=tool,
                data_class=data_class,
                direction=direction,
                before=found.before,
                after=found.after,
                arguments=arguments,
                question=question,
            )
        )
