"""A difference in words that a person decides by in ten seconds. Pure.

Everything a server wrote goes through :func:`gateway.outcome.view.visible`: invisible and direction-changing characters
become their code points, look-alike letters are named as such. Of long texts the words that changed are shown, with a
little of what stands around them; what is cut says how long the whole is.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from gateway.catalog.diff import Change, DefinitionDiff, Kind, Subject
from gateway.outcome.lookalike import has_lookalikes
from gateway.outcome.view import visible

MAX_TEXT = 1_000
"""Characters of one value that are shown; a description of more is cut, and says so."""
MAX_WORDS = 2_000
"""Words of a text that are compared one by one; comparing is quadratic at worst."""
MAX_PAIRS = 2_000_000
"""Pairs of words that are compared in one difference, about half a second; beyond, what lies between the first and the
last word that changed is one change. Attack: sixty arguments, each described anew in two thousand words."""
LONG = 60
"""Characters from which a text is compared by its words."""
MAX_PIECE = 4_000
CONTEXT_WORDS = 6
"""Words around a change that are shown with it."""
_WORDS = re.compile(r"\S+\s*|\s+")
_ORDINARY = str.maketrans("\n\r\t", "   ")
"""Descriptions have lines; they are spelt out where they stand, and are no reason to look twice."""
_SIGN = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.NEWLY_REQUIRED: "!"}
GRAVE = frozenset({Subject.PROVIDER, Subject.PERMISSION})


class Piece(msgspec.Struct, frozen=True):
    """A run of a text: ``same``, ``new``, ``old``, or ``gap`` where unchanged words were left out."""

    text: str
    kind: Literal["same", "new", "old", "gap"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One change. ``pieces`` stand in place of ``before`` and ``after`` where words of a long text changed."""

    sign: str
    what: str
    place: str
    before: str | None = None
    after: str | None = None
    pieces: tuple[Piece, ...] = ()
    grave: bool = False
    flags: tuple[str, ...] = ()


def lines_of(difference: DefinitionDiff) -> tuple[Line, ...]:
    """Every change as one line, the gravest first."""
    lines = []
    left = MAX_PAIRS
    for change in difference.changes:
        line, left = _line(change, left)
        lines.append(line)
    return tuple(lines)


def headline(difference: DefinitionDiff | None) -> str:
    """The whole in one sentence: ``1 permission added, 2 arguments changed, description changed``."""
    if difference is None:
        return "what was approved was not kept: look at the whole definition"
    if not difference.changes:
        return "nothing changed"
    counted = Counter((one.subject, one.kind) for one in difference.changes)
    said = ", ".join(_counted(subject, kind, count) for (subject, kind), count in counted.items())
    return f"{said}, and more" if difference.more else said


def told(difference: DefinitionDiff | None) -> tuple[str, ...]:
    """As history keeps it: one plain line a change."""
    if difference is None:
        return ()
    return tuple(plain(line) for line in lines_of(difference))


def plain(line: Line) -> str:
    """One line of text."""
    text = f"{line.sign} {line.what}{f' {line.place}' if line.place else ''}"
    if line.pieces:
        text += ": " + "".join(_plain_piece(piece) for piece in line.pieces)
    elif line.before is not None and line.after is not None:
        text += f": {line.before} -> {line.after}"
    elif line.before is not None or line.after is not None:
        text += f": {line.before if line.after is None else line.after}"
    return text + "".join(f" ({flag})" for flag in line.flags)


def shown(value: Any, limit: int = MAX_TEXT) -> str:
    """Any value as one visible text, cut where it is too long for a person."""
    text = value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()
    made = visible(text)
    if len(made) <= limit:
        return made
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{made[:limit]}… ({len(text)} characters, SHA-256 {digest}…)"


def flags_of(*values: Any) -> tuple[str, ...]:
    """What a reader should look at twice."""
    texts = [text.translate(_ORDINARY) for value in values for text in _texts(value)]
    found = []
    if any(visible(text) != text for text in texts):
        found.append("characters that cannot be seen")
    if any(has_lookalikes(text) for text in texts):
        found.append("look-alike letters")
    return tuple(found)


