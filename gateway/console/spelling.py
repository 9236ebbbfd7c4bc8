"""Marks what deceives the eye in a text that is already made visible (:func:`gateway.outcome.view.visible`). Pure.

Attack: a payee that reads like a known one but is spelt with letters of another alphabet. Such letters are lawful
(names have them), so they are neither removed nor refused; they are marked, and named.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

import msgspec

from gateway.outcome.lookalike import LOOKALIKE, has_lookalikes

MAX_NAMED = 12
"""Different characters named beside one value; a whole sentence in another script needs no list of its letters."""
# The ellipsis is the view's own sign for a cut, and looks like nothing but dots.
_PARTS = re.compile(
    r"(?P<hidden><U\+[0-9A-F]{4,6}>)|(?P<foreign>[^\x00-\x7f…]+)|(?P<plain>[\x00-\x3b\x3d-\x7f…]+|<)"
)


class Piece(msgspec.Struct, frozen=True):
    """A run of one kind: ``hidden`` is a code point shown in place of the character, ``foreign`` is outside ASCII."""

    text: str
    kind: Literal["plain", "foreign", "hidden"]


class Character(msgspec.Struct, frozen=True):
    """A character that deserves a second look, by its Unicode name."""

    code_point: str
    name: str


def pieces(text: str) -> tuple[Piece, ...]:
    """The text in runs; their texts joined are the text."""
    found = []
    for match in _PARTS.finditer(text):
        match match.lastgroup:
            case "hidden":
                found.append(Piece(match.group(), "hidden"))
            case "foreign":
                found.append(Piece(match.group(), "foreign"))
            case _:
                found.append(Piece(match.group(), "plain"))
    return tuple(found)


def unusual(text: str) -> tuple[Character, ...]:
    """The different hidden and foreign characters in order of appearance, at most ``MAX_NAMED``."""
    found: dict[str, Character] = {}
    for piece in pieces(text):
        if piece.kind == "plain":
            continue
        for char in _hidden(piece.text) if piece.kind == "hidden" else piece.text:
            if len(found) == MAX_NAMED:
                return tuple(found.values())
            name = unicodedata.name(char, "a control or unassigned character")
            found.setdefault(char, Character(f"U+{ord(char):04X}", name))
    return tuple(found.values())


def _hidden(mark: str) -> str:
    code_point = int(mark[3:-1], 16)
    # What was typed as <U+FFFFFF> is text that only looks like our mark.
    return chr(code_point) if code_point <= 0x10FFFF else ""


def warnings(text: str, flags: tuple[str, ...]) -> tuple[str, ...]:
    """What a reader should be told about a text with those flags of the view, each thing once.

    The view flags every character outside ASCII as ``not_ascii``, the invisible ones among them.
    """
    kinds = {piece.kind for piece in pieces(text)}
    found = list(flags)
    if "hidden" in kinds and "invisible" not in found:
        found.append("invisible")
    if "foreign" in kinds and "not_ascii" not in found:
        found.append("not_ascii")
    if LOOKALIKE not in found and has_lookalikes(text):
        found.append(LOOKALIKE)
    # Beyond the cut there may be letters that nobody sees here, so there the flag stands.
    if "invisible" in found and "foreign" not in kinds and "cut" not in found:
        found = [flag for flag in found if flag != "not_ascii"]
    if LOOKALIKE in found:  # says the same and more
        found = [LOOKALIKE, *(flag for flag in found if flag not in (LOOKALIKE, "not_ascii"))]
    return tuple(found)
