"""One tool token -> proven, or why not. The order is the point: trust first, then the network (C59).

1. Definition complete, provider named.
2. The provider it names is one that the operator trusts, and may speak for this tool's provider.
3. A first look at the token; its issuer is exactly that provider's.
4. Algorithm on the issuer's list, type one of a tool token's.
5. The key, by kid, from the issuer's own set. The algorithm must also be the key's own.
6. The signature. From here on only the payload that it covers is read.
7. The claims. 8. If the operator wants it, or the issuer is this very gateway, its word that the token still counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

import jwt

from gateway.catalog.definition import Definition
from gateway.catalog.verification import Standing
from gateway.etdi.claims import check_claims
from gateway.etdi.early import first_look
from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.etdi.introspection import Introspection
from gateway.etdi.trust import TokenIssuer, Trust
from gateway.identity.credentials import Secret
from gateway.identity.errors import CredentialRefused, IssuerUnavailable
from gateway.identity.jose import Envelope, parse_claims
from gateway.identity.jwk import SUPPORTED_ALGORITHMS, VerificationKey

TYPES: Final = (None, "jwt", "at+jwt", "etdi+jwt", "etdi-tool+jwt")
"""Of a token's header, in small letters and without ``application/``. ID tokens and others say ``jwt`` too: audience
and tool claims keep those out."""
_INVALID_CLAIMS: Final = EtdiCode.TOKEN_INVALID_CLAIMS
_INVALID_SIGNATURE: Final = EtdiCode.TOKEN_INVALID_SIGNATURE
_JWS: Final = jwt.PyJWS(algorithms=sorted(SUPPORTED_ALGORITHMS))
"""Without ``none`` and HS*: what is not registered cannot be chosen."""


class IssuerKeys(Protocol):
    """An issuer's keys, of which results can be held to what they rested on."""

    @property
    def generation(self) -> int:
        """Grows whenever a key was withdrawn or replaced."""

    def current(self) -> bool:
        """Whether there are keys that may still be believed; never waits."""

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """The key for a token header. :raises IssuerUnavailable:"""

    async def refetch(self) -> bool:
        """Ask for the set anew, if the last time is long enough ago; False if it is not."""


class OwnIssuer(Protocol):
    """The identity provider that this gateway mounts, asked without HTTP."""

    async def standing(self, token: Secret) -> Standing:
        """What can be asked again before each call.

        :raises NotVerified: ``token_invalid_claims``: not active; ``system_unavailable``: nobody can say.
        """


class Proven(NamedTuple):
    """``expires``: the token's end, and ``until``: when this has to be looked into again, at the latest; unix seconds.
    ``generation``: of ``keys`` as the token verified. ``standing``: see :class:`OwnIssuer`."""

    expires: float
    until: float
    keys: IssuerKeys
    generation: int
    standing: Standing | None = None


class TokenVerifier:
    """Verifies tool tokens of the trusted issuers. ``keys``, ``introspection`` and ``own`` are by issuer URL."""

    def __init__(
        self,
        trust: Trust,
        *,
        keys: Mapping[str, IssuerKeys],
        introspection: Mapping[str, Introspection] | None = None,
        own: Mapping[str, OwnIssuer] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._trust = trust
        self._keys = keys
        self._introspection = introspection or {}
        self._own = own or {}
        self._clock = clock

    def issuer_of(self, definition: Definition) -> TokenIssuer:
        """Steps 1 and 2; asks nobody. :raises NotVerified:"""
        block = definition.block
        if block.id is None:
            raise NotVerified(EtdiCode.TOOL_MISSING_ID)
        if block.version is None:
            raise NotVerified(EtdiCode.TOOL_MISSING_VERSION)
        if definition.provider is None or block.oauth is None or block.oauth.provider is None:
            raise NotVerified(EtdiCode.PROVIDER_MISSING, "Missing OAuth provider information")
        issuer = self._trust.issuer(block.oauth.provider)
        if issuer is None:
            raise NotVerified(EtdiCode.PROVIDER_UNTRUSTED, "Untrusted OAuth provider")
        if definition.provider not in issuer.providers:
            raise NotVerified(
                EtdiCode.PROVIDER_UNTRUSTED, "OAuth provider may not speak for this tool's provider"
            )
        return issuer

    async def verify(self, definition: Definition) -> Proven:
        """All of it. :raises NotVerified: with the code and the text of the first step that fails."""
        issuer = self.issuer_of(definition)  # 1, 2
        oauth = definition.block.oauth
        token = (oauth.token or "" if oauth is not None else "").encode("utf-8", "replace")
        envelope = first_look(token, now=self._clock())  # 3
        if envelope.claimed_issuer != issuer.issuer:
            raise NotVerified(_INVALID_CLAIMS, "Token issuer is not the trusted one")
        _check_header(envelope, issuer)  # 4
        keys = self._keys[issuer.issuer]
        payload, generation = await self._payload(token, envelope, keys)  # 5, 6
        try:
            claims = parse_claims(payload)
        except CredentialRefused:
            raise NotVerified(_INVALID_CLAIMS, "Token validation error: claims are no object") from None
        until = expires = float(check_claims(claims, definition, issuer, now=self._clock()))  # 7
        asked = self._introspection.get(issuer.issuer)
        if asked is not None:
            until = min(until, await asked.active_until(Secret(token)))  # 8
        own = self._own.get(issuer.issuer)
        standing = None if own is None else await own.standing(Secret(token))  # 8
        return Proven(expires, until, keys, generation, standing)

    async def _payload(self, token: bytes, envelope: Envelope, keys: IssuerKeys) -> tuple[bytes, int]:
        """A signature that fails under a known kid is tried once more with the set as it is now: issuers that put
        another key under an old kid exist. How often strangers can cause that is the key source's to bound."""
        key = await self._key(envelope, keys)
        payload = None if key is None else verified_payload(token, key, envelope.algorithm)
        generation = keys.generation
        if payload is None and await keys.refetch():
            again = await self._key(envelope, keys)
            if again is not None and (key is None or again.identity != key.identity):
                payload, generation = verified_payload(token, again, envelope.algorithm), keys.generation
        if payload is None:
            # An unknown key may be published a moment later; a bad signature stays bad.
            raise NotVerified(_INVALID_SIGNATURE, "Invalid token signature", definitive=key is not None)
        return payload, generation

    async def _key(self, envelope: Envelope, keys: IssuerKeys) -> VerificationKey | None:
        try:
            return await keys.find(envelope.kid, envelope.algorithm)
        except IssuerUnavailable:
            raise NotVerified(
                EtdiCode.PROVIDER_UNAVAILABLE, "Token validation error: no keys from the provider"
            ) from None


def _check_header(envelope: Envelope, issuer: TokenIssuer) -> None:
    if envelope.algorithm not in issuer.algorithms:
        raise NotVerified(_INVALID_SIGNATURE, "Invalid token signature")
    typ = None if envelope.typ is None else envelope.typ.lower().removeprefix("application/")
    if typ not in TYPES:
        raise NotVerified(_INVALID_CLAIMS, "Token validation error: the type is not that of a tool token")


def verified_payload(token: bytes, key: VerificationKey, algorithm: str) -> bytes | None:
    """The payload of a compact JWS that this key signed with this algorithm, which must be one of the key's own."""
    if algorithm not in key.algorithms:
        return None
    try:
        payload: bytes = _JWS.decode_complete(token, key.key, algorithms=[algorithm])["payload"]
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return payload
