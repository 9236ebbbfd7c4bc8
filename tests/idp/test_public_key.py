"""A provider's public key: what is taken, and what is refused in the words of R116."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from gateway.idp.errors import IdpRefused
from gateway.idp.public_key import pem_of, read_public_key
from tests.support.idp import pem_of as public_pem

GOOD: dict[str, Any] = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


def private_pem(key: Any) -> str:
    """PKCS#8."""
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


BAD: dict[str, Any] = {
    "weak RSA": lambda: public_pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
    "RSA with a small exponent": lambda: public_pem(
        rsa.generate_private_key(public_exponent=3, key_size=2048)
    ),
    "a wrong curve": lambda: public_pem(ec.generate_private_key(ec.SECP256K1())),
    "a short curve": lambda: public_pem(ec.generate_private_key(ec.SECP224R1())),
    "Ed448": lambda: public_pem(ed448.Ed448PrivateKey.generate()),
    "a key for agreement": lambda: public_pem(x25519.X25519PrivateKey.generate()),
    "DSA": lambda: public_pem(dsa.generate_private_key(key_size=2048)),
    "a private key": lambda: private_pem(GOOD["ES256"]),
    "a private key beside the public one": lambda: public_pem(GOOD["ES256"]) + private_pem(GOOD["ES256"]),
    "two keys": lambda: public_pem(GOOD["ES256"]) + public_pem(GOOD["EdDSA"]),
    "DER": lambda: GOOD["ES256"].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "PKCS#1": lambda: GOOD["RS256"].public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode(),
    "a broken one": lambda: public_pem(GOOD["ES256"]).replace("A", "B", 9),
    "too much": lambda: "-----BEGIN PUBLIC KEY-----\n" + "A" * 20_000 + "\n-----END PUBLIC KEY-----",
    "nothing": lambda: "",
    "no text": lambda: None,
}


@pytest.mark.parametrize("algorithm", sorted(GOOD))
def test_taken(algorithm: str) -> None:
    """With the algorithm that is the key's own, and back as the same PEM."""
    pem = public_pem(GOOD[algorithm])
    kid, found, jwk = read_public_key(pem)
    assert found == algorithm
    assert len(kid) == 43
    assert not {"d", "k"} & set(jwk)
    assert pem_of(jwk) == pem


@pytest.mark.parametrize("what", sorted(BAD))
def test_refused(what: str) -> None:
    """One sentence, which quotes nothing."""
    with pytest.raises(IdpRefused) as refused:
        read_public_key(BAD[what]())
    assert refused.value.message == "Invalid public key format"
    assert refused.value.code == "idp.public_key"


@given(st.text(max_size=200) | st.binary(max_size=64) | st.none() | st.integers())
def test_whatever_comes_is_refused_and_never_an_error_of_another_kind(thing: object) -> None:
    """Also inside the armour."""
    for text in (thing, f"-----BEGIN PUBLIC KEY-----\n{thing}\n-----END PUBLIC KEY-----"):
        with pytest.raises(IdpRefused):
            read_public_key(text)
