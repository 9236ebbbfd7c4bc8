"""The table of static tokens."""

import hashlib
import re

import msgspec
import pytest

from gateway.identity.credentials import Secret, parse_authorization
from gateway.identity.errors import CredentialRefused
from gateway.identity.static import (
    STATIC_ISSUER,
    StaticToken,
    StaticTokens,
    hash_static_token,
    mint_static_token,
)
from tests.support.clock import ManualClock


def row(token: str, subject: str = "ci", **more: object) -> StaticToken:
    """A row as the configuration would hold it."""
    return msgspec.convert({"sha256": hash_static_token(token), "subject": subject, **more}, StaticToken)


def test_a_minted_token_has_its_form_and_travels_in_a_header() -> None:
    """`cs_` and 43 URL-safe characters, different each time."""
    first, second = mint_static_token(), mint_static_token()
    assert re.fullmatch(r"cs_[A-Za-z0-9_-]{43}", first)
    assert first != second
    bearer = parse_authorization([b"Bearer " + first.encode()]).bearer
    assert bearer is not None
    assert bearer.expose() == first.encode()


@pytest.mark.parametrize("token", ["", "short", "a" * 23, "a" * 24 + " b", "é" * 30, "a" * 10_000, "=" * 30])
def test_a_weak_or_unusable_token_is_refused_where_it_is_hashed(token: str) -> None:
    """And it is not quoted."""
    with pytest.raises(ValueError, match="a static token") as failed:
        hash_static_token(token)
    assert not token or token not in str(failed.value)


async def test_the_right_token_is_its_row() -> None:
    """Subject, client, roles and scopes come from the table."""
    token = mint_static_token()
    table = StaticTokens([row(token, "alice", client_id="cli", roles=["approver"], scopes=["tools:call"])])
    caller = await table.verify(Secret(token.encode()))
    assert caller is not None
    assert (caller.issuer, caller.subject, caller.client_id) == (STATIC_ISSUER, "alice", "cli")
    assert (caller.roles, caller.scopes) == (("approver",), ("tools:call",))


async def test_every_other_token_is_not_ours() -> None:
    """Also the hash itself: whoever reads the configuration cannot use it."""
    token = mint_static_token()
    table = StaticTokens([row(token)])
    near = token[:-1] + ("A" if token[-1] != "A" else "B")
    for other in (near, token + "A", token.upper(), mint_static_token(), hash_static_token(token), ""):
        assert await table.verify(Secret(other.encode())) is None


async def test_a_token_ends_at_its_expiry() -> None:
    """The second it expires it is expired."""
    clock, token = ManualClock(), mint_static_token()
    table = StaticTokens([row(token, expires=int(clock.now) + 10)], clock=clock)
    assert await table.verify(Secret(token.encode())) is not None
    clock.advance(10)
    with pytest.raises(CredentialRefused) as refused:
        await table.verify(Secret(token.encode()))
    assert refused.value.code == "identity.token_expired"


def test_an_empty_table_cannot_be_made() -> None:
    """It would look like authentication that is switched on."""
    with pytest.raises(ValueError, match="recognises nobody"):
        StaticTokens([])


def test_one_token_cannot_be_two_subjects() -> None:
    """Which one would win is a guess."""
    token = mint_static_token()
    with pytest.raises(ValueError, match="same hash"):
        StaticTokens([row(token, "alice"), row(token, "bob")])


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "cs_this-is-the-token-itself-and-not-its-hash", "subject": "a"},
        {"sha256": hashlib.sha256(b"x").hexdigest().upper(), "subject": "a"},
        {"sha256": hashlib.sha256(b"x").hexdigest(), "subject": ""},
        {"sha256": hashlib.sha256(b"x").hexdigest(), "subject": "a\u202eb"},
        {"sha256": hashlib.sha256(b"x").hexdigest(), "subject": "a", "role": ["typo"]},
    ],
)
def test_a_wrong_row_is_refused_at_start(wrong: dict[str, object]) -> None:
    """A raw token in the configuration, an invisible character, a misspelt member."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, StaticToken)


async def test_a_row_may_be_bound_to_a_key() -> None:
    """The caller is, then; whether the request proves it is not for the table to say."""
    token = mint_static_token()
    table = StaticTokens([row(token, key_thumbprint="x" * 43)])
    caller = await table.verify(Secret(token.encode()))
    assert caller is not None
    assert caller.key_thumbprint == "x" * 43


@pytest.mark.parametrize("thumbprint", ["", "x" * 42, "x" * 44, "x" * 42 + "=", "x" * 42 + "+", "é" * 43])
def test_a_binding_that_is_none_is_refused_at_start(thumbprint: str) -> None:
    """It would fit no key, and the token would be worth nothing; or worse, be taken for an unbound one."""
    with pytest.raises(msgspec.ValidationError, match="key_thumbprint"):
        row(mint_static_token(), key_thumbprint=thumbprint)
