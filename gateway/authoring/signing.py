"""A definition's own signature (R082, R083, R100), and the key that makes it.

What is signed is RFC 8785 of the definition as it is sent, less its signature and less the ``oauth`` block: it is
signed first, and the token comes after (conflict C24), so that a renewed token leaves the signature good. The algorithm
and the key's id are covered.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import Algorithm, ECAlgorithm, RSAAlgorithm

from gateway.authoring.errors import ConfigInvalid
from gateway.canonical import canonical_bytes
from gateway.catalog.tool import ETDI_META_KEY
from gateway.identity.jwk import MIN_RSA_BITS, jwk_thumbprint

AlgorithmName = Literal["ES256", "RS256"]
_UNSIGNED: Final = frozenset(
    {"signature", "oauth", "etdiStatus", "verificationStatus", "_verificationDetails"}
)
"""The signature, what comes after it, and what a client notes for itself."""
PRIVATE_MODE: Final = 0o600


def signed_bytes(wire: Mapping[str, Any]) -> bytes:
    """What a signature of this definition covers. :raises ValueError: a document that RFC 8785 cannot canonicalise."""
    kept = {key: value for key, value in wire.items() if key not in _UNSIGNED}
    meta = kept.get("_meta") or {}
    block = {key: value for key, value in (meta.get(ETDI_META_KEY) or {}).items() if key not in _UNSIGNED}
    return canonical_bytes({**kept, "_meta": {**meta, ETDI_META_KEY: block}})


class Signer:
    """Signs with one private key, ES256 (P-256) or RS256. ``key_id`` is the key's RFC 7638 thumbprint.

    :raises ConfigInvalid: a key of another kind, or an RSA key that is too short.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
        self._key = key
        self._maker: Algorithm
        if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
            self.algorithm: AlgorithmName = "ES256"
            self._maker = ECAlgorithm(ECAlgorithm.SHA256)
            jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        elif isinstance(key, rsa.RSAPrivateKey) and key.key_size >= MIN_RSA_BITS:
            self.algorithm = "RS256"
            self._maker = RSAAlgorithm(RSAAlgorithm.SHA256)
            jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        else:
            raise ConfigInvalid(f"a signing key is P-256, or RSA of at least {MIN_RSA_BITS} bits")
        self.key_id = jwk_thumbprint(jwk)

    def __repr__(self) -> str:
        return f"Signer({self.algorithm}, {self.key_id})"

    @classmethod
    def from_file(cls, path: Path) -> Signer:
        """A PEM file that only its owner can read.

        :raises ConfigInvalid: unreadable, readable by others, no unencrypted PEM, or an unusable key.
        """
        try:
            mode = path.stat().st_mode
            pem = path.read_bytes()
        except OSError as problem:
            raise ConfigInvalid(f"{path.name}: the key cannot be read: {problem.strerror}") from None
        if os.name == "posix" and mode & 0o077:
            raise ConfigInvalid(f"{path.name}: others can read this key; chmod 600 it, or make a new one")
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            raise ConfigInvalid(f"{path.name}: not an unencrypted PEM private key") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise ConfigInvalid(f"{path.name}: a signing key is P-256 or RSA")
        return cls(key)

    def sign(self, payload: bytes) -> str:
        """The signature as JOSE has it (RFC 7518 section 3: r and s, or PKCS #1), in standard base64 (R062)."""
        return base64.b64encode(self._maker.sign(payload, self._key)).decode()

    def public_pem(self) -> str:
        """What is submitted to whoever verifies; the private key stays here (C36)."""
        public = self._key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def generate_key(path: Path) -> Signer:
    """A new P-256 key in a new file, mode 0600 from its first byte on.

    :raises FileExistsError: there is a file; a key is never overwritten.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # O_EXCL also refuses a symbolic link that somebody put there first.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return Signer(key)


def verifies(wire: Mapping[str, Any], public_key: Any) -> bool:
    """Whether the definition's signature is this key's. For authors who look at their own listing."""
    block = (wire.get("_meta") or {}).get(ETDI_META_KEY) or {}
    signature, algorithm = block.get("signature"), block.get("signatureAlgorithm")
    maker: Algorithm
    if not isinstance(signature, str):
        return False
    if algorithm == "ES256" and isinstance(public_key, ec.EllipticCurvePublicKey):
        maker = ECAlgorithm(ECAlgorithm.SHA256)
    elif algorithm == "RS256" and isinstance(public_key, rsa.RSAPublicKey):
        maker = RSAAlgorithm(RSAAlgorithm.SHA256)
    else:
        return False
    try:
        raw = base64.b64decode(signature, validate=True)
        return bool(maker.verify(signed_bytes(wire), public_key, raw))
    except (ValueError, TypeError):
        return False
