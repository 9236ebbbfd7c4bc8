"""JWT access tokens (RFC 9068): bytes -> caller.

1. A token that verified within the last minute: done.
2. Open the envelope. Not a JWT: not ours.
3. The claimed issuer must be a configured one, exactly, before any of its keys is looked for (no request to a
   place that a stranger names).
4. Header: algorithm on the issuer's list, type of an access token, no extension.
5. The key: by kid and algorithm, from the issuer's own set. The algorithm must also be the key's own.
6. The signature. From here on only the payload that it covers is read.
7. The claims.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import jwt

from gateway.identity.cache import VerifiedTokens, token_at
from gateway.identity.caller import Caller
from gateway.identity.claims import caller_from_claims
from gateway.identity.credentials import Secret
from gateway.identity.errors import Code, CredentialRefused
from gateway.identity.issuer import TrustedIssuer
from gateway.identity.jose import check_header, open_envelope, parse_claims
from gateway.identity.jwk import SUPPORTED_ALGORITHMS, VerificationKey
from gateway.identity.keys import KeySource
from gateway.identity.metadata import canonical_resource


class JwtVerifier:
    """Verifies access tokens of the configured issuers.

    ``audience`` is the gateway's canonical URL. ``clock`` gives unix seconds.
    What is *not* checked: revocation before expiry (keep lifetimes short, or ask the issuer by
    introspection).

    :raises ValueError: no issuer, one issuer twice, or an audience that is no canonical URL.
    """

    def __init__(
        self,
        *,
        audience: str,
        issuers: Sequence[tuple[TrustedIssuer, KeySource]],
        clock: Callable[[], float] = time.time,
        verified: VerifiedTokens | None = None,
    ) -> None:
        self._audience = canonical_resource(audience)
        self._issuers = {trusted.issuer: (trusted, keys) for trusted, keys in issuers}
        if not issuers or len(self._issuers) != len(issuers):
            raise ValueError("a JWT verifier needs at least one issuer, and each issuer once")
        self._clock = clock
        self._verified = VerifiedTokens() if verified is None else verified
        # Without `none` and HS*: what is not registered cannot be chosen, whatever a header or a setting
        # says.
        self._jws = jwt.PyJWS(algorithms=sorted(SUPPORTED_ALGORITHMS))

    async def verify(self, token: Secret, server: str = "") -> Caller | None:
        """See :class:`~gateway.identity.verifier.Verifier`."""
        digest = token_at(token, server)
        cached = self._verified.get(digest, self._clock())  # (1)
        if cached is not None:
            return cached
        raw = token.expose()
        envelope = open_envelope(raw)  # (2)
        if envelope is None:
            return None
        known = self._issuers.get(envelope.claimed_issuer)  # (3)
        if known is None:
            raise CredentialRefused(Code.ISSUER_UNKNOWN)
        trusted, keys = known
        check_header(envelope, trusted)  # (4)
        key = await keys.find(envelope.kid, envelope.algorithm)  # (5)
        generation = keys.generation
        if key is None:
            raise CredentialRefused(Code.TOKEN_INVALID, "the issuer has no such key")
        payload = self._signed_payload(raw, key, envelope.algorithm)  # (6)
        now = self._clock()
        caller, expires = caller_from_claims(  # (7)
            parse_claims(payload), trusted=trusted, audience=self._audience, now=now, server=server
        )
        self._verified.put(digest, caller, expires=expires, now=now, keys=keys, generation=generation)
        return caller

    def _signed_payload(self, token: bytes, key: VerificationKey, algorithm: str) -> bytes:
        if algorithm not in key.algorithms:
            raise CredentialRefused(Code.TOKEN_INVALID, "the key is not for this algorithm")
        try:
            payload: bytes = self._jws.decode_complete(token, key.key, algorithms=[algorithm])["payload"]
        except (jwt.PyJWTError, ValueError, TypeError):
            # `from None`: what the library says may quote the token.
            raise CredentialRefused(Code.TOKEN_INVALID, "the signature does not verify") from None
        return payload
