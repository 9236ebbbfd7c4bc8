"""The first look refuses the hopeless; passing it proves nothing."""

from __future__ import annotations

import pytest

from gateway.etdi.early import first_look
from gateway.etdi.errors import NotVerified
from tests.support.keys import SigningKey, forge
from tests.support.tool_tokens import ISSUER, NOW, Bench, claims, token, tool


@pytest.mark.parametrize(
    ("jwt", "text"),
    [
        ("", "Invalid token format"),
        ("a.b", "Invalid token format"),
        ("a.b.c.d", "Invalid token format"),
        ("!.b.c", "Invalid token format"),
        (token(exp=int(NOW) - 1), "Token expired"),
        (token(iss=None), "Token validation error: iss is missing or not a string"),
        (forge({"alg": "ES256"}, b"x"), "Token validation error: header or claims are not strict JSON"),
    ],
)
def test_what_is_hopeless(jwt: str, text: str) -> None:
    """R156, with its reasons."""
    with pytest.raises(NotVerified) as problem:
        first_look(jwt.encode(), now=NOW)
    assert problem.value.text == text


async def test_passing_is_never_enough() -> None:
    """C43: the envelope of a forged token is a fine envelope."""
    forged = SigningKey("ES256", "key-1").sign(claims())
    envelope = first_look(forged.encode(), now=NOW)
    assert (envelope.claimed_issuer, envelope.algorithm) == (ISSUER, "ES256")
    assert (await Bench().status(tool(forged)))[0] == "token_invalid"


def test_an_expiry_that_is_none_is_left_to_the_claims() -> None:
    """Unverified claims can refuse, they cannot vouch."""
    for value in ("soon", None, True, 1e400):
        first_look(token(exp=value if value != 1e400 else "1e400").encode(), now=NOW)
