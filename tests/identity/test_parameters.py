"""Signed parameters: which key counts for whom. Forgeries: ``attacks/test_forged_parameters_proof.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.identity.caller import Caller, Proof
from gateway.identity.credentials import Credentials, Secret
from gateway.identity.jwk import jwk_thumbprint
from gateway.identity.parameters import TYP, CallerKey, ParameterProofs
from gateway.state.open import open_store
from tests.support.keys import b64url, signing_key
from tests.support.oauth import ath

NOW = 1_795_224_000.0
KEY = signing_key("EdDSA", "k1")
HASH = "ab" * 32
GOOD, BAD = Proof(present=True, valid=True), Proof(present=True, valid=False)


def signed(jti: str) -> str:
    """A proof with the key in its header."""
    made = {
        "jti": jti,
        "iat": int(NOW),
        "tool": "t",
        "server": "s",
        "args": b64url(bytes.fromhex(HASH)),
        "ath": ath("x"),
    }
    return KEY.sign(made, typ=TYP, kid=None, jwk=KEY.public_jwk())


async def check(proofs: ParameterProofs, jws: str, caller: Caller) -> Proof:
    """The fact about one call."""
    credentials = Credentials(bearer=Secret(b"x"))
    return await proofs.check(
        jws, caller=caller, credentials=credentials, server="s", tool="t", arguments_hash=HASH
    )


async def test_the_key_that_the_token_is_bound_to_counts(tmp_path: Path) -> None:
    """And no other one, nor none; each proof once, for all gateways on one store."""
    url = f"sqlite:///{tmp_path / 'state.sqlite3'}"
    one, two = open_store(url), open_store(url)
    bound, other, free = (
        Caller(issuer="https://a.example", subject="ann", key_thumbprint=thumbprint)
        for thumbprint in (jwk_thumbprint(KEY.public_jwk()), "x" * 43, None)
    )
    try:
        first, second = (
            ParameterProofs(store, resource="https://g.example/mcp", clock=lambda: NOW)
            for store in (one, two)
        )
        jws = signed("1")
        assert await check(first, jws, other) == BAD
        assert await check(first, jws, free) == BAD
        assert await check(first, jws, bound) == GOOD
        assert await check(second, jws, bound) == BAD
    finally:
        await one.aclose()
        await two.aclose()


@pytest.mark.parametrize(
    ("issuer", "subject", "client", "counts"),
    [
        ("https://a.example", "ann", "desk", True),
        ("https://a.example", "ann", "other", False),
        ("https://a.example", "bob", "desk", False),
        ("https://b.example", "ann", "desk", False),
    ],
)
def test_a_registered_key_is_that_of_one_caller(
    issuer: str, subject: str, client: str, *, counts: bool
) -> None:
    """The same subject of another issuer is somebody else."""
    key = CallerKey(issuer="https://a.example", subject="ann", client_id="desk", jwk=KEY.public_jwk())
    assert key.belongs_to(Caller(issuer=issuer, subject=subject, client_id=client)) is counts
