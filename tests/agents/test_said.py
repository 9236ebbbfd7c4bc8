"""An agent's reason, as anybody may be shown it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.agents.said import MAX_REASON_CHARS, NO_REASON, reason_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Too much: 500.00 USD (limit 100).", "Too much: 500.00 USD (limit 100)."),
        ("  two\r\nlines\t", "two lines"),
        ("<script>alert(1)</script>", "script alert(1) script"),
        ("[click](https://evil.example/x)", "click (https: evil. example x)"),
        ("see www.evil.example", "see www. evil. example"),
        ("*bold* `code` # head | cell", "bold code head cell"),
        ("\u202eevil\u200b \U000e0041", "evil"),
        ("Zahlung an Müller", "Zahlung an Müller"),
        ("", NO_REASON),
        ("<>", NO_REASON),
        ("x" * 5000, "x" * MAX_REASON_CHARS),
    ],
)
def test_a_reason_is_words(text: str, shown: str) -> None:
    """No markup, no link, no second line, nothing invisible, and an end."""
    assert reason_of(text) == shown


@given(st.text())
def test_whatever_it_says(text: str) -> None:
    """One bounded line that holds no character with a meaning elsewhere."""
    shown = reason_of(text)
    assert 0 < len(shown) <= MAX_REASON_CHARS
    assert not set(shown) & set('<>[]{}`*#|\\/@&"=~!')
    assert all(char == " " or unicodedata.category(char)[0] in "LNPS" for char in shown)
