"""What an issuer publishes: its metadata, where a setting does not say, and its keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import jwt
import msgspec

from gateway.authoring.providers.exchange import NoAnswer
from gateway.identity.discovery import metadata_urls
from gateway.identity.endpoints import parse_endpoint
from gateway.identity.errors import CredentialRefused, IssuerUnavailable
from gateway.identity.fetch import Fetcher, FetchError
from gateway.identity.jose import parse_claims
from gateway.identity.keys import RemoteKeys

ALGORITHMS: Final = frozenset({"RS256", "ES256"})
"""What a tool's token may be signed with (R083); chosen here, never by the token (C57)."""


class Issuer:
    """One issuer. ``jwks_uri`` None: its metadata says. ``fetcher`` makes what fetches, over open connections."""

    def __init__(self, issuer: str, *, jwks_uri: str | None, fetcher: Callable[[], Fetcher]) -> None:
        self._issuer = issuer
        self._jwks_uri = jwks_uri
        self._fetcher = fetcher
        self._keys: RemoteKeys | None = None
        self._found: dict[str, Any] | None = None

    async def verified(self, raw: bytes, *, kid: str | None, algorithm: str) -> dict[str, Any] | None:
        """The payload of a token that one of its keys signed; None: none did, or nobody can tell."""
        if algorithm not in ALGORITHMS:
            return None
        try:
            key = await (await self._key_source()).find(kid, algorithm)
        except (IssuerUnavailable, NoAnswer):
            return None
        if key is None or algorithm not in key.algorithms:
            return None
        jws = jwt.PyJWS(algorithms=sorted(ALGORITHMS))
        try:
            return parse_claims(jws.decode_complete(raw, key.key, algorithms=[algorithm])["payload"])
        except (jwt.PyJWTError, CredentialRefused, ValueError, TypeError):
            return None

    async def endpoint(self, member: str) -> str:
        """A URL of the issuer's metadata.

        :raises NoAnswer: there is no such document, it is somebody else's, or it does not say.
        """
        if self._found is None:
            self._found = await self._metadata()
        url = self._found.get(member)
        if not isinstance(url, str):
            raise NoAnswer(f"the issuer's metadata names no {member}")
        try:
            parse_endpoint(url)
        except ValueError:
            raise NoAnswer(f"the issuer's metadata names an unusable {member}") from None
        return url

    async def _metadata(self) -> dict[str, Any]:
        """Its ``issuer`` must be the configured one (RFC 8414 section 3.3)."""
        for url in metadata_urls(self._issuer):
            try:
                document = msgspec.json.decode(await self._fetcher().fetch(url))
            except (FetchError, ValueError, RecursionError):
                continue
            if isinstance(document, dict) and document.get("issuer") == self._issuer:
                return document
        raise NoAnswer("the issuer publishes no metadata of its own")

    async def _key_source(self) -> RemoteKeys:
        if self._keys is None:
            uri = self._jwks_uri or await self.endpoint("jwks_uri")
            self._keys = RemoteKeys(issuer=self._issuer, fetcher=self._fetcher(), jwks_uri=uri)
        return self._keys

    async def aclose(self) -> None:
        """End what is under way."""
        keys, self._keys = self._keys, None
        if keys is not None:
            await keys.aclose()
