"""One party, one spelling; two parties, two."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.paypal.parties import one_spelling, party

ACCOUNT = "6QLBVWNT7LP4E"
ASCII_PART = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="@."), min_size=1, max_size=12
)


@pytest.mark.parametrize(
    ("account_id", "address", "name"),
    [
        (ACCOUNT, "Shop@Example.com", ACCOUNT),
        (None, "Shop@Example.com", "shop@example.com"),
        ("6qlbvwnt7lp4e", "shop@example.com", "shop@example.com"),
        ("somebody else", None, None),
        (7, ["shop@example.com"], None),
        (None, "", None),
    ],
)
def test_the_account_is_the_name_where_it_is_told(account_id: Any, address: Any, name: str | None) -> None:
    """Else the address; else nobody."""
    assert party(account_id, address) == name


@pytest.mark.parametrize(
    "text",
    [
        "John Doe",
        ACCOUNT,
        "a@b@c.example",
        "@example.com",
        "a@",
        "a@.",
        "a b@example.com",
        "a\u200b@example.com",
        "a\n@example.com",
        "a\u202e@example.com",
        "bob\u212a@example.com",
        "x" * 243 + "@example.com",
    ],
)
def test_what_is_no_address_names_nobody(text: str) -> None:
    """A name could be anybody's account id; a Kelvin sign is no K; blanks and controls are in no address."""
    assert one_spelling(text) is None


def test_one_host_has_one_spelling() -> None:
    """With the root's dot and without."""
    assert one_spelling("a@Example.com.") == one_spelling("A@example.com") == "a@example.com"


@given(local=ASCII_PART, domain=ASCII_PART)
def test_case_makes_no_other_party(local: str, domain: str) -> None:
    """However it is typed, it is one payee."""
    address = f"{local}@{domain}.example"
    assert one_spelling(address) == one_spelling(address.upper()) == one_spelling(address.swapcase())


@given(st.text(max_size=40))
def test_nothing_becomes_ascii_that_was_not(text: str) -> None:
    """Full-width letters, dotless i, ligatures: another mailbox stays another payee."""
    found = one_spelling(f"{text}@example.com")
    assert found is None or found.isascii() == text.isascii()


@given(st.text(max_size=40) | st.emails())
def test_a_spelling_is_its_own(text: str) -> None:
    """Applied again it changes nothing, and composed and decomposed text is one."""
    found = one_spelling(text)
    if found is not None:
        assert one_spelling(found) == found
        assert one_spelling(unicodedata.normalize("NFD", text)) in (found, None)


@given(
    st.none() | st.integers() | st.text(max_size=30) | st.lists(st.text(max_size=3)),
    st.none() | st.text(max_size=30),
)
def test_never_raises(account_id: Any, address: Any) -> None:
    """Answers of a target are hostile until they are read."""
    name = party(account_id, address)
    assert name is None or name
