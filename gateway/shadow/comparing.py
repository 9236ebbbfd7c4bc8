"""The live answer and the candidate's to one question, compared as the gateway would have heard them. Pure.

Both are read by the strict reader of decisions: an answer of the candidate that the gateway would not understand is
compared as the deny that it would become.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.policy.decision import Decision, outcome_of, read_answer
from gateway.policy.engine import Evaluation
from gateway.workbench.flips import direction_of
from gateway.workbench.judging import Judged

Direction = Literal["laxer", "stricter", "other reasons", "other obligations", "no answer"]
DIRECTIONS: tuple[Direction, ...] = ("laxer", "stricter", "no answer", "other obligations", "other reasons")
"""What matters most comes first. ``other obligations``: the same outcome for the same reasons, and something else to do
with it (what is masked, how long a token lives, what counts against a budget)."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One question. ``direction`` is None where both said the same; ``data_class`` is as the live policy sees it."""

    direction: Direction | None
    data_class: int | None
    before: Judged
    after: Judged


def compare(live: Evaluation, candidate: Evaluation) -> Comparison:
    """From the live policy to the candidate: ``laxer`` is a candidate that lets more through."""
    was, is_now = _read(live), _read(candidate)
    before, after = _judged(was), _judged(is_now)
    direction: Direction | None = None
    if before != after:
        direction = direction_of(before, after)
    elif was.obligations != is_now.obligations:
        direction = "other obligations"
    return Comparison(direction=direction, data_class=was.data_class, before=before, after=after)


def unanswered(live: Evaluation, code: str) -> Comparison:
    """The candidate gave no answer, for ``code``: taken live, it would deny."""
    was = _read(live)
    return Comparison(
        direction="no answer",
        data_class=was.data_class,
        before=_judged(was),
        after=Judged(outcome="deny", asks=((code, "deny"),)),
    )


def _read(evaluation: Evaluation) -> Decision:
    return read_answer(
        evaluation.result,
        revision=evaluation.revision,
        decision_id=evaluation.decision_id,
        engine=evaluation.engine,
    )


def _judged(decision: Decision) -> Judged:
    confirm = decision.obligations.confirm
    asks = {(reason.code, reason.outcome.value) for reason in decision.reasons}
    return Judged(
        outcome=outcome_of(decision).value,
        asks=tuple(sorted(asks)),
        quorum=0 if confirm is None else confirm.quorum,
    )
