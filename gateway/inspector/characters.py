"""Characters that are not there to be read. Pure.

Let through: flags made of TAG characters (the three that Unicode recommends), a variation selector or joiner inside an
emoji, one ideographic variation selector after an ideograph, joiners and marks inside scripts that need them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from gateway.inspector.content_codes import CONTENT_CODES
from gateway.inspector.finding import Finding, Severity, excerpt, found
from gateway.inspector.texts import Kind, Text
from gateway.outcome.lookalike import has_lookalikes

_FLAGS: Final = re.compile(
    "\U0001f3f4\U000e0067\U000e0062"
    "(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)"
    "\U000e007f"
)
_TAGS: Final = re.compile("[\U000e0000-\U000e007f]+")
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_JOINERS: Final = "\u200c\u200d"
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028\u2029\u2060-\u2065\u206a-\u206f"
    "\u2800\u3164\ufeff\uffa0\ufff9-\ufffb]"
)
_MARKS: Final = "\u200e\u200f\u061c"
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}|[\U000e0100-\U000e01ef]")
_PADDED: Final = re.compile(r"\S(?:[ \t\u00a0\u2000-\u200a\u3000]{60,}+|(?:[ \t]*+\r?\n){12,}+)[ \t]*+\S")
"""Nothing is given back: blanks that end the text are read once, not once for each of them."""
_COMPLEX: Final = frozenset(
    {"ARABIC", "HEBREW", "SYRIAC", "THAANA", "NKO", "DEVANAGARI", "BENGALI", "GUJARATI", "GURMUKHI", "ORIYA"}
    | {"TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "MYANMAR", "KHMER", "MONGOLIAN", "TIBETAN"}
)
"""Scripts in which joiners, or direction marks, are part of ordinary writing."""
_NEAR: Final = 24
"""Characters on both sides in which a script that needs a mark has to stand."""


def check_characters(one: Text) -> list[Finding]:
    """Of one text; at most one finding of each code."""
    text = one.text
    if text.isascii():
        findings = [_of("CONTROL_CHARACTERS", one)] if _CONTROL.search(text) else []
        return [*findings, *_padding(one)]
    visible_flags = _FLAGS.sub("", text)
    findings = []
    tags = _TAGS.findall(visible_flags)
    if tags:
        findings.append(_of("TAG_CHARACTERS", one, hidden=excerpt(_untagged("".join(tags)))))
    if _BIDI.search(text):
        findings.append(_of("BIDI_CONTROL", one))
    if _CONTROL.search(text):
        findings.append(_of("CONTROL_CHARACTERS", one))
    if any(not _belongs(text, match.start()) for match in _INVISIBLE.finditer(text)):
        findings.append(_of("INVISIBLE_CHARACTERS", one))
    if any(not _ideographic(text, match) for match in _SELECTORS.finditer(text)):
        findings.append(_of("VARIATION_SELECTORS", one))
    if any(unicodedata.category(char) in ("Co", "Cn", "Cs") for char in text):
        findings.append(_of("PRIVATE_CHARACTERS", one))
    findings += _padding(one)
    if has_lookalikes(text):
        severity = Severity.MEDIUM if one.kind in (Kind.NAME, Kind.TITLE, Kind.MEMBER) else None
        findings.append(_of("MIXED_SCRIPT", one, severity=severity))
    return findings


def _padding(one: Text) -> list[Finding]:
    return [_of("HIDDEN_BY_SPACE", one)] if _PADDED.search(one.text) else []


def _of(code: str, one: Text, *, severity: Severity | None = None, **details: str) -> Finding:
    return found(
        CONTENT_CODES, code, severity=severity, where=excerpt(one.where), text=excerpt(one.text), **details
    )


def _untagged(tags: str) -> str:
    """TAG characters mirror ASCII, 0xE0000 higher."""
    return "".join(chr(ord(char) - 0xE0000) for char in tags)


def _belongs(text: str, at: int) -> bool:
    char = text[at]
    around = text[max(0, at - _NEAR) : at] + text[at + 1 : at + 1 + _NEAR]
    if char in _JOINERS:
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        return bool(before and after) and (
            (_pictograph(before) and _pictograph(after)) or _script(before) in _COMPLEX
        )
    if char in _MARKS:
        return any(_script(one) in _COMPLEX for one in around)
    if char == "\ufeff":
        return False
    # A soft hyphen is a place to break a word, in a text that people typeset.
    return False


def _pictograph(char: str) -> bool:
    return unicodedata.category(char) in ("So", "Sk") or char == "\ufe0f"


def _script(char: str) -> str:
    return unicodedata.name(char, "").split(" ", 1)[0]


def _ideographic(text: str, match: re.Match[str]) -> bool:
    before = text[match.start() - 1 : match.start()]
    return len(match[0]) == 1 and _script(before).startswith("CJK")
