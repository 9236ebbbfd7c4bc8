"""Text as a model understands it: what only hides words from a pattern is taken off. Pure.

Attack: ``ign<U+200B>ore``, Cyrillic letters in a Latin word, full-width letters, entities of HTML, letters with a space
between each. Matching is done on the folded text; what is shown is the original.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from typing import Final

_CYRILLIC: Final = (
    "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u04cf\u043e\u0440\u051b\u0455\u051d\u0445\u0443\u04af\u0475"
)
_GREEK: Final = "\u03bf\u03bd\u03c1\u03b1\u03b9\u03ba\u03c5\u03f2\u03f3"
_ARMENIAN: Final = "\u0578\u057d\u0570\u0581\u0585\u0566\u0561\u0563"
_ALIKE: Final = {
    **dict(zip(_CYRILLIC, "acdehijlopqswxyyv", strict=True)),
    **dict(zip(_GREEK, "ovpaikucj", strict=True)),
    **dict(zip(_ARMENIAN, "nuhgoqwq", strict=True)),
    "\u0131": "i",
    "\u0269": "i",
    "\u0251": "a",
    "\u0261": "g",
}
"""Small letters that are drawn like Latin ones."""
_NEARLY: Final = dict(
    zip("\u0432\u043a\u043c\u043d\u0442\u0433\u03c3\u03c4\u03b5\u03b7\u03c7", "bkmhtrotenx", strict=True)
)
"""Those whose capitals are, or that pass among Latin ones only."""
_WHOLE: Final = str.maketrans(_ALIKE)
_CONFUSABLE: Final = str.maketrans({**_ALIKE, **_NEARLY})
_QUOTES: Final = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2010": "-",
        "\u2011": "-",
        "\u2013": "-",
        "\u2014": "-",
    }
)
_EMPHASIS: Final = re.compile(r"[*`]+|(?<!\w)_+|(?<!_)_++(?!\w)|~~")
"""Each run of underscores is looked at once, from its beginning and as a whole. Attack: a run of 64 KiB inside a word,
looked at from each of its characters."""
_SPACED: Final = re.compile(r"(?<!\w)(?:\w[ .\-_]){4,200}\w(?!\w)")
_BLANK: Final = re.compile(r"[ \t\r\f\v]+")
_WORD: Final = re.compile(r"\w+")
_LETTERS: Final = re.compile(r"[^a-z0-9]+")


def folded(text: str) -> str:
    """In small letters, without what cannot be seen; line breaks stay."""
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(char for char in text if char in "\n\t" or not hidden(char))
        text = text.translate(_QUOTES)
    text = text.casefold()
    if not text.isascii():
        text = _words_in_latin(text)
    text = _EMPHASIS.sub("", text)
    text = _SPACED.sub(lambda match: re.sub(r"[ .\-_]", "", match[0]), text)
    return _BLANK.sub(" ", text)


def skeleton(name: str) -> str:
    """What a name looks like at a glance: no case, no separators, one letter for all that are drawn like it."""
    plain = unicodedata.normalize("NFKC", name)
    plain = "".join(char for char in plain if not hidden(char)).casefold().translate(_CONFUSABLE)
    plain = unicodedata.normalize("NFKD", plain)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = plain.translate({ord("0"): "o", ord("1"): "l", ord("|"): "l", ord("5"): "s"})
    return _LETTERS.sub("", plain.replace("rn", "m").replace("vv", "w"))


@lru_cache(maxsize=4096)
def hidden(char: str) -> bool:
    """Format characters, variation selectors, fillers: there, and not to be seen."""
    if char in "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0":
        return True
    point = ord(char)
    if 0xFE00 <= point <= 0xFE0F or 0xE0000 <= point <= 0xE0FFF:
        return True
    return unicodedata.category(char) in ("Cf", "Cc") and char not in "\n\t\r"


def _words_in_latin(text: str) -> str:
    # Word by word: a Russian sentence stays Russian, so that its own patterns match.
    return _WORD.sub(lambda match: _latin_word(match[0]), text)


def _latin_word(word: str) -> str:
    if word.isascii():
        return word
    if any(char.isascii() and char.isalpha() for char in word):
        return word.translate(_CONFUSABLE)
    latin = word.translate(_WHOLE)
    return latin if latin.isascii() else word
