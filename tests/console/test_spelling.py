"""Marking what deceives the eye."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.console.spelling import MAX_NAMED, Piece, pieces, unusual, warnings
from gateway.outcome.view import visible


@settings(max_examples=200)
@given(st.text())
def test_no_character_is_lost_or_added(text: str) -> None:
    """The pieces joined are the text."""
    assert "".join(piece.text for piece in pieces(text)) == text


@settings(max_examples=200)
@given(st.text())
def test_everything_outside_ascii_is_marked(text: str) -> None:
    """No foreign letter hides in a plain piece, and no plain letter is marked as foreign."""
    for piece in pieces(visible(text)):
        assert piece.kind == "foreign" or piece.text.replace("…", "").isascii()
        assert piece.kind != "foreign" or not any(char.isascii() for char in piece.text)


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_naming_never_fails_and_is_bounded(text: str) -> None:
    """Whatever is in the text, at most a dozen characters are named."""
    assert len(unusual(visible(text))) <= MAX_NAMED


def test_a_look_alike_is_named() -> None:
    """A Cyrillic letter among Latin ones."""
    [one] = unusual("p\u0430ypal")
    assert (one.code_point, one.name) == ("U+0430", "CYRILLIC SMALL LETTER A")


def test_a_hidden_character_is_named() -> None:
    """As the view shows it."""
    assert pieces(visible("a\u202eb")) == (
        Piece("a", "plain"),
        Piece("<U+202E>", "hidden"),
        Piece("b", "plain"),
    )
    assert unusual(visible("a\u202eb"))[0].name == "RIGHT-TO-LEFT OVERRIDE"


def test_a_mark_of_no_character_is_text() -> None:
    """Typed by somebody who knows our notation."""
    assert unusual("<U+FFFFFF>") == ()


@pytest.mark.parametrize(
    ("text", "flags", "told"),
    [
        ("plain", (), ()),
        ("M\u00fcller", (), ("not_ascii",)),
        ("p\u0430y", (), ("lookalike",)),
        ("p\u0430y", ("not_ascii", "lookalike"), ("lookalike",)),
        ("a<U+202E>b", (), ("invisible",)),
        ("a<U+202E>b", ("invisible", "not_ascii"), ("invisible",)),
        ("\u0430<U+202E>", ("invisible", "not_ascii"), ("invisible", "not_ascii")),
        ("a<U+202E>… (900 characters)", ("invisible", "not_ascii", "cut"), ("invisible", "not_ascii", "cut")),
        ("… (900 characters)", ("not_ascii", "cut"), ("not_ascii", "cut")),
        ("plain", ("something_new",), ("something_new",)),
    ],
)
def test_a_reader_is_told_each_thing_once(text: str, flags: tuple[str, ...], told: tuple[str, ...]) -> None:
    """What the view flagged, what the eye would miss, and nothing that is not there."""
    assert warnings(text, flags) == told
