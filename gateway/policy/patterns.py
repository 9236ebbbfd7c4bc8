"""Which patterns ``arguments/data.yaml`` may hold: those that both engines read alike, and match in linear time.

OPA matches with RE2 (Go). rego-cpp has ``std::regex``: it backtracks, which takes exponential time where a character
can be matched in two ways, and it needs stack for each character of an unbounded repetition (a segmentation fault at
some 25 000). Texts also reach it with quotes, backslashes and control characters escaped, and as bytes. So::

    pattern   ^ item… $           item   atom repetition?  |  ( item… )  |  ( item… )?     no group inside a group
    atom      a letter, digit or other printable ASCII character; \\ and punctuation; [ characters and ranges ]
    repetition  ?  *  +  {n}  {n,}  {n,m}, none over 1000

and whatever may come next at any place must be told apart by its next character (the pattern is one-unambiguous, XML
1.0 appendix E): then a matcher that backtracks has nothing to try again. Repetitions without a limit need a length.
``policies/checks/patterns`` says the same in Rego; ``tests/policy/patterns.yaml`` holds the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final, NamedTuple

MAX_REPETITIONS: Final = 1000
"""RE2 takes no more; rego-cpp copies what is repeated."""
MAX_UNBOUNDED_CHARS: Final = 2048
"""Characters of a value under ``*``, ``+`` or ``{n,}``: an eighth of what fits on a thread's stack of 8 MiB."""
_PRINTABLE: Final = frozenset(map(chr, range(0x20, 0x7F)))
_SPECIAL: Final = frozenset('^$.|?*+()[]{}\\"')
_PUNCTUATION: Final = frozenset("^$.|?*+()[]{}-/")
"""What a backslash may stand before: the same on both sides, and never a class of characters."""
_REPETITION: Final = re.compile(r"\{(0|[1-9][0-9]{0,3})(,(0|[1-9][0-9]{0,3})?)?\}")


class PatternRefused(ValueError):
    """The text says what is wrong, and where."""


class Item(NamedTuple):
    """One atom. ``group``: 0 outside of all; ``most``: None where there is no limit."""

    chars: frozenset[str]
    least: int
    most: int | None
    group: int


class Parsed(NamedTuple):
    """A pattern: its atoms in order, and which groups may be left out."""

    items: list[Item]
    optional: set[int]


def check_rules(rules: object) -> None:
    """All rules of ``arguments/data.yaml``. :raises PatternRefused: naming tool, pointer and what is wrong."""
    for tool, rule, where in _each(rules):
        try:
            check_rule(rule)
        except PatternRefused as problem:
            raise PatternRefused(f"{tool}: {where}: {problem}") from None


def check_rule(rule: Mapping[str, Any]) -> None:
    """One rule. :raises PatternRefused:"""
    pattern, longest = rule.get("pattern"), rule.get("max_length")
    if pattern is None:
        if longest is not None:
            # rego-cpp counts the escapes; only a pattern says that there are none.
            raise PatternRefused("max_length without a pattern")
        return
    if not isinstance(pattern, str):
        raise PatternRefused("the pattern is no text")
    unbounded = check_pattern(pattern)
    if unbounded and not (isinstance(longest, int) and longest <= MAX_UNBOUNDED_CHARS):
        raise PatternRefused(
            f"a repetition without a limit needs a max_length of at most {MAX_UNBOUNDED_CHARS}"
        )


def check_pattern(pattern: str) -> bool:
    """Whether it repeats something without a limit. :raises PatternRefused:"""
    items, optional = parsed(pattern)
    for at in range(-1, len(items)):
        following = list(_following(items, optional, at))
        for one, two in combinations(following, 2):
            both = items[one].chars & items[two].chars
            if both:
                raise PatternRefused(f"{min(both)!r} can be matched in two ways")
    return any(item.most is None for item in items)


def parsed(pattern: str) -> Parsed:
    """Its atoms. :raises PatternRefused: it has something else than those."""
    if len(pattern) < 2 or pattern[0] != "^" or pattern[-1] != "$":
        raise PatternRefused("not from ^ to $")
    return _Reader(pattern).read()


def _each(rules: object) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    for tool, pointers in rules.items() if isinstance(rules, Mapping) else ():
        for where, rule in pointers.items() if isinstance(pointers, Mapping) else ():
            if isinstance(rule, Mapping):
                yield str(tool), rule, str(where)


