"""Key sets: what is used, what is left out, what is refused whole."""

import json
from typing import Any

import pytest

from gateway.identity.jwk import (
    MAX_JWKS_BYTES,
    MAX_KEYS,
    MAX_KID_CHARS,
    KeySetError,
    jwk_thumbprint,
    parse_key_set,
)
from tests.support.keys import Kind, SigningKey, b64url, key_set, signing_key

OTHER = signing_key("EdDSA", "other").public_jwk()
RSA = signing_key("RS256")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_a_key_verifies_its_own_algorithm_only(algorithm: Kind) -> None:
    """The key pins the algorithm (C57)."""
    keys = parse_key_set(key_set(signing_key(algorithm)))
    assert keys.find("key-1", algorithm) is not None
    for other in {"RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA", "HS256", "none"} - {
        algorithm
    }:
        assert keys.find("key-1", other) is None


def test_a_key_without_alg_verifies_what_its_type_allows() -> None:
    """Entra and others publish RSA keys without `alg`."""
    keys = parse_key_set(key_set(RSA.public_jwk(alg=None)))
    assert keys.find("key-1", "RS256") is not None
    assert keys.find("key-1", "ES256") is None
    assert keys.find("key-1", "HS256") is None


def test_without_a_kid_only_a_single_fitting_key_is_taken() -> None:
    """Trying keys in turn would let a token choose."""
    one = key_set(RSA, OTHER)
    two = key_set(RSA, SigningKey("RS256", "key-2"))
    assert parse_key_set(one).find(None, "RS256") is not None
    assert parse_key_set(two).find(None, "RS256") is None
    assert parse_key_set(one).find("key-9", "RS256") is None


def _weak_exponent() -> dict[str, Any]:
    return RSA.public_jwk(kid="weak", e=b64url(b"\x03"))


def _long_coordinate() -> dict[str, Any]:
    jwk = signing_key("ES256").public_jwk(kid="weak")
    x = jwk["x"]
    return {**jwk, "x": "AAAA" + x}


def _off_curve() -> dict[str, Any]:
    jwk = signing_key("ES256").public_jwk(kid="weak")
    return {**jwk, "x": b64url(b"\x01" * 32)}


LEFT_OUT: dict[str, dict[str, Any]] = {
    "RSA below 2048 bits": SigningKey("RS256", "weak", rsa_bits=1024).public_jwk(),
    "a tiny exponent": _weak_exponent(),
    "an even exponent": RSA.public_jwk(kid="weak", e=b64url((65538).to_bytes(3, "big"))),
    "a huge exponent": RSA.public_jwk(kid="weak", e=b64url(b"\x01" + b"\x00" * 7 + b"\x01")),
    "an encryption key": RSA.public_jwk(kid="weak", use="enc"),
    "a key for other operations": RSA.public_jwk(kid="weak", key_ops=["encrypt"]),
    "operations that are no list": RSA.public_jwk(kid="weak", key_ops="verify"),
    "an algorithm of another type": RSA.public_jwk(kid="weak", alg="ES256"),
    "an HMAC algorithm": RSA.public_jwk(kid="weak", alg="HS256"),
    "an encryption algorithm": RSA.public_jwk(kid="weak", alg="RSA-OAEP"),
    "an algorithm that is no string": RSA.public_jwk(kid="weak", alg=["RS256"]),
    "a curve and algorithm that differ": signing_key("ES256").public_jwk(kid="weak", alg="ES384"),
    "an unsupported curve": signing_key("ES256").public_jwk(kid="weak", crv="secp256k1", alg=None),
    "a point off the curve": _off_curve(),
    "a coordinate of the wrong length": _long_coordinate(),
    "an unknown key type": {"kty": "AKP", "kid": "weak", "alg": "ML-DSA-44", "pub": "AAAA"},
    "a key type that is no string": {"kty": ["RSA"], "kid": "weak"},
    "a missing modulus": RSA.public_jwk(kid="weak", n=None),
    "a modulus that is no string": RSA.public_jwk(kid="weak", n=5),
    "garbage for a modulus": RSA.public_jwk(kid="weak", n="!!!"),
    "an empty object": {},
}


@pytest.mark.parametrize("entry", LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_key_of_no_use_is_left_out(entry: dict[str, Any]) -> None:
    """RFC 7517 section 5: its neighbour still works, and alone it makes no key set."""
    keys = parse_key_set(key_set(entry, OTHER))
    assert [key.kid for key in keys.keys] == ["other"]
    with pytest.raises(KeySetError):
        parse_key_set(key_set(entry))


REFUSED: dict[str, bytes] = {
    "empty bytes": b"",
    "not JSON": b"<html>",
    "not UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "no keys": b"{}",
    "an empty list": b'{"keys": []}',
    "keys that are no list": b'{"keys": {"a": 1}}',
    "a key that is no object": b'{"keys": ["a"]}',
    "the member keys twice": b'{"keys": [], "keys": [' + json.dumps(OTHER).encode() + b"]}",
    "the same kid twice": key_set(RSA, OTHER, signing_key("ES256").public_jwk(kid="key-1")),
    "a kid that is no string": key_set(OTHER, RSA.public_jwk(kid=7)),
    "an empty kid": key_set(OTHER, RSA.public_jwk(kid="")),
    "an endless kid": key_set(OTHER, RSA.public_jwk(kid="k" * (MAX_KID_CHARS + 1))),
    "a symmetric key": key_set(OTHER, {"kty": "oct", "k": b64url(b"s" * 32), "kid": "s"}),
    "a symmetric key without k": key_set(OTHER, {"kty": "oct", "kid": "s"}),
    "a private RSA key": key_set(OTHER, RSA.private_jwk()),
    "a private EC key": key_set(OTHER, signing_key("ES256").private_jwk()),
    "a private Ed25519 key": key_set(OTHER, signing_key("EdDSA").private_jwk()),
    "too many keys": key_set(*[{**OTHER, "kid": str(n)} for n in range(MAX_KEYS + 1)]),
    "too many bytes": key_set(OTHER) + b" " * MAX_JWKS_BYTES,
    "too deep": b'{"keys": [' + b"[" * 5000 + b"]" * 5000 + b"]}",
}


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED)
def test_a_set_nobody_should_have_published_is_refused_whole(document: bytes) -> None:
    """Also when a good key stands beside the trouble; and nothing of the document is quoted."""
    with pytest.raises(KeySetError) as refused:
        parse_key_set(document)
    assert OTHER["x"] not in str(refused.value)
    assert signing_key("EdDSA").private_jwk()["d"] not in str(refused.value)


def test_thumbprints_follow_rfc_7638() -> None:
    """The example of RFC 7638 section 3.1."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
        "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI"
        "SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    jwk = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert jwk_thumbprint(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
