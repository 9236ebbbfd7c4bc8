"""Two answers to one question, compared; many of them, counted. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from gateway.workbench.judging import Judged

EXAMPLES = 3
"""Questions that are kept of each kind of flip."""
_ORDER = {"deny": 0, "handshake": 1, "confirm": 2, "allow": 3}
Direction = Literal["stricter", "laxer", "other reasons"]


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One question whose answer changed."""

    call_id: str
    time: float
    before: Judged
    after: Judged
    question: dict[str, Any]


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """All questions of one tool and caller that changed in the same way."""

    direction: Direction
    tool: str
    data_class: int | None
    caller: str
    before: str
    after: str
    gone: tuple[str, ...]
    new: tuple[str, ...]
    count: int
    examples: tuple[Example, ...]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """The whole. ``partial``: questions of which not all was kept; what depends on their arguments was left out."""

    asked: int
    same: int
    partial: int
    flips: tuple[Flip, ...]

    def of(self, direction: Direction) -> int:
        """Questions that changed this way."""
        return sum(flip.count for flip in self.flips if flip.direction == direction)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One question with both answers. ``whole``: its arguments were kept as they were."""

    question: dict[str, Any]
    before: Judged
    after: Judged
    time: float = 0.0
    data_class: int | None = None
    whole: bool = True


def compared(pairs: Iterable[Pair]) -> Compared:
    """Count and group, the most frequent first within each direction, the laxer ones before all."""
    groups: dict[tuple[Any, ...], list[Any]] = {}
    asked = same = partial = 0
    for pair in pairs:
        asked += 1
        partial += not pair.whole
        before, after = (
            (pair.before, pair.after) if pair.whole else (_of_rest(pair.before), _of_rest(pair.after))
        )
        if before == after:
            same += 1
            continue
        key = (
            direction_of(before, after),
            _text(pair.question, "tool", "name"),
            pair.data_class,
            _text(pair.question, "caller", "subject"),
            before.outcome,
            after.outcome,
            tuple(sorted(set(before.codes) - set(after.codes))),
            tuple(sorted(set(after.codes) - set(before.codes))),
        )
        group = groups.setdefault(key, [0, []])
        group[0] += 1
        if len(group[1]) < EXAMPLES:
            group[1].append(
                Example(
                    call_id=_text(pair.question, "call", "id"),
                    time=pair.time,
                    before=before,
                    after=after,
                    question=pair.question,
                )
            )
    order = ["laxer", "stricter", "other reasons"]
    flips = [_flip(key, count, examples) for key, (count, examples) in groups.items()]
    flips.sort(key=lambda flip: (order.index(flip.direction), -flip.count, flip.tool, flip.caller))
    return Compared(asked=asked, same=same, partial=partial, flips=tuple(flips))


def by_meaning(flips: Iterable[Flip]) -> tuple[Flip, ...]:
    """One line for all tools and callers that change in the same way: for questions that nobody asked yet."""
    groups: dict[tuple[Any, ...], list[Flip]] = {}
    for flip in flips:
        key = (flip.direction, flip.before, flip.after, flip.gone, flip.new)
        groups.setdefault(key, []).append(flip)
    return tuple(
        msgspec.structs.replace(
            group[0],
            tool=", ".join(sorted({flip.tool for flip in group})),
            caller=", ".join(sorted({flip.caller for flip in group})),
            count=sum(flip.count for flip in group),
        )
        for group in groups.values()
    )


def direction_of(before: Judged, after: Judged) -> Direction:
    """An outcome that nobody knows is denied by the gateway, so it ranks with deny."""
    was, is_now = _ORDER.get(before.outcome, 0), _ORDER.get(after.outcome, 0)
    if was == is_now:
        if before.quorum == after.quorum:
            return "other reasons"
        return "laxer" if after.quorum < before.quorum else "stricter"
    return "laxer" if is_now > was else "stricter"


def _of_rest(judged: Judged) -> Judged:
    """Without what the room of the arguments said: the strictest that anything else asks for."""
    asks = tuple((code, outcome) for code, outcome in judged.asks if not code.startswith("arguments."))
    if len(asks) == len(judged.asks):
        return judged
    strictest = min((outcome for _, outcome in asks), key=lambda one: _ORDER.get(one, 0), default="deny")
    return Judged(outcome=strictest, asks=asks, quorum=judged.quorum)


def _flip(key: tuple[Any, ...], count: int, examples: list[Example]) -> Flip:
    direction, tool, data_class, caller, before, after, gone, new = key
    return Flip(
        direction=direction,
        tool=tool,
        data_class=data_class,
        caller=caller,
        before=before,
        after=after,
        gone=gone,
        new=new,
        count=count,
        examples=tuple(examples),
    )


def _text(question: dict[str, Any], *path: str) -> str:
    here: Any = question
    for step in path:
        here = here.get(step) if isinstance(here, dict) else None
    return here if isinstance(here, str) else ""
