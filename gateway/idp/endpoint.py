"""The identity provider over HTTP. Each handler reads as its checks, in order: rate, form, client, what is asked for.

::

    POST {issuer}/token                       RFC 6749 section 4.4
    POST {issuer}/introspect                  RFC 7662
    POST {issuer}/revoke                      RFC 7009
    POST {issuer}/register                    R116, where it is switched on
    GET  {issuer}/providers/{id}/key          R120
    POST {issuer}/providers/{id}/key          a provider hands in its next key, which waits for an operator (C36, R124)
    GET  {issuer}/.well-known/jwks.json, .../oauth-authorization-server, .../openid-configuration
    GET  {issuer}/health

The limit goes by address, before anything is read: a secret of 256 bits is not guessed, but each try costs the store
two looks and the audit a line. Behind a proxy all have one address, and share the limit.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.door.headers import Headers
from gateway.door.http import ClientGone, read_body
from gateway.errors import CountersignError, StoreUnavailable, Unavailable
from gateway.idp.client_auth import ClientAuthentication, shown_credentials
from gateway.idp.errors import IdpRefused, OAuthRefused, Refusal
from gateway.idp.form import MAX_FORM_BYTES, parse_form
from gateway.idp.introspection import Introspection
from gateway.idp.issued import IssuedTokens
from gateway.idp.issuing import Issuing
from gateway.idp.key_book import KeyBook
from gateway.idp.metadata import JWKS, key_set, metadata, path_of, well_known_paths
from gateway.idp.provider import Provider, Status
from gateway.idp.providers import Providers
from gateway.idp.public_key import read_public_key
from gateway.idp.record import Records
from gateway.idp.registration import public_key_answer, read_registration, registered_answer

NO_STORE: Final = {"cache-control": "no-store", "pragma": "no-cache", "x-content-type-options": "nosniff"}
_METADATA_AGE_S: Final = 3600
Form = Mapping[str, str]


class Meter(Protocol):
    """Counts what one address asks; see :class:`gateway.rate.bucket.Buckets`."""

    def take(self, key: str) -> float:
        """0.0, or the seconds to wait."""


class Health(Protocol):
    """Whether the audit takes records."""

    @property
    def healthy(self) -> bool: ...


class Pinging(Protocol):
    """Whether the store answers."""

    async def ping(self) -> None: ...


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What is served: ``jwks_age_s`` is how long a verifier may keep the key set; ``registration`` whether strangers
    may register, ``approval_required`` whether an operator must agree."""

    issuer: str
    algorithm: str
    jwks_age_s: int
    registration: bool
    approval_required: bool


