"""Keys of a client: which sign, and what is known of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from gateway.client.keys import ProofKey, key_in, key_of
from gateway.identity.jwk import jwk_thumbprint
from tests.support.keys import signing_key


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_key_signs_with_its_public_half_in_the_header(algorithm: Any) -> None:
    """As JWK, without the private member; or with a name in its place. It is shown by its thumbprint."""
    key = signing_key(algorithm)
    ours = ProofKey(key.private)
    assert (ours.algorithm, ours.thumbprint) == (algorithm, jwk_thumbprint(key.public_jwk()))
    jws = ours.sign("a+jwt", {"x": 1})
    header = jwt.get_unverified_header(jws)
    assert (header["typ"], header["alg"], header["jwk"]) == ("a+jwt", algorithm, dict(ours.jwk))
    assert "d" not in ours.jwk
    assert jwt.decode(jws, key.private.public_key(), algorithms=[algorithm]) == {"x": 1}
    named = jwt.get_unverified_header(ours.sign("a+jwt", {}, key_id="k-1"))
    assert (named["kid"], "jwk" in named) == ("k-1", False)
    assert repr(ours) == f"<key {ours.thumbprint}>"


def test_a_key_comes_as_pem_too() -> None:
    """Text or bytes, without a password."""
    private = signing_key("EdDSA").private
    form = serialization.PrivateFormat.PKCS8
    pem = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    assert key_of(pem).thumbprint == key_of(pem.decode()).thumbprint == ProofKey(private).thumbprint
    locked = private.private_bytes(
        serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(b"x")
    )
    with pytest.raises(ValueError, match="without a password"):
        key_of(locked)


def test_only_keys_that_sign_proofs(tmp_path: Path) -> None:
    """Other kinds, other curves, other files: a reason, and no key in it."""
    for algorithm in ("RS256", "ES384"):
        with pytest.raises(ValueError, match="P-256 or an Ed25519"):
            ProofKey(signing_key(algorithm).private)
    path = tmp_path / "key.pem"
    with pytest.raises(ValueError, match="cannot be read"):
        key_in(path)
    path.write_text("secret words")
    with pytest.raises(ValueError, match="no private key") as caught:
        key_in(path)
    assert "secret" not in str(caught.value)
