"""The keys of receipts: one that signs, and the public halves of it and its predecessors, as a JWK set (RFC 8037).

A key is named by its thumbprint (RFC 7638), so that two keys never have one name.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.audit.keys import new_key
from gateway.receipts.jws import ALGORITHM, Signer

GENERATED = "receipts.pem"
"""Name of the key that is made where none is configured, beside the audit file."""
MAX_KEYS = 64
_RAW_BYTES = 32


class PublishedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """A published set: whose keys they are (where it says so), and the keys by name."""

    issuer: str | None
    keys: dict[str, Ed25519PublicKey]


class ReceiptKeys:
    """The key in use and the earlier ones, which still vouch for what they signed."""

    def __init__(self, key: Ed25519PrivateKey, previous: Iterable[Ed25519PublicKey] = ()) -> None:
        public = key.public_key()
        self.public = {thumbprint(one): one for one in (public, *previous)}
        self.signer = Signer(key, thumbprint(public))

    def published(self, issuer: str) -> dict[str, Any]:
        """The document at ``/.well-known/countersign-receipts.json``."""
        return {"issuer": issuer, "keys": [_jwk(kid, key) for kid, key in self.public.items()]}


def generated_key(folder: Path) -> Path:
    """The key of this machine, made (0600) unless it is there. One file, however many processes start at once.

    :raises OSError: the folder cannot be written.
    """
    path = folder / GENERATED
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = folder / f".{GENERATED}.{secrets.token_hex(8)}"
    try:
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(new_key()[0])
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(made, path)  # whole or not at all, and never over another's
    finally:
        made.unlink(missing_ok=True)
    return path


def thumbprint(key: Ed25519PublicKey) -> str:
    """RFC 7638 with SHA-256, over the members that RFC 8037 section 2 requires."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _raw(key)}
    digest = hashlib.sha256(msgspec.json.encode(members, order="sorted")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def read_published(document: bytes) -> PublishedKeys:
    """A published set. Keys of other kinds are passed over; one under a false name is refused.

    :raises ValueError: no such document, or no usable key in it.
    """
    try:
        read = msgspec.json.decode(document)
    except (ValueError, RecursionError):
        raise ValueError("the keys are not JSON") from None
    listed = read.get("keys") if isinstance(read, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ValueError("the keys are no JWK set")
    found: dict[str, Ed25519PublicKey] = {}
    for jwk in listed:
        if isinstance(jwk, Mapping) and jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
            key = _public(jwk.get("x"))
            if key is None or jwk.get("kid") != thumbprint(key):
                # A key under another's name would pass off its signatures as the other's.
                raise ValueError("a key of the set is broken, or is not the one that its name says")
            found[thumbprint(key)] = key
    if not found:
        raise ValueError("there is no Ed25519 key in the set")
    issuer = read.get("issuer")
    return PublishedKeys(issuer=issuer if isinstance(issuer, str) else None, keys=found)


def _jwk(kid: str, key: Ed25519PublicKey) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": _raw(key), "kid": kid, "alg": ALGORITHM, "use": "sig"}


def _raw(key: Ed25519PublicKey) -> str:
    return base64.urlsafe_b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).rstrip(b"=").decode()


def _public(x: Any) -> Ed25519PublicKey | None:
    if not isinstance(x, str):
        return None
    try:
        raw = base64.urlsafe_b64decode(x + "=" * (-len(x) % 4))
        return Ed25519PublicKey.from_public_bytes(raw) if len(raw) == _RAW_BYTES else None
    except ValueError:
        return None