def _line(change: Change, left: int) -> tuple[Line, int]:
    """The line, and how many pairs of words may be compared for those that follow."""
    what = f"{change.subject.value} {change.kind.value}"
    line = Line(
        sign=_SIGN.get(change.kind, "~"),
        what=what,
        place=shown(change.path, 200),
        grave=change.subject in GRAVE or change.kind is Kind.NEWLY_REQUIRED,
        # Of what was approved before, somebody saw the marks then.
        flags=flags_of(change.path, change.after),
    )
    both = isinstance(change.before, str) and isinstance(change.after, str)
    if both and _long(change.before, change.after):
        pieces, left = _pieces(change.before, change.after, left)
        return msgspec.structs.replace(line, pieces=pieces), left
    before, after = _value(change, change.before), _value(change, change.after)
    return msgspec.structs.replace(line, before=before, after=after), left


def _value(change: Change, value: Any) -> str | None:
    if value is None:
        return None
    if change.subject is Subject.PERMISSION and isinstance(value, dict):
        said = {key: one for key, one in value.items() if key != "name"}
        return shown(said["description"] if said.keys() == {"description"} else said) if said else None
    return shown(value)


def _long(before: str, after: str) -> bool:
    longest = max(len(before), len(after))
    return longest > LONG and max(map(len, (_WORDS.findall(before), _WORDS.findall(after)))) <= MAX_WORDS


def _pieces(before: str, after: str, left: int) -> tuple[tuple[Piece, ...], int]:
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    # What both begin and end with first: in a text that repeats itself the matcher would align other copies.
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    middle = old[start : len(old) - end], new[start : len(new) - end]
    sizes = len(middle[0]), len(middle[1])
    steps: list[tuple[str, int, int, int, int]] = [("replace", 0, sizes[0], 0, sizes[1])]
    if sizes[0] * sizes[1] <= left:
        left -= sizes[0] * sizes[1]
        steps = list(difflib.SequenceMatcher(None, *middle, autojunk=False).get_opcodes())
    found = list(_around(old[:start], first=True, last=False))
    for step, i, j, k, m in steps:
        if step == "equal":
            found += _around(middle[0][i:j], first=False, last=False)
            continue
        if i < j:
            found.append(Piece(shown("".join(middle[0][i:j]), MAX_PIECE), "old"))
        if k < m:
            found.append(Piece(shown("".join(middle[1][k:m]), MAX_PIECE), "new"))
    found += _around(old[len(old) - end :], first=False, last=True)
    return tuple(found), left


def _common(one: list[str], two: list[str]) -> int:
    return next(
        (at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two))
    )


def _around(words: list[str], *, first: bool, last: bool) -> Iterable[Piece]:
    """The unchanged words beside a change; the middle of many is left out."""
    head = [] if first else words[:CONTEXT_WORDS]
    rest = words[len(head) :]
    tail = [] if last else rest[-CONTEXT_WORDS:]
    if len(head) + len(tail) >= len(words):
        if words:
            yield Piece(visible("".join(words)), "same")
        return
    if head:
        yield Piece(visible("".join(head)), "same")
    yield Piece("…", "gap")
    if tail:
        yield Piece(visible("".join(tail)), "same")


def _plain_piece(piece: Piece) -> str:
    match piece.kind:
        case "old":
            return f"[-{piece.text}-]"
        case "new":
            return f"{{+{piece.text}+}}"
        case _:
            return piece.text


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _counted(subject: Subject, kind: Kind, count: int) -> str:
    if subject in (Subject.PERMISSION, Subject.ARGUMENT, Subject.ANNOTATION, Subject.OTHER):
        noun = "other difference" if subject is Subject.OTHER else subject.value
        return f"{count} {noun}{'s' if count > 1 else ''} {kind.value}"
    return f"{subject.value} {kind.value}"
