"""The keys that bundles are signed with: ECDSA on P-256 (ES256, RFC 7518 section 3.4), as PEM files that OPA reads.

A key is named by its thumbprint (RFC 7638) unless the operator names it otherwise.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

_COORDINATE_BYTES = 32


def generate(private: Path, public: Path) -> None:
    """A fresh pair; the private half is readable by its owner alone, from its first byte on.

    :raises FileExistsError: a file is there: a key is never written over. :raises OSError:
    """
    if public.exists():
        raise FileExistsError(None, "is there already; a key is not written over", str(public))
    key = generate_private_key(SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    public.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    public.write_bytes(public_pem(key.public_key()))


def public_pem(key: EllipticCurvePublicKey) -> bytes:
    """As OPA's ``--verification-key`` wants it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_private_key(pem: bytes) -> EllipticCurvePrivateKey:
    """:raises ValueError: no PEM, encrypted, or another kind of key. The message never quotes the input."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise ValueError("not an unencrypted PEM private key") from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("not a P-256 key (ES256)")
    return key


def read_public_key(pem: bytes) -> EllipticCurvePublicKey:
    """:raises ValueError: no PEM, or another kind of key."""
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise ValueError("not a PEM public key") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("not a P-256 key (ES256)")
    return key


def thumbprint(key: EllipticCurvePublicKey) -> str:
    """RFC 7638 with SHA-256, over the members that RFC 7518 section 6.2.1 requires."""
    numbers = key.public_numbers()
    members = {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
    return _base64url(hashlib.sha256(msgspec.json.encode(members, order="sorted")).digest())


def _coordinate(number: int) -> str:
    return _base64url(number.to_bytes(_COORDINATE_BYTES, "big"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