class Endpoint:
    """The handlers. ``now``: unix seconds."""

    def __init__(
        self,
        offer: Offer,
        *,
        keys: KeyBook,
        providers: Providers,
        tokens: IssuedTokens,
        clients: ClientAuthentication,
        issuing: Issuing,
        introspection: Introspection,
        records: Records,
        store: Pinging,
        audit: Health,
        meter: Meter | None,
        registrations: Meter,
        now: Callable[[], float],
    ) -> None:
        self._offer = offer
        self._keys = keys
        self._providers = providers
        self._tokens = tokens
        self._clients = clients
        self._issuing = issuing
        self._introspection = introspection
        self._records = records
        self._store = store
        self._audit = audit
        self._meter = meter
        self._registrations = registrations
        self._now = now

    def routes(self, outside: str = "") -> list[BaseRoute]:
        """All of them, for an application of our own or the gateway's. ``outside``: what a proxy takes away."""
        base = path_of(self._offer.issuer).removeprefix(outside)
        document = metadata(self._offer.issuer, self._offer.algorithm)

        async def described(_: Request) -> Response:
            return JSONResponse(document, headers=_kept(_METADATA_AGE_S))

        return [
            *(Route(path, described) for path in well_known_paths(self._offer.issuer, base)),
            Route(base + JWKS, self._limited(self.key_set)),
            Route(f"{base}/token", self._for_clients(self.token), methods=["POST"]),
            Route(f"{base}/introspect", self._for_clients(self.introspect), methods=["POST"]),
            Route(f"{base}/revoke", self._for_clients(self.revoke), methods=["POST"]),
            Route(f"{base}/providers/{{id}}/key", self._for_clients(self.propose_key), methods=["POST"]),
            Route(f"{base}/providers/{{id}}/key", self._limited(self.provider_key)),
            *(
                [Route(f"{base}/register", self._limited(self.register), methods=["POST"])]
                if self._offer.registration
                else []
            ),
            Route(f"{base}/health", self.health),
        ]

    async def token(self, _: Request, form: Form, provider: Provider) -> Response:
        """A token, or why not."""
        return _answer(msgspec.to_builtins(await self._issuing.issue(provider, form)))

    async def introspect(self, _: Request, form: Form, provider: Provider) -> Response:
        """Whether a token is good."""
        return _answer(await self._introspection.describe(_token_of(form), provider))

    async def revoke(self, _: Request, form: Form, provider: Provider) -> Response:
        """A provider gives one of its own tokens up. What is no such token is answered alike (RFC 7009 section 2.2)."""
        claims = await self._introspection.verified(_token_of(form))
        if claims is not None and claims["sub"] == provider.id:
            revoked = await self._tokens.revoke(claims["jti"])
            if revoked is not None:
                # Revoked first: a full audit disk must not keep a stolen token alive.
                await self._records.revoked(revoked)
        return Response(status_code=200, headers=NO_STORE)

    async def propose_key(self, request: Request, form: Form, provider: Provider) -> Response:
        """The next key of a provider; the pinned one goes on until an operator approves."""
        if request.path_params["id"] != provider.id:
            raise OAuthRefused(Refusal.INVALID_REQUEST, "These are the credentials of another provider.")
        key = read_public_key(form.get("public_key"))
        made = await self._providers.change(
            provider.id, lambda found, now: found.with_proposed(key, now), record=self._records.proposed
        )
        return _answer({"providerId": made.id, "keyId": key[0], "status": Status.PENDING.value}, status=202)

    async def provider_key(self, request: Request) -> Response:
        """``getProviderPublicKey``."""
        named = str(request.path_params["id"])
        answer = public_key_answer(named, await self._providers.find(named), self._now())
        return JSONResponse(answer, headers=_kept(self._offer.jwks_age_s))

    async def key_set(self, _: Request) -> Response:
        """The public keys; read anew each time, so that a revoked one is gone at once."""
        ring = await self._keys.ensure()
        return JSONResponse(key_set(ring, self._now()), headers=_kept(self._offer.jwks_age_s))

    async def register(self, request: Request) -> Response:
        """Somebody wants to provide tools; without an operator's grants they are given none."""
        if request.headers.get("content-type", "").split(";", 1)[0].strip().lower() != "application/json":
            raise IdpRefused("Send application/json.", code="idp.registration")
        wanted = read_registration(await _body(request))
        # Of all strangers together: looking for room goes through the whole store where that is a Redis.
        if (wait := self._registrations.take("")) or not await self._providers.room_for_pending():
            raise OAuthRefused(
                Refusal.TOO_MANY,
                "Too many registrations; try again later.",
                retry_after_s=math.ceil(wait) or 3600,
            )
        made, secret = await self._providers.register(
            wanted.about,
            public_key=wanted.public_key,
            status=Status.PENDING if self._offer.approval_required else Status.APPROVED,
            record=self._records.registered,
        )
        return _answer(registered_answer(made, secret), status=201)

    async def health(self, _: Request) -> Response:
        """Whether it could issue a token now: yes or no, and no more for whoever asks."""
        try:
            await self._store.ping()
            await self._keys.signer()
            well = self._audit.healthy
        except Unavailable:
            well = False
        return JSONResponse({"ready": well}, status_code=200 if well else 503, headers=NO_STORE)

    def _for_clients(
        self, handler: Callable[[Request, Form, Provider], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """What only an approved client may ask; a refusal has its line in the audit."""

        async def served(request: Request) -> Response:
            named: str | None = None
            try:
                form = parse_form(request.headers.get("content-type", ""), await _body(request))
                shown = shown_credentials(request.headers.getlist("authorization"), form)
                named = shown.client_id
                return await handler(request, form, await self._clients.authenticate(shown))
            except (OAuthRefused, IdpRefused) as problem:
                await self._records.refused(problem.code, named)
                raise

        return self._limited(served)

    def _limited(
        self, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """What anybody may ask so often; errors become answers here."""

        async def served(request: Request) -> Response:
            wait = 0.0
            if self._meter is not None:
                wait = self._meter.take(asker_of(request.client.host if request.client else ""))
            try:
                if wait:
                    raise OAuthRefused(
                        Refusal.TOO_MANY, "Too many requests; wait.", retry_after_s=math.ceil(wait)
                    )
                return await handler(request)
            except ClientGone:
                return Response(status_code=400)
            except CountersignError as problem:
                return refused(problem, self._offer.issuer)

        return served


def asker_of(address: str) -> str:
    """What is counted as one asker: an IPv4 address, or the network of 64 bits that one IPv6 host has to itself.

    Attack: a new address of one's own 2^64 for each try.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.IPv6Network((found, 64), strict=False))
    return address


def refused(problem: CountersignError, issuer: str) -> Response:
    """An error as RFC 6749 section 5.2 spells it, with our code beside it."""
    if isinstance(problem, OAuthRefused):
        error, status = problem.error, problem.status
    elif isinstance(problem, Unavailable):
        error, status = "temporarily_unavailable", 503
    else:
        error, status = "invalid_request", problem.http_status
    headers = dict(NO_STORE)
    if status == 401:
        headers["www-authenticate"] = f'Basic realm="{issuer}", charset="UTF-8"'
    if isinstance(problem, OAuthRefused) and problem.retry_after_s is not None:
        headers["retry-after"] = str(problem.retry_after_s)
    elif isinstance(problem, StoreUnavailable):
        headers["retry-after"] = "5"
    body = {"error": error, "error_description": problem.message, "code": problem.code}
    return JSONResponse(body, status_code=status, headers=headers)


def _answer(body: Mapping[str, Any], *, status: int = 200) -> Response:
    return JSONResponse(dict(body), status_code=status, headers=NO_STORE)


def _kept(seconds: int) -> dict[str, str]:
    return {"cache-control": f"public, max-age={seconds}", "x-content-type-options": "nosniff"}


def _token_of(form: Form) -> str:
    if "token" not in form:
        raise OAuthRefused(Refusal.INVALID_REQUEST, "The parameter token is missing.")
    return form["token"]


async def _body(request: Request) -> bytes:
    return await read_body(request.receive, Headers(request.headers.raw), limit=MAX_FORM_BYTES)
