"""One identity provider: tokens for tools, and whether a token is good. The only module here that opens connections."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import httpx

from gateway.authoring.claims import Grant, ProviderInfo, ToolClaims, Validation
from gateway.authoring.errors import NoToken, Problem
from gateway.authoring.profiles import granted_permissions, tool_claims
from gateway.authoring.providers.config import AzureConfig, ProviderConfig
from gateway.authoring.providers.dialects import Ask, Dialect, answered_scopes, ask, dialect_of
from gateway.authoring.providers.exchange import Answer, Exchange, NoAnswer
from gateway.authoring.providers.issuer import Issuer
from gateway.authoring.providers.problems import normalise
from gateway.authoring.validation import INVALID_ISSUER, INVALID_SIGNATURE, INVALID_TOKEN, validate_payload
from gateway.identity.credentials import MAX_TOKEN_BYTES, Secret, parse_authorization
from gateway.identity.errors import CredentialRefused
from gateway.identity.fetch import HttpFetcher
from gateway.identity.jose import open_envelope, open_jws, parse_claims

ASSUMED_LIFE_S: Final = 60.0
"""Seconds that a token is used whose life nobody told (``expires_in`` is only recommended, RFC 6749 section 5.1)."""
MAX_LIFE_S: Final = 10**9
"""More seconds than any token lives. Python refuses to read, or to convert, a number of thousands of digits."""
_LIFE_DIGITS: Final = 12
_OK: Final = 200
_TOO_MANY: Final = 429
_LOG = logging.getLogger("countersign.authoring")


class OAuthProvider(Protocol):
    """What the rest of this package needs of an identity provider (R111)."""

    @property
    def info(self) -> ProviderInfo:
        """Who it is."""

    @property
    def cache_lifetime_s(self) -> float:
        """Seconds that a token of it is kept at most."""

    async def token_for_tool(self, tool: ToolClaims) -> Grant:
        """A fresh token for exactly this tool. :raises NoToken:"""

    async def validate_token(self, token: Secret, expected: ToolClaims) -> Validation:
        """Whether this token is good for exactly this tool."""

    def supports_token_introspection(self) -> bool:
        """Whether it has an endpoint that tells of opaque tokens (RFC 7662)."""

    @property
    def jwks_uri(self) -> str | None:
        """Where its keys are, if that is known without asking."""

    async def aclose(self) -> None:
        """Close its connections."""


class Provider:
    """See :class:`OAuthProvider`. One HTTP client, opened when it is needed. ``clock`` is unix seconds."""

    def __init__(self, config: ProviderConfig, *, clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._dialect: Dialect = dialect_of(config)
        self._clock = clock
        self._http: httpx.AsyncClient | None = None
        self._issuer = Issuer(
            self._dialect.issuers[0], jwks_uri=self._dialect.jwks_uri, fetcher=self._fetcher
        )

    def __repr__(self) -> str:
        return f"Provider({self._dialect.info.id})"

    @property
    def info(self) -> ProviderInfo:
        """See :class:`OAuthProvider`."""
        return self._dialect.info

    @property
    def jwks_uri(self) -> str | None:
        """See :class:`OAuthProvider`."""
        return self._dialect.jwks_uri

    @property
    def cache_lifetime_s(self) -> float:
        """See :class:`OAuthProvider`."""
        return self._config.cache_lifetime / 1000

    @property
    def is_open(self) -> bool:
        """Whether there is a client with connections that somebody must close."""
        return self._http is not None

    def supports_token_introspection(self) -> bool:
        """See :class:`OAuthProvider`."""
        return self._dialect.introspection_endpoint is not None

    async def token_for_tool(self, tool: ToolClaims) -> Grant:
        """See :class:`OAuthProvider`. What is *not* checked: the signature; :meth:`validate_token` does."""
        question = ask(self._dialect, tool)
        try:
            url = self._dialect.token_endpoint or await self._issuer.endpoint("token_endpoint")
            answer = await Exchange(self._client(), deadline_s=self._deadline_s).post(url, question)
        except NoAnswer as problem:
            text = f"Failed to obtain OAuth token: {problem}"
            raise NoToken(text, Problem(code="no_answer", message=str(problem)), down=True) from None
        if answer.status != _OK:
            raise self._refused(answer)
        grant = self._granted(answer, question)
        self._look_into(grant.token, tool)
        return grant

    def _look_into(self, token: Secret, tool: ToolClaims) -> None:
        """An early look at what whoever verifies will find. Its signature is theirs to check.

        :raises NoToken: it names another tool: a claim that is kept from an earlier question, say. Or it grants less
            than was asked for, and the answer said nothing of it.
        """
        profile = self._dialect.profile
        try:
            opened = open_jws(token.expose())
            if opened is None:
                _LOG.warning(
                    "%s: the tokens of %s are no JWTs; no gateway can verify them", tool.tool_id, self.info.id
                )
                return
            payload = parse_claims(opened[1])
            named = tool_claims(profile, payload)
            granted = granted_permissions(profile, payload, table=self._config.scope_map)
        except (CredentialRefused, ValueError):
            raise _unusable("the answer's token cannot be read") from None
        missing = sorted(set(tool.permissions) - granted)
        if missing:
            raise _unusable(f"the provider did not grant {' '.join(missing)}")
        if any(named.get(name, value) != value for name, value in tool.claims().items()):
            raise _unusable("the answer's token names another tool")
        if "tool_id" not in named or "tool_version" not in named:
            _LOG.warning(
                "%s: the tokens of %s do not name the tool; see docs/authors.md", tool.tool_id, self.info.id
            )

    def _refused(self, answer: Answer) -> NoToken:
        secret = self._config.client_secret.expose().decode()
        problem = normalise(self.info.type, answer.members, secret=secret)
        said = f"{problem.code}: {problem.message}" if answer.members else answer.reason
        down = answer.status >= 500 or answer.status == _TOO_MANY
        return NoToken(f"Failed to obtain OAuth token: {answer.status} {said}", problem, down=down)

    def _granted(self, answer: Answer, question: Ask) -> Grant:
        members = answer.members or {}
        raw, kind = members.get("access_token"), members.get("token_type", "Bearer")
        if not isinstance(raw, str) or not isinstance(kind, str) or kind.lower() != "bearer":
            raise _unusable("the answer holds no bearer token")
        try:
            parse_authorization([f"Bearer {raw}".encode()])
        except (CredentialRefused, UnicodeError):
            raise _unusable("the answer's token is none that could be sent") from None
        granted = answered_scopes(members)
        wanted = self._must_be_granted(question)
        if granted is not None and not wanted <= granted:
            missing = " ".join(sorted(wanted - granted))
            raise _unusable(f"the provider did not grant {missing}")
        return Grant(token=Secret(raw.encode()), life_s=_life(members.get("expires_in")))

    def _must_be_granted(self, question: Ask) -> frozenset[str]:
        """Entra answers with what an application has, not with what was asked for."""
        if isinstance(self._config, AzureConfig):
            return frozenset(self._config.api_scopes)
        return frozenset(question.members.get("scope", "").split(" ")) - {""}

    async def validate_token(self, token: Secret, expected: ToolClaims) -> Validation:
        """See :class:`OAuthProvider`. Introspection is not asked: these tokens are JWTs."""
        raw = token.expose()
        try:
            envelope = open_envelope(raw) if len(raw) <= MAX_TOKEN_BYTES else None
        except CredentialRefused:
            envelope = None
        if envelope is None:
            return Validation(valid=False, reason=INVALID_TOKEN, details="not a JWT")
        if envelope.claimed_issuer not in self._dialect.issuers:
            return Validation(valid=False, reason=INVALID_ISSUER, details="not an issuer of this provider")
        payload = await self._issuer.verified(raw, kid=envelope.kid, algorithm=envelope.algorithm)
        if payload is None:
            return Validation(
                valid=False, reason=INVALID_SIGNATURE, details="Token signature verification failed"
            )
        return validate_payload(
            payload,
            expected,
            profile=self._dialect.profile,
            issuers=self._dialect.issuers,
            audience=self._dialect.audience,
            now=self._clock(),
            scope_map=self._config.scope_map,
        )

    @property
    def _deadline_s(self) -> float:
        return self._config.connection_timeout / 1000

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = httpx.AsyncClient(trust_env=False, timeout=self._deadline_s)
        return self._http

    def _fetcher(self) -> HttpFetcher:
        return HttpFetcher(self._client(), deadline_s=self._deadline_s)

    async def aclose(self) -> None:
        """See :class:`OAuthProvider`. It may be used again afterwards."""
        http, self._http = self._http, None
        await self._issuer.aclose()
        if http is not None:
            await http.aclose()


def _unusable(what: str) -> NoToken:
    return NoToken(f"Failed to obtain OAuth token: {what}", Problem(code="invalid_response", message=what))


def _life(told: Any) -> float:
    """Seconds. What is no number is treated as not told; zero and less is no life."""
    if isinstance(told, str) and told.isascii() and told.isdecimal():
        told = int(told[:_LIFE_DIGITS])  # Entra's v1 endpoint sends text
    if isinstance(told, bool) or not isinstance(told, int | float):
        return ASSUMED_LIFE_S
    return float(max(0, min(told, MAX_LIFE_S)))
