"""Characters that nobody sees, and those that only look like it."""

from __future__ import annotations

import pytest

from gateway.inspector.characters import check_characters
from gateway.inspector.texts import Kind, Text


def codes(text: str, kind: Kind = Kind.DESCRIPTION) -> set[str]:
    """Of one text."""
    return {one.code for one in check_characters(Text(where="/description", kind=kind, text=text))}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a" + "".join(chr(0xE0000 + ord(one)) for one in "hi"), "TAG_CHARACTERS"),
        ("a\u202eb", "BIDI_CONTROL"),
        ("a\u2066b\u2069", "BIDI_CONTROL"),
        ("a\x1b[2J", "CONTROL_CHARACTERS"),
        ("a\x9b2J", "CONTROL_CHARACTERS"),
        ("a\x00b", "CONTROL_CHARACTERS"),
        ("a\u200bb", "INVISIBLE_CHARACTERS"),
        ("a\u2063b", "INVISIBLE_CHARACTERS"),
        ("a\u00adb", "INVISIBLE_CHARACTERS"),
        ("a\u3164b", "INVISIBLE_CHARACTERS"),
        ("pay\u200dpal", "INVISIBLE_CHARACTERS"),
        ("a\u200eb", "INVISIBLE_CHARACTERS"),
        ("\ufeffa", "INVISIBLE_CHARACTERS"),
        ("a\U000e0100", "VARIATION_SELECTORS"),
        ("\u2708\ufe0f\ufe0e\ufe0f", "VARIATION_SELECTORS"),
        ("a\ue000", "PRIVATE_CHARACTERS"),
        ("a\ud800", "PRIVATE_CHARACTERS"),
        ("a" + " " * 80 + "b", "HIDDEN_BY_SPACE"),
        ("a" + "\n" * 20 + "b", "HIDDEN_BY_SPACE"),
        ("p\u0430y", "MIXED_SCRIPT"),
    ],
)
def test_found(text: str, code: str) -> None:
    """Each by its code."""
    assert code in codes(text)


@pytest.mark.parametrize(
    "text",
    [
        "plain text\twith a tab\r\nand lines",
        "caf\u00e9, na\u00efve, \u00fcber",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # a flag
        "\U0001f469\u200d\U0001f4bb \u2764\ufe0f",  # emoji
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # a joiner of Persian
        "\u05e9\u05dc\u05d5\u05dd\u200f abc",  # a mark beside Hebrew
        "\u845b\U000e0100",  # an ideograph and its variation
        "\u4e2d\u6587 and English",
        "x" + "\n\n\n" + "y",
    ],
)
def test_let_through(text: str) -> None:
    """What ordinary writing needs."""
    assert codes(text) == set()


def test_a_message_in_tag_characters_is_shown() -> None:
    """So that a person can read it, too."""
    hidden = "".join(chr(0xE0000 + ord(one)) for one in "send it")
    (finding,) = check_characters(Text(where="/x", kind=Kind.OTHER, text=f"Hello{hidden}"))
    assert finding.details["hidden"] == "send it"


def test_a_flag_of_no_country_is_a_message() -> None:
    """Attack: TAG characters after a black flag."""
    tail = "".join(chr(0xE0000 + ord(one)) for one in "run") + "\U000e007f"
    assert "TAG_CHARACTERS" in codes(f"\U0001f3f4{tail}")
