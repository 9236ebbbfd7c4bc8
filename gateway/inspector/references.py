"""A definition that speaks of other tools (tool shadowing). Pure.

Attack: a tool that nobody ever calls tells the model, by its mere presence, how to call somebody else's. Which tools
exist is known from the listing and from other servers; only names of two parts or more count, for ``search`` is a word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

_NAME: Final = re.compile(r"\b[a-z0-9]+(?:[_-][a-z0-9]+)+\b")
_TOKEN: Final = re.compile(r"\w+(?:-\w+)*")
_CAMEL: Final = re.compile(r"\b[a-z]+(?:[A-Z][a-z0-9]+)+\b")
_ORDER: Final = re.compile(
    r"\b(?:must|always|never|instead of|rather than|before|after|whenever|when|do not|don't|avoid|prefer|replace"
    r"|required|ensure|make sure|set|change|modify|override|use this|only|first|every|all|deprecated|broken|unsafe)\b"
)
_STRONG: Final = re.compile(r"\b(?:must|always|never|do not|don't|deprecated|broken|unsafe|every|override)\b")
_SENTENCE: Final = re.compile(r"(?<=[.!?;])\s+|\n+")


def two_parts(name: str) -> bool:
    """Whether a name is one that no sentence holds by chance."""
    return _NAME.fullmatch(name.casefold()) is not None or _CAMEL.fullmatch(name) is not None


def sentences(text: str) -> Iterator[str]:
    """Roughly."""
    return (one for one in _SENTENCE.split(text) if one)


def references_in(
    folded_text: str, *, own: str, listing: Collection[str], elsewhere: Collection[str]
) -> dict[str, str]:
    """Code -> the sentence. ``listing`` and ``elsewhere`` in small letters; ``own`` is the tool's own name."""
    matched: dict[str, str] = {}
    if not listing and not elsewhere:
        return matched
    for sentence in sentences(folded_text):
        named = set(_TOKEN.findall(sentence)) - {own.casefold()}
        here = named.intersection(listing)
        if named.intersection(elsewhere) - here and _ORDER.search(sentence):
            matched.setdefault("CROSS_TOOL_INSTRUCTION", sentence)
        elif here and _STRONG.search(sentence):
            matched.setdefault("MENTIONS_TOOL", sentence)
    return matched
