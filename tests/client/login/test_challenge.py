"""Challenges of the gateway."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.client.login.challenge import challenges, scopes_of


def test_several_challenges_are_told_apart() -> None:
    """Quoted commas, escaped quotes, several header lines."""
    first, second, third = challenges(
        [
            'Bearer resource_metadata="https://g.example/m?a=1,b", scope="a b"',
            'DPoP algs="ES256 EdDSA", error=use_dpop_nonce',
            'Basic realm="x \\" y"',
        ]
    )
    assert first.scheme == "bearer"
    assert first.parameters["resource_metadata"] == "https://g.example/m?a=1,b"
    assert first.scopes == ("a", "b")
    assert (second.scheme, second.error) == ("dpop", "use_dpop_nonce")
    assert third.parameters == {"realm": 'x " y'}


def test_what_comes_twice_counts_once() -> None:
    """The first one: it is the one that others read too."""
    (only,) = challenges(['Bearer error="invalid_token", error="insufficient_scope"'])
    assert only.error == "invalid_token"


@given(st.lists(st.text(max_size=100), max_size=4))
def test_nothing_breaks_the_reading(values: list[str]) -> None:
    """A hostile gateway gets some challenges or none."""
    for one in challenges(values):
        assert isinstance(one.scopes, tuple)


def test_what_is_no_scope_is_left_out() -> None:
    """It would end the parameter that it is written into."""
    assert scopes_of('a "b" c\\d a e') == ("a", "e")
    assert scopes_of(7) == ()
