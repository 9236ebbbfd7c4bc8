"""JWK Set bytes -> verification keys (RFC 7517, RFC 7518). Pure.

Two kinds of trouble, two answers. A key we have no use for (encryption, an unknown curve, a weak RSA modulus)
is left out, as RFC 7517 section 5 wants; tokens signed with it find no key. A set that nobody should have
published (a private or symmetric key, one kid twice) is refused whole: its issuer is broken or not the
issuer.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from gateway.door import strict_json
from gateway.errors import MalformedRequest

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

MAX_JWKS_BYTES: Final = 256 * 1024
"""Bytes of a key set. Large public issuers stay under 20 KiB, certificates included."""
MAX_KEYS: Final = 64
"""Keys of a set. Issuers publish two to ten; each one costs some 20 us to load."""
MAX_KID_CHARS: Final = 256
"""Characters of a key id; hashes and UUIDs are shorter."""
MIN_RSA_BITS: Final = 2048
"""RFC 7518 section 3.3."""
MAX_RSA_BITS: Final = 8192
"""Verifying grows with the square of the modulus; a giant key is an attack on the CPU."""
MIN_RSA_EXPONENT: Final = 65537
MAX_RSA_EXPONENT: Final = 2**32 - 1
"""A tiny exponent invites forgery against sloppy padding, a huge one makes each verification slow."""

_RSA_ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
SUPPORTED_ALGORITHMS: Final = _RSA_ALGORITHMS | {"ES256", "ES384", "ES512", "EdDSA"}
"""Asymmetric only. ``none`` and HS* are not here, so nothing that is configured can bring them back."""

_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_REQUIRED_MEMBERS: Final = {
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
}


class KeySetError(ValueError):
    """The document is not a key set one may trust. The message quotes nothing from it."""


class VerificationKey(msgspec.Struct, frozen=True, kw_only=True):
    """One public key and the algorithms it may verify. ``thumbprint``: RFC 7638, SHA-256, base64url."""

    kid: str | None
    algorithms: frozenset[str]
    thumbprint: str
    key: Any

    @property
    def identity(self) -> tuple[str | None, str, frozenset[str]]:
        """What makes it this key: a kid that now means another key is another key."""
        return (self.kid, self.thumbprint, self.algorithms)


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    """The usable keys of one issuer, at least one."""

    keys: tuple[VerificationKey, ...]

    def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """The key for a token. Without a kid only if exactly one key fits: trying keys in turn is a guess.

        A token without kid may use a key that has one (RFC 7515 section 4.1.4: kid is a hint).
        """
        fit = [key for key in self.keys if algorithm in key.algorithms and (kid is None or key.kid == kid)]
        return fit[0] if len(fit) == 1 else None

    def identities(self) -> frozenset[tuple[str | None, str, frozenset[str]]]:
        """All keys, for comparing two states of one set."""
        return frozenset(key.identity for key in self.keys)


def parse_key_set(document: bytes) -> KeySet:
    """A JWK Set -> its usable signature keys.

    What is *not* checked: where the bytes come from, and certificates (``x5c`` and ``x5t`` are never used).

    :raises KeySetError: too large, not strict JSON, private or symmetric material, a kid used twice, no
        usable key.
    """
    if len(document) > MAX_JWKS_BYTES:
        raise KeySetError(f"the key set is larger than {MAX_JWKS_BYTES} bytes")
    try:
        parsed = strict_json.parse(document)
    except MalformedRequest as problem:
        raise KeySetError(f"the key set is not strict JSON ({problem.code})") from None
    entries = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise KeySetError("the document is not a JWK Set (RFC 7517 section 5)")
    if len(entries) > MAX_KEYS:
        raise KeySetError(f"the key set has more than {MAX_KEYS} keys")
    for entry in entries:
        # Whoever can read this set could sign; every token of the issuer is worthless.
        if not is_public(entry):
            raise KeySetError("the key set publishes private or symmetric key material")
    kids = [entry["kid"] for entry in entries if "kid" in entry]
    if not all(isinstance(kid, str) and 0 < len(kid) <= MAX_KID_CHARS for kid in kids):
        raise KeySetError("a key id is not a string of sensible length")
    if len(set(kids)) != len(kids):
        raise KeySetError("two keys have the same key id")
    keys = tuple(key for entry in entries if (key := verification_key(entry)) is not None)
    if not keys:
        raise KeySetError("the key set has no usable signature key")
    return KeySet(keys=keys)


def is_public(entry: dict[str, Any]) -> bool:
    """Whether a JWK holds neither a symmetric key nor a private part (RFC 7518 section 6)."""
    return entry.get("kty") != "oct" and _PRIVATE_MEMBERS.isdisjoint(entry)


def verification_key(entry: dict[str, Any]) -> VerificationKey | None:
    """The key of one JWK that :func:`is_public` has passed.

    None when it is no key for verifying with the algorithms supported here.
    """
    algorithms = _algorithms(entry)
    operations = entry.get("key_ops", ["verify"])
    if not algorithms or entry.get("use", "sig") != "sig":
        return None
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    try:
        key = PyJWK(entry, algorithm=min(algorithms)).key
    except PyJWTError:
        return None
    if not _strong(key):
        return None
    return VerificationKey(
        kid=entry.get("kid"), algorithms=algorithms, thumbprint=jwk_thumbprint(entry), key=key
    )


def _algorithms(entry: dict[str, Any]) -> frozenset[str]:
    """The algorithms a key may verify: what its type allows, narrowed to its own ``alg`` if it names one."""
    kty, crv, alg = entry.get("kty"), entry.get("crv"), entry.get("alg")
    required = _REQUIRED_MEMBERS.get(kty) if isinstance(kty, str) else None
    if required is None or not all(isinstance(entry.get(member), str) for member in required):
        return frozenset()
    fit: frozenset[str] = frozenset()
    if kty == "RSA":
        fit = _RSA_ALGORITHMS
    elif kty == "EC" and crv in _CURVES:
        fit = frozenset({_CURVES[crv]})
    elif kty == "OKP" and crv == "Ed25519":
        fit = frozenset({"EdDSA"})
    return fit if alg is None else fit & {str(alg)}


def _strong(key: object) -> bool:
    match key:
        case RSAPublicKey():
            exponent = key.public_numbers().e
            return (
                MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS
                and MIN_RSA_EXPONENT <= exponent <= MAX_RSA_EXPONENT
                and exponent % 2 == 1
            )
        case EllipticCurvePublicKey() | Ed25519PublicKey():
            return True  # full-length coordinates on the curve: PyJWT and `cryptography` loaded nothing else
        case _:
            return False


def jwk_thumbprint(entry: dict[str, Any]) -> str:
    """RFC 7638: SHA-256 over the required members in order, base64url without padding.

    :raises KeyError: no such key type, or a required member is missing.
    """
    members = {name: entry[name] for name in _REQUIRED_MEMBERS[entry["kty"]]}
    digest = hashlib.sha256(msgspec.json.encode(members)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
