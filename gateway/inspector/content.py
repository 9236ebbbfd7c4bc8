"""One definition -> what in its words, names and characters a person should look at (R131). Pure.

It reports, and never blocks. How often it is right is measured in ``tests/inspector/corpus``: a definition without a
finding is one in which these checks found nothing, and no more than that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from gateway.inspector.characters import check_characters
from gateway.inspector.content_codes import CONTENT_CODES
from gateway.inspector.finding import Finding, excerpt, found, worst_first
from gateway.inspector.folding import folded
from gateway.inspector.hints import check_hints
from gateway.inspector.instructions import instructions_in
from gateway.inspector.markup import decoded_runs, markup_in
from gateway.inspector.names import KnownNames, check_listing, check_name
from gateway.inspector.references import references_in, two_parts
from gateway.inspector.texts import Kind, Text, Texts, texts_of
from gateway.inspector.values import check_value

MAX_OF_ONE_CODE: Final = 3
"""Findings of one code about one tool; how many more there are, nobody needs to know."""
MAX_LISTING_CHARS: Final = 4 * 1024 * 1024
"""Characters of one listing that are read. Attack: a listing that takes whoever inspects it minutes."""
_READ: Final = 12
"""Characters of a text that is worth matching."""
_NOTHING: Final[frozenset[str]] = frozenset()


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What else there is: names in this listing and at other servers, in small letters, of two parts or more."""

    listing: frozenset[str] = _NOTHING
    elsewhere: frozenset[str] = _NOTHING


def surroundings_of(listing: Collection[str], elsewhere: Collection[str] = ()) -> Surroundings:
    """From names as they are spelt."""
    return Surroundings(
        listing=frozenset(name.casefold() for name in listing if two_parts(name)),
        elsewhere=frozenset(name.casefold() for name in elsewhere if two_parts(name)),
    )


def inspect_content(
    wire: Mapping[str, Any],
    around: Surroundings = Surroundings(),  # noqa: B008 - frozen
) -> tuple[Finding, ...]:
    """The worst first. Never raises for what a definition says."""
    read: Texts = texts_of(wire)
    findings: list[Finding] = [] if read.whole else [found(CONTENT_CODES, "NOT_WHOLLY_INSPECTED")]
    name = wire.get("name")
    own = name if isinstance(name, str) else ""
    if own:
        findings += check_name(own)
    findings += check_hints(wire)
    seen: set[str] = set()
    for one in read.texts:
        findings += check_value(one)
        if one.text in seen:
            continue
        seen.add(one.text)
        findings += check_characters(one)
        if len(one.text) >= _READ:
            findings += _words(one, own, around)
    return _bounded(worst_first(findings))


def inspect_listing(
    wires: Sequence[Mapping[str, Any]], known: KnownNames | None = None
) -> list[tuple[Finding, ...]]:
    """Of each definition, in the order of ``wires``; names are compared with each other and with ``known``."""
    names = [wire["name"] if isinstance(wire.get("name"), str) else "" for wire in wires]
    around = surroundings_of(names, () if known is None else known.names)
    among = check_listing(names)
    made = []
    left = MAX_LISTING_CHARS
    for index, wire in enumerate(wires):
        left -= sum(len(one.text) for one in texts_of(wire).texts) if left > 0 else 0
        content = (
            inspect_content(wire, around) if left > 0 else (found(CONTENT_CODES, "NOT_WHOLLY_INSPECTED"),)
        )
        findings = [*among.get(index, ()), *content]
        if known is not None and names[index]:
            findings += known.check(names[index])
        made.append(worst_first(findings))
    return made


def _words(one: Text, own: str, around: Surroundings) -> list[Finding]:
    text = folded(one.text)
    matched = instructions_in(text)
    if one.kind is not Kind.MEMBER:
        matched |= markup_in(text)
        matched |= references_in(text, own=own, listing=around.listing, elsewhere=around.elsewhere)
    findings = [
        found(CONTENT_CODES, code, where=excerpt(one.where), text=excerpt(words.strip()))
        for code, words in matched.items()
    ]
    for decoded in decoded_runs(one.text):
        inside = instructions_in(folded(decoded))
        findings += [
            found(CONTENT_CODES, code, where=excerpt(one.where), text=excerpt(decoded), because="encoded")
            for code in ("ENCODED_TEXT", *inside)
        ]
    return findings


def _bounded(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    counted: dict[str, int] = {}
    kept = []
    for one in findings:
        counted[one.code] = counted.get(one.code, 0) + 1
        if counted[one.code] <= MAX_OF_ONE_CODE:
            kept.append(one)
    return tuple(kept)
