"""The signature over the parameters."""

from __future__ import annotations

import base64
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from gateway.canonical import canonical_hash
from gateway.client.handshake.proof import KeySigner
from gateway.client.keys import hash_of_token
from gateway.client.signatures import TYPE
from tests.support.keys import signing_key

PARAMETERS = {"b": 1, "a": {"ü": 2.50}}


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(ed25519.Ed25519PrivateKey.generate(), "EdDSA"), (ec.generate_private_key(ec.SECP256R1()), "ES256")],
    ids=["EdDSA", "ES256"],
)
def test_a_call_is_signed(key: Any, algorithm: str) -> None:
    """Server, tool and the hash of the canonical parameters; each proof is another one."""
    signer = KeySigner(key, key_id="k-1", now=lambda: 1_000_000)
    ath = hash_of_token("a-session-token")
    proof, other = (signer.proof("paypal", "create_refund", PARAMETERS, ath) for _ in range(2))
    header = jwt.get_unverified_header(proof)
    assert (header["typ"], header["kid"], header["alg"]) == (TYPE, "k-1", algorithm)
    options: Any = {"verify_iat": False}
    claims = jwt.decode(proof, key.public_key(), algorithms=[algorithm], options=options)
    jti = claims.pop("jti")
    assert claims == {
        "iat": 1_000_000,
        "server": "paypal",
        "tool": "create_refund",
        "ath": ath,
        "args": base64.urlsafe_b64encode(bytes.fromhex(canonical_hash(PARAMETERS))).rstrip(b"=").decode(),
    }
    assert jwt.decode(other, key.public_key(), algorithms=[algorithm], options=options)["jti"] != jti


def test_a_shared_secret_is_no_signature() -> None:
    """Whoever checks it could have made it."""
    with pytest.raises(ValueError, match="no private key"):
        KeySigner("secret", key_id="k")


def test_the_key_is_not_printed() -> None:
    """The signer is shown by its key's name."""
    key = signing_key("EdDSA").private
    assert repr(KeySigner(key, key_id="k-1")) == "<signer k-1>"
    assert repr(KeySigner(key)).startswith("<signer ")
