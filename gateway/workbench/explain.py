"""One question, explained: who said what, which of it decided, and what would have to be different.

The same question is asked again with one thing changed, then with two, and with three, until the policy allows: what is
reported is the policy's own answer to a question, never a guess about its rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import msgspec

from gateway.policy.decision import Obligations, Outcome
from gateway.policy.engine import Engine, Entrypoint
from gateway.workbench.changes import Change, changes
from gateway.workbench.pack import Pack
from gateway.workbench.questions import Document

MAX_CHANGED = 4
"""Things that are changed at once. What needs more is another call."""
MAX_ASKED = 600
"""Questions of one explanation: some seconds on the slowest engine."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the policy."""

    outcome: Outcome
    codes: tuple[str, ...]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One reason. ``decides``: the outcome is this reason's. ``rule`` and ``at`` name the rule that says it."""

    code: str
    outcome: Outcome
    message: str
    remedy: str
    decides: bool
    rule: str = ""
    at: tuple[str, ...] = ()


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """If all of ``changed`` were so, the outcome would be this; ``gone``: what would not be said any more."""

    changed: tuple[str, ...]
    outcome: Outcome
    gone: tuple[str, ...] = ()


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy answers, and what it would answer. ``path`` is the least that leads to allow; None: nothing
    that was tried does."""

    outcome: Outcome
    data_class: int | None
    tier: str | None
    phase: str | None
    would_be: Outcome | None
    obligations: Obligations
    reasons: tuple[Told, ...]
    alone: tuple[Difference, ...]
    path: Difference | None
    revision: str
    engine: str


class _Reason(msgspec.Struct):
    code: str
    outcome: Outcome
    message: str
    remedy: str


class _Answer(msgspec.Struct):
    outcome: Outcome
    reasons: tuple[_Reason, ...]
    data_class: int | None = None
    tier: str | None = None
    phase: str | None = None
    would_be: Outcome | None = None
    obligations: Obligations = Obligations()


async def explain(question: Document, engine: Engine, pack: Pack) -> Explanation:
    """Ask, and ask around. ``pack`` is the policy that the engine has.

    :raises PolicyUnavailable: the engine gives no answer to the question itself.
    :raises msgspec.ValidationError: the answer is none of this project's policies.
    """
    evaluation = await engine.evaluate(Entrypoint.DECISION, msgspec.json.encode(question))
    answer = msgspec.json.decode(evaluation.result or b"null", type=_Answer)
    heard = Heard(outcome=answer.outcome, codes=tuple(one.code for one in answer.reasons))
    possible = changes(question, pack.data)
    alone: list[Difference] = []
    path: Difference | None = None
    if answer.outcome is not Outcome.ALLOW:
        alone, path = await _around(question, heard, possible, engine)
    return Explanation(
        outcome=answer.outcome,
        data_class=answer.data_class,
        tier=answer.tier,
        phase=answer.phase,
        would_be=answer.would_be,
        obligations=answer.obligations,
        reasons=tuple(_told(one, answer.outcome, pack) for one in _strictest_first(answer.reasons)),
        alone=tuple(alone),
        path=path,
        revision=evaluation.revision,
        engine=evaluation.engine,
    )


async def _around(
    question: Document, heard: Heard, possible: Sequence[Change], engine: Engine
) -> tuple[list[Difference], Difference | None]:
    alone: list[Difference] = []
    asked = 0
    helps: list[Change] = []
    told: dict[str, list[tuple[Outcome, tuple[str, ...]]]] = {}
    for change in possible:
        other = await _heard(change.made(question), engine)
        asked += 1
        gone = tuple(code for code in heard.codes if code not in other.codes)
        if gone or other.outcome is not heard.outcome:
            helps.append(change)
            same = [one for one in told.get(change.about, ()) if one == (other.outcome, gone)]
            told.setdefault(change.about, []).append((other.outcome, gone))
            if same:
                continue  # more of it changes no more
            alone.append(Difference(changed=(change.says,), outcome=other.outcome, gone=gone))
    for together in _sets(helps):
        if asked >= MAX_ASKED:
            break
        changed = question
        for change in together:
            changed = change.made(changed)
        other = await _heard(changed, engine)
        asked += 1
        if other.outcome is Outcome.ALLOW:
            return alone, Difference(
                changed=tuple(change.says for change in together),
                outcome=other.outcome,
                gone=tuple(code for code in heard.codes if code not in other.codes),
            )
    return alone, None


def _sets(possible: Sequence[Change]) -> Iterator[tuple[Change, ...]]:
    """The smaller ones first."""
    for size in range(1, MAX_CHANGED + 1):
        for together in combinations(possible, size):
            if len({change.about for change in together}) == size:
                yield together


async def _heard(question: Document, engine: Engine) -> Heard:
    evaluation = await engine.evaluate(Entrypoint.DECISION, msgspec.json.encode(question))
    answer = msgspec.json.decode(evaluation.result or b"null", type=_Answer)
    return Heard(outcome=answer.outcome, codes=tuple(one.code for one in answer.reasons))


def _strictest_first(reasons: Sequence[_Reason]) -> list[_Reason]:
    order = list(Outcome)
    return sorted(reasons, key=lambda one: (order.index(one.outcome), one.code))


def _told(reason: _Reason, outcome: Outcome, pack: Pack) -> Told:
    places = pack.said.get(reason.code, ())
    rule = next((place.rule for place in places if place.rule is not None), None)
    return Told(
        code=reason.code,
        outcome=reason.outcome,
        message=reason.message,
        remedy=reason.remedy,
        decides=reason.outcome is outcome,
        rule="" if rule is None else rule.title,
        at=tuple(f"{place.module}:{place.line}" for place in places),
    )
