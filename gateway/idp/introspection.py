"""Whether a token of ours is good now (RFC 7662, R119): ``{"active": false}`` and nothing else for every doubt.

All of it must hold: the type, a key of the key set by its name, the algorithm that is that key's own, the signature,
issuer, audience, expiry, a record that just this was issued and not revoked, and a provider that is still approved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt
import msgspec

from gateway.identity.credentials import MAX_TOKEN_BYTES
from gateway.identity.errors import CredentialRefused
from gateway.identity.jose import open_jws, parse_claims
from gateway.identity.jwk import verification_key
from gateway.idp.issued import Issued, IssuedTokens
from gateway.idp.issuing import TYPE, Rules
from gateway.idp.key_book import KeyBook
from gateway.idp.provider import Provider, Status
from gateway.idp.providers import Providers

INACTIVE: Final[dict[str, Any]] = {"active": False}
_JWS: Final = jwt.PyJWS(algorithms=["ES256", "RS256"])
_TOOL: Final = ("tool_id", "tool_version", "tool_provider", "definition_hash")
_SHOWN: Final = ("iss", "sub", "aud", "iat", "exp", "jti", "scope", "client_id", *_TOOL)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A token by what can be revoked about it; not the token itself."""

    kid: str
    jti: str
    provider: str


class Introspection:
    """``now``: unix seconds."""

    def __init__(
        self,
        rules: Rules,
        keys: KeyBook,
        providers: Providers,
        tokens: IssuedTokens,
        *,
        now: Callable[[], float],
    ) -> None:
        self._rules = rules
        self._keys = keys
        self._providers = providers
        self._tokens = tokens
        self._now = now

    async def describe(self, token: str, asker: Provider) -> dict[str, Any]:
        """The answer. A provider is told of its own tokens only; who may introspect, of all.

        :raises StoreUnavailable: nobody can say; an answer would be a guess.
        """
        claims = await self.verified(token)
        if claims is None or not (asker.introspects or claims["sub"] == asker.id):
            return INACTIVE
        if not await self._issued(claims):
            return INACTIVE
        answer: dict[str, Any] = {
            "active": True,
            "token_type": "Bearer",
            **{name: claims[name] for name in _SHOWN if name in claims},
        }
        if "tool_id" in claims:
            answer["toolDetails"] = {name: claims[name] for name in _TOOL if name in claims}
        return answer

    async def mark(self, token: str) -> Mark | None:
        """What is asked again of a token that is active now, or None. :raises StoreUnavailable:"""
        claims = await self.verified(token)
        if claims is None or not await self._issued(claims):
            return None
        return Mark(kid=jwt.get_unverified_header(token)["kid"], jti=claims["jti"], provider=claims["sub"])

    async def stands(self, mark: Mark) -> bool:
        """Whether nobody has revoked since the token, its key or its provider. The end of the token is not looked at.

        :raises StoreUnavailable: nobody can say.
        """
        if not await self._counts(await self._tokens.find(mark.jti), mark.provider):
            return False
        key = (await self._keys.read()).find(mark.kid)
        return key is not None and key.vouches(self._now())

    async def _issued(self, claims: Mapping[str, Any]) -> bool:
        issued = await self._tokens.find(claims["jti"])
        return issued is not None and issued.says(claims) and await self._counts(issued, claims["sub"])

    async def _counts(self, issued: Issued | None, provider_id: str) -> bool:
        if issued is None or issued.revoked_at is not None or issued.provider != provider_id:
            return False
        provider = await self._providers.find(provider_id)
        return provider is not None and provider.status is Status.APPROVED

    async def verified(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that a key of ours signed and that has not expired; None otherwise."""
        if len(token) > MAX_TOKEN_BYTES or not token.isascii():
            return None
        try:
            opened = open_jws(token.encode())
        except CredentialRefused:
            return None
        kid = None if opened is None else opened[0].get("kid")
        if opened is None or opened[0].get("typ") != TYPE or not isinstance(kid, str):
            return None
        key = (await self._keys.read()).find(kid)
        now = self._now()
        if key is None or not key.vouches(now) or opened[0].get("alg") != key.algorithm:
            return None
        public = verification_key(dict(key.published()))
        if public is None:
            return None
        try:
            _JWS.decode_complete(token, public.key, algorithms=[key.algorithm])
            claims = parse_claims(opened[1])
        except (jwt.PyJWTError, CredentialRefused, ValueError, TypeError):
            return None
        expires = claims.get("exp")
        good = (
            claims.get("iss") == self._rules.issuer
            and claims.get("aud") == self._rules.audience
            and type(expires) is int
            and now < expires
            and all(isinstance(claims.get(name), str) for name in ("sub", "jti"))
        )
        return claims if good else None
