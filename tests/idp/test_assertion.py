"""``private_key_jwt``: one key, one algorithm, one audience."""

from typing import Any

import pytest

from gateway.idp.assertion import checked_assertion, claimed_client
from gateway.idp.provider import ProviderKey
from gateway.idp.public_key import read_public_key
from tests.support.idp import pem_of
from tests.support.keys import SigningKey, forge

NOW = 1_800_000_000
URL = "https://idp.example"
KEY = SigningKey("ES256", None)
AUDIENCES = frozenset({URL, f"{URL}/token"})


def pinned(key: SigningKey = KEY) -> ProviderKey:
    """The key as a provider has it."""
    kid, algorithm, jwk = read_public_key(pem_of(key.private))
    return ProviderKey(kid=kid, algorithm=algorithm, jwk=jwk, proposed_at=NOW, approved_at=NOW)


PINNED = pinned()
CLAIMS: dict[str, Any] = {"iss": "c", "sub": "c", "aud": URL, "exp": NOW + 60, "iat": NOW, "jti": "one"}


def good(assertion: str, key: ProviderKey = PINNED) -> bool:
    """Whether it holds now."""
    return checked_assertion(assertion, key, client_id="c", audiences=AUDIENCES, now=NOW) is not None


def signed(**changes: Any) -> str:
    """With these claims changed, or left out where None."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return KEY.sign(claims, typ="JWT")


@pytest.mark.parametrize(
    "changes",
    [{}, {"aud": f"{URL}/token"}, {"aud": [URL]}, {"iat": None}, {"nbf": NOW - 1}, {"exp": NOW + 300}],
)
def test_a_good_one(changes: dict[str, Any]) -> None:
    """RFC 7523 section 3."""
    assert good(signed(**changes))
    assert claimed_client(signed(**changes)) == "c"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"sub": "other"},
        {"iss": None},
        {"aud": "https://other.example"},
        {"aud": [URL, "https://other.example"]},
        {"aud": f"{URL}/"},
        {"aud": None},
        {"exp": None},
        {"exp": NOW - 31},
        {"exp": NOW + 10_000},
        {"exp": "soon"},
        {"exp": True},
        {"iat": NOW + 100},
        {"nbf": NOW + 100},
        {"nbf": "later"},
        {"jti": None},
        {"jti": ""},
        {"jti": 1},
        {"jti": "x" * 257},
    ],
)
def test_a_bad_one(changes: dict[str, Any]) -> None:
    """Each claim for itself."""
    assert not good(signed(**changes))


def test_the_header_chooses_nothing() -> None:
    """Neither the key, nor the algorithm, nor the type (RFC 8725 sections 3.1 and 3.11)."""
    another = SigningKey("ES256", None)
    assert not good(another.sign(CLAIMS, typ="JWT"))
    assert not good(another.sign(CLAIMS, typ="JWT", jwk=another.public_jwk()))
    assert not good(another.sign(CLAIMS, typ="JWT", kid=PINNED.kid))
    assert not good(KEY.sign(CLAIMS, typ="JWT", kid="another"))
    assert not good(KEY.sign(CLAIMS, typ="at+jwt"))
    assert not good(KEY.sign(CLAIMS, typ="JWT", crit=["exp"]))
    for algorithm in ("none", "HS256", "ES384"):
        assert not good(forge({"alg": algorithm, "typ": "JWT"}, CLAIMS))
        assert not good(forge({"alg": algorithm, "typ": "JWT"}, CLAIMS, b""))
    assert not good(signed(), pinned(another))


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é", "\ud800", "e30.e30.e30", "." * 9000])
def test_what_is_no_assertion_names_nobody(text: str) -> None:
    """And is no error."""
    assert claimed_client(text) == ""
    assert not good(text)
