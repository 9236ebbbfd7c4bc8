"""The outside of a JWT: what may be read before its signature is checked. Pure.

Only what is needed to find the key leaves this module: algorithm, kid, type and the *claimed* issuer. Members
that would let a token bring its own key (``jwk``, ``jku``, ``x5u``, ``x5c``) are not even read.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

import msgspec

from gateway.door import strict_json
from gateway.errors import MalformedRequest
from gateway.identity.credentials import MAX_TOKEN_BYTES
from gateway.identity.errors import Code, CredentialRefused
from gateway.identity.issuer import TrustedIssuer
from gateway.identity.jwk import MAX_KID_CHARS

_COMPACT: Final = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
"""RFC 7515 section 7.1, and no padding: with padding one signature would have several spellings, and each
would be another token to everything that goes by the token's hash (cache, revocation)."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Unverified. Good for finding a key; nothing in it may reach a caller's identity."""

    algorithm: str
    kid: str | None
    typ: str | None
    claimed_issuer: str


def open_jws(token: bytes) -> tuple[dict[str, Any], bytes] | None:
    """Header and payload of a compact JWS, both unverified; None when the bytes are no such thing.

    :raises CredentialRefused: ``identity.token_malformed`` or ``identity.token_invalid``.
    """
    match = _COMPACT.fullmatch(token) if len(token) <= MAX_TOKEN_BYTES else None
    header_bytes = _decode(match[1]) if match else None
    if match is None or header_bytes is None or not header_bytes.startswith(b"{"):
        return None
    header = _object(header_bytes)
    # RFC 7515 section 4.1.11: an extension that is not understood must refuse, and none is. b64=false (RFC
    # 7797) would take the payload from elsewhere.
    if "crit" in header or "b64" in header:
        raise CredentialRefused(Code.TOKEN_INVALID, "the header demands an extension")
    payload, signature = _decode(match[2]), _decode(match[3])
    if payload is None or signature is None:
        raise CredentialRefused(Code.TOKEN_MALFORMED, "a segment is not canonical base64url")
    return header, payload


def open_envelope(token: bytes) -> Envelope | None:
    """The envelope of a compact JWS, or None when the bytes are no such thing (an opaque token, say).

    :raises CredentialRefused: ``identity.token_malformed`` or ``identity.token_invalid``: a JWT that nobody
        should have made, or one made to be read differently by two parsers.
    """
    opened = open_jws(token)
    if opened is None:
        return None
    header, payload = opened
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(algorithm, str) or not isinstance(typ, str | None):
        raise CredentialRefused(Code.TOKEN_MALFORMED, "alg or typ of the header is not a string")
    if kid is not None and not (isinstance(kid, str) and len(kid) <= MAX_KID_CHARS):
        raise CredentialRefused(Code.TOKEN_MALFORMED, "kid of the header is not a string of sensible length")
    issuer = _object(payload).get("iss")
    if not isinstance(issuer, str):
        raise CredentialRefused(Code.TOKEN_INVALID, "iss is missing or not a string")
    return Envelope(algorithm=algorithm, kid=kid, typ=typ, claimed_issuer=issuer)


def check_header(envelope: Envelope, trusted: TrustedIssuer) -> None:
    """The header against what the operator allows this issuer.

    :raises CredentialRefused: ``identity.token_invalid``.
    """
    if envelope.algorithm not in trusted.algorithms:
        raise CredentialRefused(Code.TOKEN_INVALID, "the algorithm is not allowed for this issuer")
    # RFC 7515 section 4.1.9: media type names compare without regard to case, "application/" may be left out.
    typ = None if envelope.typ is None else envelope.typ.lower().removeprefix("application/")
    if typ != "at+jwt" and (trusted.require_at_jwt or typ not in (None, "jwt")):
        raise CredentialRefused(Code.TOKEN_INVALID, "typ does not say that this is an access token")


def parse_claims(payload: bytes) -> dict[str, Any]:
    """The claims object of a payload whose signature was verified.

    :raises CredentialRefused: ``identity.token_malformed``.
    """
    return _object(payload)


def _object(document: bytes) -> dict[str, Any]:
    try:
        parsed = strict_json.parse(document)
    except MalformedRequest:
        raise CredentialRefused(Code.TOKEN_MALFORMED, "header or claims are not strict JSON") from None
    if not isinstance(parsed, dict):
        raise CredentialRefused(Code.TOKEN_MALFORMED, "header or claims are not a JSON object")
    return parsed


def _decode(segment: bytes) -> bytes | None:
    """Canonical base64url only: the unused bits of the last character must be zero (RFC 4648 section 3.5)."""
    try:
        decoded = base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    except binascii.Error:
        return None
    return decoded if base64.urlsafe_b64encode(decoded).rstrip(b"=") == segment else None
