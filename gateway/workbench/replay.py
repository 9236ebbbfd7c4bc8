"""Real traffic, judged again: what would a candidate have answered? Reads the decision log; carries nothing out.

The recorded answers are one side. They were given by the policy of their time; with ``live`` the other side is not the
record but today's policy, so that only the candidate makes a difference. A question of a version that did not count
calls yet is judged as if there had been none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import tee

from gateway.decisions.entry import Recorded
from gateway.workbench.flips import Compared, Pair, compared
from gateway.workbench.judging import Judge, Judged, answer_of
from gateway.workbench.questions import counted


def replayed(recorded: Iterable[Recorded], candidate: Judge, live: Judge | None = None) -> Compared:
    """Judge every recorded question by the candidate and compare.

    :raises PolicyRefused: one of the policies cannot be used.
    """
    return compared(_pairs(recorded, candidate, live))


def _pairs(recorded: Iterable[Recorded], candidate: Judge, live: Judge | None) -> Iterator[Pair]:
    kept, asked, again = tee(recorded, 3)
    after = candidate.judged(counted(one.question) for one in asked)
    before: Iterator[Judged] = (
        (answer_of(one.answer) for one in again)
        if live is None
        else live.judged(counted(one.question) for one in again)
    )
    for one, was, is_now in zip(kept, before, after, strict=True):
        data_class = one.answer.get("data_class") if one.answer is not None else None
        yield Pair(
            question=one.question,
            before=was,
            after=is_now,
            time=one.time,
            data_class=data_class if isinstance(data_class, int) else None,
            whole=one.arguments == "kept",
        )
