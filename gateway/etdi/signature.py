"""Direct signatures of definitions: ES256 and RS256 over what ``catalog.definition.signed_part`` gives (C24). Pure.

Standard base64, as the sources have it. An ES256 signature is r and s of 32 bytes each (RFC 7518 section 3.4), or the
DER form that most crypto libraries give; both are the same two numbers.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.catalog.definition import Definition
from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.etdi.trust import ProviderKey, SignatureAlgorithm, Trust
from gateway.identity.jwk import SUPPORTED_ALGORITHMS

MAX_SIGNATURE_BYTES: Final = 1024
"""An RSA key of 8192 bits makes as many."""
_PREHASHED: Final = Prehashed(SHA256())
_RAW: Final = 64
_NAMEABLE: Final = frozenset({"none", "HS256", *SUPPORTED_ALGORITHMS})
_INVALID: Final = EtdiCode.TOKEN_INVALID_SIGNATURE


def check_signature(
    definition: Definition, trust: Trust, accepted: tuple[SignatureAlgorithm, ...], *, now: float
) -> ProviderKey:
    """The trusted key that signed this definition.

    :raises NotVerified: nobody trusted did.
    """
    signature, signed_hash = definition.block.signature, definition.signed_hash
    if signature is None or signed_hash is None:
        raise NotVerified(_INVALID, "Definition is not signed")
    if definition.provider is None:
        raise NotVerified(EtdiCode.PROVIDER_MISSING, "Missing provider information")
    if signature.algorithm not in accepted:
        # Only names that exist are repeated: the word is the server's.
        known = signature.algorithm in _NAMEABLE
        named = signature.algorithm if known else "of another name"
        raise NotVerified(_INVALID, f"Unsupported algorithm: {named}")
    key = trust.key(definition.provider, signature.key_id)
    if key is None:
        raise NotVerified(EtdiCode.PROVIDER_UNTRUSTED, "No public key found for provider")
    # The algorithm is the key's; the definition can only agree with it (C57).
    if key.algorithm != signature.algorithm:
        raise NotVerified(_INVALID, "Signature algorithm is not that of the provider's key")
    if key.expires is not None and now >= key.expires:
        raise NotVerified(_INVALID, "The provider's key has expired")
    if not verifies(key, _decoded(signature.value), bytes.fromhex(signed_hash)):
        raise NotVerified(_INVALID, "Invalid definition signature")
    return key


def verifies(key: ProviderKey, signature: bytes, digest: bytes) -> bool:
    """Whether the key made this signature over a SHA-256 digest."""
    try:
        match key.key:
            case RSAPublicKey():
                key.key.verify(signature, digest, PKCS1v15(), _PREHASHED)
            case EllipticCurvePublicKey():
                key.key.verify(_der(signature), digest, ECDSA(_PREHASHED))
            case _:
                return False
    except (InvalidSignature, ValueError):
        return False
    return True


def _der(signature: bytes) -> bytes:
    if len(signature) != _RAW:
        return signature
    r, s = signature[: _RAW // 2], signature[_RAW // 2 :]
    return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))


def _decoded(text: str) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        raise NotVerified(_INVALID, "Signature is no base64") from None
    if not 0 < len(decoded) <= MAX_SIGNATURE_BYTES or base64.b64encode(decoded).decode() != text:
        raise NotVerified(_INVALID, "Signature is no base64 of sensible length")
    return decoded
