"""A provider's public key as handed in: PEM text -> JWK and thumbprint, or "Invalid public key format" (R116). Pure.

The provider makes and keeps the private half (C36). One that is handed in by mistake is refused unread and never kept.
"""

from __future__ import annotations

import re
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from jwt import PyJWTError
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.identity.jwk import PublicKey, jwk_thumbprint, verification_key
from gateway.idp.errors import IdpRefused

MAX_PEM_CHARS: Final = 8192
"""An RSA key of 8192 bits has 1.4 kB."""
_PEM: Final = re.compile(
    r"\s*-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*", re.ASCII
)
"""One block (RFC 7468 section 13) and nothing around it: neither a certificate nor a private key beside it."""
_ALGORITHMS: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


def read_public_key(pem: object) -> tuple[str, str, dict[str, str]]:
    """``(kid, algorithm, jwk)`` of a PEM public key: P-256, P-384, P-521, Ed25519, or RSA of 2048 to 8192 bits.

    :raises IdpRefused: ``idp.public_key``, in the words of R116; the key itself is never quoted.
    """
    if not isinstance(pem, str) or len(pem) > MAX_PEM_CHARS or not _PEM.fullmatch(pem):
        raise _invalid()
    try:
        key = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise _invalid() from None
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey):
        raise _invalid()
    try:
        jwk = _jwk(key)
        found = verification_key(jwk)
        # RSA signs by PS256 or RS256; which of them is pinned, so that no header chooses.
        algorithm = "RS256" if jwk["kty"] == "RSA" else _ALGORITHMS.get(jwk["crv"], "EdDSA")
        kid = jwk_thumbprint(jwk)
    except (PyJWTError, ValueError, KeyError, TypeError):
        raise _invalid() from None
    if found is None or algorithm not in found.algorithms:
        raise _invalid()
    return kid, algorithm, jwk


def pem_of(jwk: dict[str, str]) -> str:
    """The key as PEM again. :raises ValueError: the JWK is no usable key."""
    found = verification_key(dict(jwk))
    if found is None:
        raise ValueError("no usable public key")
    pem: bytes = found.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def _jwk(key: PublicKey) -> dict[str, str]:
    made: dict[str, Any]
    if isinstance(key, RSAPublicKey):
        made = RSAAlgorithm.to_jwk(key, as_dict=True)
    elif isinstance(key, EllipticCurvePublicKey):
        made = ECAlgorithm.to_jwk(key, as_dict=True)
    else:
        made = OKPAlgorithm.to_jwk(key, as_dict=True)
    return {name: made[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in made}


def _invalid() -> IdpRefused:
    return IdpRefused("Invalid public key format", code="idp.public_key")
