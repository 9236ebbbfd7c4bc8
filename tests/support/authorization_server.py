"""A small authorization server on loopback, and a resource server beside it. Real HTTP, real checks, auto-consent.

It checks what a good one checks: PKCE, redirect, resource, DPoP proofs with their nonce, rotation with the revocation
of a whole family. ``Mischief`` makes it a bad one.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from gateway.serving import serving

INTROSPECTOR = "gateway"
INTROSPECTOR_SECRET = "unsafe-secret-of-the-gateway"


@dataclass(kw_only=True)
class Mischief:
    """What the server does wrong. None of it is: it is well-behaved."""

    state: str | None = None
    iss: str | None = None
    resource: str | None = None
    issuer: str | None = None
    token_endpoint: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    resource_metadata: str | None = None
    token_status: int | None = None


@dataclass(kw_only=True)
class AuthorizationServer:
    """State of the server, and what reached it. ``tokens``: valid access token -> its scopes and key."""

    url: str = ""
    protects: str = ""
    """Another resource than the one beside it: a gateway, which asks ``/introspect`` about tokens."""
    dpop: bool = False
    nonces: bool = False
    pending_polls: int = 0
    life_s: int = 3_600
    needs: tuple[str, ...] = ("mcp:tools",)
    mischief: Mischief = field(default_factory=Mischief)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    registered: list[dict[str, Any]] = field(default_factory=list)
    authorized: list[dict[str, str]] = field(default_factory=list)
    token_requests: list[dict[str, str]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    proofs: set[str] = field(default_factory=set)
    authorizations: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _refresh: dict[str, str] = field(default_factory=dict)
    _spent: dict[str, str] = field(default_factory=dict)
    nonce: str = "first-nonce"

    @property
    def resource(self) -> str:
        """The protected resource: an MCP endpoint that says who it is."""
        return self.protects or f"{self.url}/mcp"

    def app(self) -> Starlette:
        """All routes."""
        return Starlette(
            routes=[
                Route("/.well-known/oauth-protected-resource/mcp", self._resource_metadata),
                Route("/.well-known/oauth-authorization-server", self._metadata),
                Route("/register", self._register, methods=["POST"]),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/device", self._device, methods=["POST"]),
                Route("/introspect", self._introspect, methods=["POST"]),
                Route("/mcp", self._mcp, methods=["POST", "GET", "DELETE"]),
            ]
        )

    async def _resource_metadata(self, request: Request) -> Response:
        return JSONResponse(
            {
                "resource": self.mischief.resource or self.resource,
                "authorization_servers": [self.url],
                "scopes_supported": ["mcp:tools"],
            }
        )

    async def _metadata(self, request: Request) -> Response:
        document: dict[str, Any] = {
            "issuer": self.mischief.issuer or self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": self.mischief.token_endpoint or f"{self.url}/token",
            "registration_endpoint": f"{self.url}/register",
            "device_authorization_endpoint": f"{self.url}/device",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "scopes_supported": ["mcp:tools", "offline_access"],
            **({"dpop_signing_alg_values_supported": ["ES256"]} if self.dpop else {}),
            **self.mischief.metadata,
        }
        return JSONResponse({name: value for name, value in document.items() if value is not None})

    async def _register(self, request: Request) -> Response:
        wanted = await request.json()
        self.registered.append(wanted)
        client = f"client-{len(self.registered)}"
        return JSONResponse({**wanted, "client_id": client, "token_endpoint_auth_method": "none"}, 201)

    async def _authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.authorized.append(query)
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["resource"] == self.resource
        code = secrets.token_urlsafe(24)
        self._codes[code] = query
        state = self.mischief.state or query["state"]
        iss = self.mischief.iss or self.url
        return RedirectResponse(f"{query['redirect_uri']}?code={code}&state={state}&iss={iss}", 302)

    async def _device(self, request: Request) -> Response:
        form = await request.form()
        self._codes["device"] = {"client_id": str(form["client_id"]), "scope": str(form.get("scope", ""))}
        return JSONResponse(
            {
                "device_code": "device",
                "user_code": "WDJB-MJHT",
                "verification_uri": f"{self.url}/enter",
                "interval": 1,
                "expires_in": 60,
            }
        )

    async def _introspect(self, request: Request) -> Response:
        """RFC 7662, for the one resource server that has an account here."""
        expected = base64.b64encode(f"{INTROSPECTOR}:{INTROSPECTOR_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return JSONResponse({"error": "invalid_client"}, 401)
        known = self.tokens.get(str((await request.form())["token"]))
        if known is None:
            return JSONResponse({"active": False})
        facts = {
            "active": True,
            "iss": self.url,
            "sub": "alice",
            "client_id": "client-1",
            "aud": self.resource,
            "exp": int(time.time()) + self.life_s,
            "scope": " ".join(known["scopes"]),
            "roles": ["agent"],
            "token_type": "DPoP" if known["key"] else "Bearer",
        }
        return JSONResponse({**facts, "cnf": {"jkt": known["key"]}} if known["key"] else facts)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.token_requests.append(form)
        if self.mischief.token_status is not None:
            return JSONResponse({}, self.mischief.token_status)
        key = None
        if self.dpop:
            proof = request.headers.get("dpop", "")
            if self.nonces and _claims(proof).get("nonce") != self.nonce:
                headers = {"dpop-nonce": self.nonce}
                return JSONResponse({"error": "use_dpop_nonce"}, 400, headers=headers)
            key = self._proved(proof, "POST", f"{self.url}/token", None)
        match form["grant_type"]:
            case "authorization_code":
                return self._for_code(form, key)
            case "refresh_token":
                return self._for_refresh(form, key)
            case _:
                if self.pending_polls > 0:
                    self.pending_polls -= 1
                    return JSONResponse({"error": "authorization_pending"}, 400)
                return self._granted("family-device", self._codes["device"]["scope"], key)

    def _for_code(self, form: dict[str, str], key: str | None) -> Response:
        asked = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        fits = asked is not None and (
            asked["code_challenge"] == challenge
            and asked["redirect_uri"] == form["redirect_uri"]
            and asked["client_id"] == form["client_id"]
            and form["resource"] == self.resource
            and (not self.dpop or asked.get("dpop_jkt") == key)
        )
        if not fits or asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return self._granted(secrets.token_urlsafe(8), asked.get("scope", ""), key)

    def _for_refresh(self, form: dict[str, str], key: str | None) -> Response:
        given = form["refresh_token"]
        if given in self._spent:
            # Reuse: somebody has a copy. All that came of this sign-in is worth nothing from now on.
            family = self._spent[given]
            self._refresh = {one: of for one, of in self._refresh.items() if of != family}
            return JSONResponse({"error": "invalid_grant"}, 400)
        family_of = self._refresh.pop(given, None)
        if family_of is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self._spent[given] = family_of
        return self._granted(family_of, "mcp:tools", key)

    def _granted(self, family: str, scope: str, key: str | None) -> Response:
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.tokens[access] = {"scopes": scope.split(), "key": key}
        self._refresh[refresh] = family
        return JSONResponse(
            {
                "access_token": access,
                "token_type": "DPoP" if key else "Bearer",
                "expires_in": self.life_s,
                "refresh_token": refresh,
                "scope": scope,
            }
        )

    def _proved(self, proof: str, method: str, url: str, access: str | None) -> str:
        """The thumbprint of the key behind a proof, all of RFC 9449 section 4.3 checked."""
        header = jwt.get_unverified_header(proof)
        assert header["typ"] == "dpop+jwt"
        assert header["alg"] == "ES256"
        assert "d" not in header["jwk"]
        claims = jwt.decode(proof, jwt.PyJWK(header["jwk"], "ES256"), algorithms=["ES256"])
        assert (claims["htm"], claims["htu"]) == (method, url)
        assert claims["jti"] not in self.proofs
        self.proofs.add(claims["jti"])
        if access is not None:
            assert claims["ath"] == _b64(hashlib.sha256(access.encode()).digest())
        jwk = header["jwk"]
        canonical = f'{{"crv":"{jwk["crv"]}","kty":"{jwk["kty"]}","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
        return _b64(hashlib.sha256(canonical.encode()).digest())

    async def _mcp(self, request: Request) -> Response:
        scheme, _, access = request.headers.get("authorization", "").partition(" ")
        self.authorizations.append(scheme)
        pointer = self.mischief.resource_metadata or f"{self.url}/.well-known/oauth-protected-resource/mcp"
        known = self.tokens.get(access)
        kind = "DPoP" if self.dpop else "Bearer"
        if known is None or scheme != kind:
            challenge = f'{kind} resource_metadata="{pointer}", scope="mcp:tools"'
            return PlainTextResponse("", 401, headers={"www-authenticate": challenge})
        if known["key"] is not None:
            proof = request.headers.get("dpop", "")
            assert self._proved(proof, request.method, self.resource, access) == known["key"]
        if request.method != "POST":
            return Response(status_code=405)
        missing = set(self.needs) - set(known["scopes"])
        if missing:
            needed = " ".join(self.needs)
            challenge = f'{kind} error="insufficient_scope", scope="{needed}", resource_metadata="{pointer}"'
            return PlainTextResponse("", 403, headers={"www-authenticate": challenge})
        call = await request.json()
        self.calls.append(call)
        if "id" not in call:
            return Response(status_code=202)
        return JSONResponse({"jsonrpc": "2.0", "id": call["id"], "result": {}})

    def revoke(self) -> None:
        """Every access token is worth nothing from now on; refresh tokens are."""
        self.tokens.clear()

    def forget_everything(self) -> None:
        """Refresh tokens too."""
        self.tokens.clear()
        self._refresh.clear()


def _claims(proof: str) -> dict[str, Any]:
    return dict(jwt.decode(proof, options={"verify_signature": False})) if proof else {}


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@asynccontextmanager
async def authorization_server(**how: Any) -> AsyncIterator[AuthorizationServer]:
    """On a free port; gone afterwards."""
    server = AuthorizationServer(**how)
    async with serving(server.app()) as port:
        server.url = f"http://127.0.0.1:{port}"
        yield server
