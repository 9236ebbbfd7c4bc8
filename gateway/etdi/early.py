"""A first look at a token that refuses the hopeless without a key, a fetch or a signature check (R156). Pure.

It can only refuse: whatever passes here is checked as if it had never been looked at (C43).
"""

from __future__ import annotations

from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.identity.errors import CredentialRefused
from gateway.identity.jose import Envelope, open_envelope, open_jws, parse_claims

_SEGMENTS = 3


def first_look(token: bytes, *, now: float) -> Envelope:
    """The token's envelope, for finding its key and for nothing else.

    :raises NotVerified: not three parts, not decodable, without an issuer, or past its own ``exp``.
    """
    if token.count(b".") != _SEGMENTS - 1:
        raise NotVerified(EtdiCode.TOKEN_INVALID_CLAIMS, "Invalid token format")
    try:
        envelope = open_envelope(token)
        opened = open_jws(token)
        claims = None if opened is None else parse_claims(opened[1])
    except CredentialRefused as problem:
        # Its `because` is a fixed sentence, never a part of the token.
        raise NotVerified(
            EtdiCode.TOKEN_INVALID_CLAIMS, f"Token validation error: {problem.because}"
        ) from None
    if envelope is None or claims is None:
        raise NotVerified(EtdiCode.TOKEN_INVALID_CLAIMS, "Invalid token format")
    expires = claims.get("exp")
    if type(expires) is int and expires <= now:
        raise NotVerified(EtdiCode.TOKEN_EXPIRED, "Token expired")
    return envelope
