"""Forms: one reading, or none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.idp.errors import OAuthRefused
from gateway.idp.form import MAX_FIELDS, parse_form

KIND = "application/x-www-form-urlencoded"


def test_fields_are_read_once_and_empty_ones_are_none() -> None:
    """RFC 6749 section 3.2: a parameter without a value counts as left out."""
    assert parse_form(f"{KIND}; charset=utf-8", b"a=1&b=%C3%A9+x&c=") == {"a": "1", "b": "é x"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (KIND, b"a=1&a=2"),
        (KIND, b"a=1&a=1"),
        (KIND, b"a"),
        (KIND, b"a=%ff"),
        (KIND, b"a=\xff"),
        (KIND, b"&".join(b"f%d=1" % number for number in range(MAX_FIELDS + 1))),
        ("application/json", b"a=1"),
        ("", b"a=1"),
        ("multipart/form-data", b"a=1"),
    ],
)
def test_refused(kind: str, body: bytes) -> None:
    """In one sentence."""
    with pytest.raises(OAuthRefused) as refused:
        parse_form(kind, body)
    assert refused.value.error == "invalid_request"


@given(st.binary(max_size=300))
def test_whatever_comes_is_a_form_or_a_refusal(body: bytes) -> None:
    """Never an error of another kind."""
    with suppress(OAuthRefused):
        assert all(parse_form(KIND, body).values())