def _following(items: list[Item], optional: set[int], at: int) -> Iterator[int]:
    """Which items may match the next character, once ``at`` (-1: nothing yet) has matched one."""
    if at >= 0 and items[at].most != 1:
        yield at
    here = items[at].group if at >= 0 else 0
    for later in range(at + 1, len(items)):
        skipped = items[at + 1 : later]
        there = items[later].group
        if all(_may_skip(one, here, there, optional) for one in skipped):
            yield later


def _may_skip(item: Item, here: int, there: int, optional: set[int]) -> bool:
    """A group that was not begun is skipped as a whole, if at all."""
    begun = item.group in (here, there)
    return item.least == 0 or (item.group in optional and not begun)


class _Reader:
    """One pass over the pattern."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern[1:-1]
        self._at = 0

    def read(self) -> Parsed:
        """All of it. :raises PatternRefused:"""
        items: list[Item] = []
        optional: set[int] = set()
        group = groups = 0
        began = 0
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "(" and not group:
                groups += 1
                group, began = groups, len(items)
                self._at += 1
            elif char == ")" and group:
                if len(items) == began:
                    raise self._refused("an empty group")
                self._at += 1
                if self._took("?"):
                    optional.add(group)
                elif self._at < len(self._text) and self._text[self._at] in "*+{":
                    raise self._refused("a group that is repeated")
                group = 0
            else:
                chars = self._atom()
                least, most = self._repetition()
                items.append(Item(chars, least, most, group))
        if group:
            raise self._refused("a group without an end")
        return Parsed(items, optional)

    def _took(self, char: str) -> bool:
        found = self._text.startswith(char, self._at)
        self._at += found
        return found

    def _atom(self) -> frozenset[str]:
        char = self._text[self._at]
        if char == "[":
            self._at += 1
            return self._class()
        if char == "\\":
            return frozenset(self._escaped())
        if char not in _PRINTABLE or char in _SPECIAL:
            raise self._refused(f"{char!r} is not for patterns")
        self._at += 1
        return frozenset(char)

    def _escaped(self) -> str:
        char = self._text[self._at + 1 : self._at + 2]
        if char not in _PUNCTUATION or not char:
            raise self._refused(f"a backslash before {char!r}")
        self._at += 2
        return char

    def _class(self) -> frozenset[str]:
        found: set[str] = set()
        first = True
        while not self._took("]"):
            low, plain = self._member(first=first)
            first = False
            # A hyphen at the end of the class is itself.
            if self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at):
                self._at += 1
                high, also = self._member(first=False)
                if not (plain and also) or high < low:
                    raise self._refused("a range without a beginning and an end")
                found.update(map(chr, range(ord(low), ord(high) + 1)))
            else:
                found.add(low)
        if not found or found & {"\\", '"'}:
            raise self._refused("a class that is empty, or holds a quote or a backslash")
        return frozenset(found)

    def _member(self, *, first: bool) -> tuple[str, bool]:
        """A character of a class, and whether a range may begin or end with it."""
        if self._at >= len(self._text):
            raise self._refused("a class without an end")
        char = self._text[self._at]
        if char == "\\":
            return self._escaped(), True
        # `[^`, `[]`, `[[:`, `&&` and `--` mean different things to different readers.
        doubled = self._text.startswith(("&&", "--", "~~", "||"), self._at)
        inside = char == "-" and not first and not self._text.startswith("-]", self._at)
        if char not in _PRINTABLE or char in '[]^"' or doubled or inside:
            raise self._refused(f"{char!r} in a class")
        self._at += 1
        return char, char != "-"

    def _repetition(self) -> tuple[int, int | None]:
        """How often the atom stands there. A second repetition (``a++``, ``a*?``) is refused by what comes next."""
        if self._took("?"):
            return 0, 1
        if self._took("*"):
            return 0, None
        if self._took("+"):
            return 1, None
        found = _REPETITION.match(self._text, self._at)
        if found is None:
            return 1, 1
        self._at = found.end()
        least = int(found[1])
        most = least if found[2] is None else int(found[3]) if found[3] else None
        if (
            most == 0
            or least > MAX_REPETITIONS
            or (most is not None and not least <= most <= MAX_REPETITIONS)
        ):
            raise self._refused("a repetition of that kind")
        return least, most

    def _refused(self, what: str) -> PatternRefused:
        return PatternRefused(f"{what}, at character {self._at + 1}")
