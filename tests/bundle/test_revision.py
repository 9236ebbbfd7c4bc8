"""A revision says which of two is older, or says nothing about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bundle.revision import MAX_SEQUENCE, revision_text, sequenced

DIGEST = "0123456789abcdef" * 4


@given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True), st.integers(0, MAX_SEQUENCE))
def test_what_was_written_is_read(name: str, sequence: int) -> None:
    """Name and sequence come back."""
    found = sequenced(revision_text(name, sequence, DIGEST))
    assert found is not None
    assert (found.name, found.sequence) == (name, sequence)


@pytest.mark.parametrize(
    "revision",
    [
        "",
        DIGEST,
        "countersign-default-1",
        "unversioned",
        f"small.{DIGEST[:16]}",
        f"small+01.{DIGEST[:16]}",
        f"small+-1.{DIGEST[:16]}",
        f"small+\u0661.{DIGEST[:16]}",
        f"small+9999999999999999.{DIGEST[:16]}",
        f"small+1.{DIGEST[:15]}",
        f"small+1.{DIGEST[:16]}\n",
        f"a=small+1.{DIGEST[:16]};b=small+2.{DIGEST[:16]}",
    ],
)
def test_other_forms_have_no_sequence(revision: str) -> None:
    """They are not guessed at."""
    assert sequenced(revision) is None


@pytest.mark.parametrize(
    ("name", "sequence"), [("", 1), ("A", 1), ("a+1", 1), ("a", -1), ("a", MAX_SEQUENCE + 1)]
)
def test_what_has_no_place_in_it_is_refused(name: str, sequence: int) -> None:
    """Nothing is cut to fit."""
    with pytest.raises(ValueError, match=r"has 1 to 64|is 0 to"):
        revision_text(name, sequence, DIGEST)
