"""A private key of the client's own, and what it signs: JWS with its public half in the header (RFC 7515, RFC 7517)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
MAX_KEY_BYTES: Final = 16 * 1024
"""Bytes of a key file."""


class ProofKey:
    """ES256 with a P-256 key, EdDSA with an Ed25519 one. :raises ValueError: another key."""

    __slots__ = ("_key", "algorithm", "jwk")

    def __init__(self, key: object) -> None:
        self._key: PrivateKey
        self.algorithm: str
        if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
            self._key, self.algorithm = key, "ES256"
            made = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        elif isinstance(key, ed25519.Ed25519PrivateKey):
            self._key, self.algorithm = key, "EdDSA"
            made = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        else:
            raise ValueError("a proof is signed with a P-256 or an Ed25519 key")
        self.jwk: Mapping[str, Any] = {name: made[name] for name in ("crv", "kty", "x", "y") if name in made}

    def __repr__(self) -> str:
        return f"<key {self.thumbprint}>"

    @property
    def thumbprint(self) -> str:
        """RFC 7638: what a token is bound to, and what an operator registers."""
        canonical = json.dumps(self.jwk, sort_keys=True, separators=(",", ":"))
        return b64url(hashlib.sha256(canonical.encode()).digest())

    def sign(self, typ: str, claims: Mapping[str, Any], *, key_id: str | None = None) -> str:
        """A compact JWS of one type; ``key_id``: what the header says in place of the public key."""
        header = {"typ": typ, **({"jwk": dict(self.jwk)} if key_id is None else {"kid": key_id})}
        return jwt.encode(dict(claims), self._key, algorithm=self.algorithm, headers=header)


def key_in(path: Path) -> ProofKey:
    """The key in an unencrypted PEM file. :raises ValueError: it holds none that signs proofs."""
    try:
        with path.open("rb") as file:
            return key_of(file.read(MAX_KEY_BYTES))
    except OSError as problem:
        raise ValueError(f"cannot be read: {problem.strerror}") from None


def key_of(key: object) -> ProofKey:
    """PEM without a password, or a ``cryptography`` key. :raises ValueError: neither, or a key of another kind."""
    if not isinstance(key, str | bytes):
        return ProofKey(key)
    try:
        loaded = serialization.load_pem_private_key(key.encode() if isinstance(key, str) else key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("holds no private key in PEM without a password") from None
    return ProofKey(loaded)


def hash_of_token(token: str) -> str:
    """What a proof calls ``ath`` (RFC 9449 section 4.2)."""
    return b64url(hashlib.sha256(token.encode()).digest())


def b64url(value: bytes) -> str:
    """RFC 7515 section 2: without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
