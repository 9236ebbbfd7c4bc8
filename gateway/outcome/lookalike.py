"""Finds text that one reads as another: letters of one alphabet that pass for those of another. Pure.

Attack: a payee, an address or a domain with a Cyrillic letter in a Latin word; a whole word of look-alikes;
mathematical or full-width letters; a domain in its ``xn--`` form. Such letters are lawful (names have them), so nothing
is refused: what is found is marked for a person to look at twice.

Method: UTS 39 section 5.1 in short. A word is suspicious if it mixes Latin letters with those of another alphabet, if
it consists of nothing but letters that look Latin and are not, or if its compatibility form (NFKC) is other text.
NOT found: look-alikes inside ASCII (``rn`` for ``m``, ``l`` for ``1``), and words of a script that has few of them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LOOKALIKE = "lookalike"
"""The flag of a text in which something was found."""
_WORD = re.compile(r"[^\W_]+")
_PASS_FOR_LATIN = frozenset(
    # Cyrillic, Greek, Armenian: those of the Unicode confusables table whose prototype is one ASCII letter, and which
    # common typefaces draw alike.
    "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u04cf\u043e\u0440\u051b\u0455\u051d\u0445\u0443\u04af\u0475"
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u050c\u0405\u0422\u051c\u0425\u0423\u04ae"
    "\u03bf\u03bd\u03c1\u03c3\u03b1\u03b9\u03ba\u03c4\u03c5\u03f2\u03f3"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03f9"
    "\u0578\u057d\u0570\u0581\u0585\u0566\u0561\u0563"
)
_LATIN_WITH = frozenset({"HIRAGANA", "KATAKANA", "CJK", "HANGUL", "BOPOMOFO"})
"""Scripts that stand beside Latin in ordinary writing, and look like nothing Latin."""


def has_lookalikes(text: str) -> bool:
    """Whether something in the text should be looked at twice."""
    if text.isascii():
        return "xn--" in text.lower()
    return "xn--" in text.lower() or any(_suspicious(word) for word in _WORD.findall(text))


def _suspicious(word: str) -> bool:
    if word.isascii():
        return False
    letters = [char for char in word if char.isalpha()]
    foreign = [char for char in letters if not char.isascii()]
    if any(unicodedata.normalize("NFKC", char).isascii() for char in word if not char.isascii()):
        return True  # full-width, mathematical, ligatures: other characters for the same letters
    scripts = {_script(char) for char in letters}
    if "LATIN" in scripts and scripts - {"LATIN"} - _LATIN_WITH:
        return True
    # A word of one letter is an ordinary one in Russian or Greek.
    return len(foreign) == len(letters) > 1 and all(char in _PASS_FOR_LATIN for char in foreign)


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    # The standard library has no script property; the first word of a letter's name is its script.
    return unicodedata.name(char, "UNNAMED").split(" ", 1)[0].split("-", 1)[0]
