"""Identity providers of four kinds on a real socket: they take what the real ones take, and grant real signed tokens.

Each insists on its own content type and client authentication and answers errors in its own shape. What a tenant's
Action, token hook or claims policy would do (copy the tool's claims into the token) is done here.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.serving import serving
from tests.support.keys import SigningKey, key_set, signing_key

CLIENT_ID = "files-server"
CLIENT_SECRET = "s3cret+with/odd=characters"
AUDIENCE = "https://gateway.example/etdi"
TENANT = "6f1b0d0e-7a0c-4a53-9a06-0c2f6d2f9d11"

Answering = Callable[["Seen"], Awaitable[Response | None]]


@dataclass(kw_only=True)
class Seen:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    members: dict[str, str]


@dataclass(kw_only=True)
class ToolIdp:
    """``answer`` may answer in the provider's place; None grants. ``claims`` are added to every token, None removes."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    key: SigningKey = field(default_factory=lambda: signing_key("RS256"))
    life_s: int = 3600
    claims: dict[str, Any] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)
    answer: Answering | None = None
    key_fetches: int = 0

    @property
    def domain(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")

    def config(self, kind: str) -> dict[str, Any]:
        """Good settings of this kind."""
        own = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
        match kind:
            case "auth0":
                return {**own, "domain": self.domain, "audience": AUDIENCE}
            case "okta":
                return {**own, "domain": self.domain, "audience": AUDIENCE}
            case "azure":
                return {
                    **own,
                    "tenantId": TENANT,
                    "authority": self.url,
                    "apiResourceId": f"api://{AUDIENCE}",
                }
            case _:
                return {**own, "issuer": self.url, "audience": AUDIENCE}

    def app(self) -> Starlette:
        """Every endpoint of the four."""
        post = ["POST"]
        return Starlette(
            routes=[
                Route("/oauth/token", self._auth0, methods=post),
                Route("/oauth2/{server}/v1/token", self._okta, methods=post),
                Route("/{tenant}/oauth2/v2.0/token", self._azure, methods=post),
                Route("/token", self._custom, methods=post),
                Route("/.well-known/jwks.json", self._keys),
                Route("/oauth2/{server}/v1/keys", self._keys),
                Route("/{tenant}/discovery/v2.0/keys", self._keys),
                Route("/.well-known/oauth-authorization-server", self._metadata),
            ]
        )

    def token(self, claims: dict[str, Any], **header: Any) -> str:
        """A token with these claims besides the times; None leaves one out."""
        now = int(time.time())
        made = {"iat": now, "exp": now + self.life_s, "jti": f"j{len(self.seen)}", **claims, **self.claims}
        return self.key.sign({key: value for key, value in made.items() if value is not None}, **header)

    async def _auth0(self, request: Request) -> Response:
        if request.headers["content-type"] != "application/json":
            return _error(400, error="invalid_request", error_description="JSON is wanted")
        seen = self._see(request, json.loads(await request.body()))
        if not _is(seen.members.get("client_id"), seen.members.get("client_secret")):
            return _error(
                401, error="access_denied", error_description="Unauthorized", error_uri="https://auth0.com/x"
            )
        claims = {key: value for key, value in seen.members.items() if key.startswith("https://etdi.tools/")}
        claims |= {"iss": f"{self.url}/", "aud": seen.members["audience"], "scope": seen.members["scope"]}
        return await self._grant(seen, claims, scope=seen.members["scope"])

    async def _okta(self, request: Request) -> Response:
        seen = self._see(request, _form(request, await request.body()))
        if not _basic(request):
            return _error(
                401, errorCode="invalid_client", errorSummary="Invalid value for 'client_id' parameter."
            )
        claims: dict[str, Any] = {
            key: value for key, value in seen.members.items() if key.startswith("etdi_")
        }
        issuer = f"{self.url}/oauth2/{request.path_params['server']}"
        claims |= {"iss": issuer, "aud": seen.members["audience"], "scp": seen.members["scope"].split(" ")}
        return await self._grant(seen, claims, scope=seen.members["scope"])

    async def _azure(self, request: Request) -> Response:
        seen = self._see(request, _form(request, await request.body()))
        if not _is(seen.members.get("client_id"), seen.members.get("client_secret")):
            return _error(
                401,
                error="invalid_client",
                error_description=f"AADSTS7000215: Invalid client secret provided: {seen.members['client_secret']}",
                error_codes=[7000215],
                correlation_id="efb63b0e-1bfe-4320-bb54-8999d91d2631",
            )
        assert seen.members["scope"].endswith("/.default"), "Entra takes nothing else from applications"
        claims: dict[str, Any] = {
            key: value for key, value in seen.members.items() if key.startswith("etdi_")
        }
        tenant = request.path_params["tenant"]
        claims |= {"iss": f"{self.url}/{tenant}/v2.0", "tid": tenant, "aud": AUDIENCE}
        claims["roles"] = ["tool.filesystem:read:/data", "tool.echo:say"]
        return await self._grant(seen, claims)

    async def _custom(self, request: Request) -> Response:
        seen = self._see(request, _form(request, await request.body()))
        posted = _is(seen.members.get("client_id"), seen.members.get("client_secret"))
        if not posted and not _basic(request):
            return _error(401, error="invalid_client")
        claims = json.loads(seen.members["tool_claims"])
        claims |= {"iss": self.url, "sub": "provider", "aud": seen.members.get("audience", AUDIENCE)}
        claims["scope"] = seen.members.get("scope", "")
        return await self._grant(seen, claims, scope=claims["scope"], typ="etdi+jwt")

    async def _grant(
        self, seen: Seen, claims: dict[str, Any], *, typ: str = "at+jwt", **members: str
    ) -> Response:
        said = await self.answer(seen) if self.answer is not None else None
        if said is not None:
            return said
        made = {
            "access_token": self.token(claims, typ=typ),
            "token_type": "Bearer",
            "expires_in": self.life_s,
            **members,
            **self.members,
        }
        return JSONResponse({key: value for key, value in made.items() if value is not None})

    async def _keys(self, request: Request) -> Response:
        self.key_fetches += 1
        return Response(key_set(self.key), media_type="application/json")

    async def _metadata(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/.well-known/jwks.json",
            }
        )

    def _see(self, request: Request, members: dict[str, str]) -> Seen:
        seen = Seen(path=request.url.path, headers=dict(request.headers), members=members)
        self.seen.append(seen)
        assert members["grant_type"] == "client_credentials"
        return seen


def _form(request: Request, body: bytes) -> dict[str, str]:
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    pairs = parse_qsl(body.decode(), strict_parsing=True, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs), "parameters must not be sent twice (RFC 6749 section 3.2)"
    return dict(pairs)


def _is(client_id: str | None, secret: str | None) -> bool:
    return (client_id, secret) == (CLIENT_ID, CLIENT_SECRET)


def _basic(request: Request) -> bool:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    return scheme == "Basic" and _is(unquote_plus(client_id), unquote_plus(secret))


def _error(status: int, **members: Any) -> Response:
    return JSONResponse(members, status_code=status)


@asynccontextmanager
async def running_tool_idp() -> AsyncIterator[ToolIdp]:
    """On a free port of loopback, until the block ends."""
    idp = ToolIdp()
    async with serving(idp.app()) as port:
        idp.url = f"http://127.0.0.1:{port}"
        yield idp
