"""``private_key_jwt`` (RFC 7523 section 2.2): a client shows that it holds its pinned key. Pure, but for single use.

The key is the provider's pinned one and the algorithm that key's own; the header chooses neither. Attack: an assertion
for another service, replayed here: ``aud`` is this issuer or its token endpoint, alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import jwt

from gateway.identity.credentials import MAX_TOKEN_BYTES
from gateway.identity.errors import CredentialRefused
from gateway.identity.jose import open_jws, parse_claims
from gateway.identity.jwk import SUPPORTED_ALGORITHMS, verification_key
from gateway.idp.provider import ProviderKey

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_AGE_S: Final = 300
"""Seconds from now to ``exp`` at most. It is made for one request."""
LEEWAY_S: Final = 30
MAX_JTI_CHARS: Final = 256
_JWS: Final = jwt.PyJWS(algorithms=sorted(SUPPORTED_ALGORITHMS))


def claimed_client(assertion: str) -> str:
    """The client that the assertion names, unverified: good for finding a key. Empty: it names none."""
    try:
        opened = open_jws(assertion.encode()) if len(assertion) <= MAX_TOKEN_BYTES else None
        claims = {} if opened is None else parse_claims(opened[1])
    except (CredentialRefused, UnicodeEncodeError):
        return ""
    subject = claims.get("sub")
    return subject if isinstance(subject, str) and subject == claims.get("iss") else ""


def checked_assertion(
    assertion: str, key: ProviderKey, *, client_id: str, audiences: frozenset[str], now: float
) -> tuple[str, float] | None:
    """``(jti, seconds until it expires)`` of a good assertion; None of any other. NOT checked: that it is new."""
    try:
        opened = open_jws(assertion.encode())
    except (CredentialRefused, UnicodeEncodeError):
        return None
    if opened is None or not _fits(opened[0], key):
        return None
    public = verification_key(dict(key.jwk))
    if public is None:
        return None
    try:
        _JWS.decode_complete(assertion, public.key, algorithms=[key.algorithm])
        claims = parse_claims(opened[1])
    except (jwt.PyJWTError, CredentialRefused, ValueError, TypeError):
        return None
    jti, expires = claims.get("jti"), claims.get("exp")
    good = (
        claims.get("iss") == claims.get("sub") == client_id
        and _audience(claims) in audiences
        and isinstance(jti, str)
        and 0 < len(jti) <= MAX_JTI_CHARS
        and type(expires) is int
        and now - LEEWAY_S < expires <= now + MAX_AGE_S + LEEWAY_S
        and all(_past(claims, name, now) for name in ("iat", "nbf"))
    )
    if not good or not isinstance(jti, str) or not isinstance(expires, int):
        return None
    return jti, expires - now + 2 * LEEWAY_S


def _fits(header: Mapping[str, Any], key: ProviderKey) -> bool:
    typ = header.get("typ", "JWT")
    return (
        header.get("alg") == key.algorithm
        and header.get("kid", key.kid) == key.kid
        and isinstance(typ, str)
        and typ.lower() in ("jwt", "client-authentication+jwt")
    )


def _audience(claims: Mapping[str, Any]) -> object:
    named = claims.get("aud")
    return (
        named[0]
        if isinstance(named, list) and len(named) == 1 and isinstance(named[0], str)
        else (named if isinstance(named, str) else None)
    )


def _past(claims: Mapping[str, Any], name: str, now: float) -> bool:
    value = claims.get(name)
    return value is None or (type(value) is int and value <= now + LEEWAY_S)
