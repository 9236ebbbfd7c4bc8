"""A matcher that backtracks as ``std::regex`` does, counts its steps, and has a stack of its own: the worst that an
engine could do with a pattern. Steps are comparisons of one character."""

from __future__ import annotations

from typing import NamedTuple

from gateway.policy.patterns import parsed

_ENTER = -1


class Matched(NamedTuple):
    """Whether it matches, and after how many comparisons."""

    matches: bool
    steps: int


def match(pattern: str, text: str, *, limit: int) -> Matched:
    """The whole text against a pattern. Gives up after ``limit`` steps, as a caller would."""
    items, optional = parsed(pattern)
    last_of = {group: max(at for at, one in enumerate(items) if one.group == group) for group in optional}
    steps = 0
    # (atom, how often it has matched or _ENTER, place in the text); the last one put here is tried first.
    waiting = [(0, _ENTER, 0)]
    while waiting and steps < limit:
        at, count, place = waiting.pop()
        if at == len(items):
            if place == len(text):
                return Matched(True, steps)
            continue
        item = items[at]
        if count == _ENTER:
            begins = item.group in optional and (at == 0 or items[at - 1].group != item.group)
            if begins:
                waiting.append((last_of[item.group] + 1, _ENTER, place))
            count = 0
        if count >= item.least:
            waiting.append((at + 1, _ENTER, place))
        if item.most is None or count < item.most:
            steps += 1
            if place < len(text) and text[place] in item.chars:
                waiting.append((at, count + 1, place + 1))
    return Matched(False, steps)
