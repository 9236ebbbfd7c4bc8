"""A small identity provider for the demo, on a real socket: what a tenant of a real one would do for its tools.

It knows one client and keeps everything in memory. Not for any other use; ``countersign idp`` and the providers in
``providers/`` are.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.authoring.profiles import TOOL_CLAIMS
from gateway.serving import serving

CLIENT_ID: Final = "demo-tools"
AUDIENCE: Final = "https://gateway.example/etdi"
LIFE_S: Final = 3_600
_KID: Final = "demo-1"


class DemoIssuer:
    """``refuses`` makes it refuse every client from then on, as after a revocation. ``granted`` counts tokens."""

    def __init__(self) -> None:
        self.url = ""
        self.client_secret = secrets.token_urlsafe(32)
        self.refuses = False
        self.granted = 0
        self._key = ec.generate_private_key(ec.SECP256R1())

    def config(self) -> dict[str, str]:
        """The settings of a ``custom`` provider."""
        return {
            "issuer": self.url,
            "clientId": CLIENT_ID,
            "clientSecret": self.client_secret,
            "audience": AUDIENCE,
        }

    def app(self) -> Starlette:
        """Token endpoint, keys, metadata."""
        return Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/jwks", self._jwks),
                Route("/.well-known/oauth-authorization-server", self._metadata),
            ]
        )

    async def _token(self, request: Request) -> Response:
        if self.refuses or not self._authenticated(request.headers.get("authorization", "")):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        form = dict(parse_qsl((await request.body()).decode()))
        claims = self._claims(form)
        if claims is None:
            return JSONResponse({"error": "invalid_request"}, status_code=400)
        self.granted += 1
        headers = {"kid": _KID, "typ": "etdi+jwt"}
        token = jwt.encode(claims, self._key, algorithm="ES256", headers=headers)
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": LIFE_S})

    def _claims(self, form: dict[str, str]) -> dict[str, Any] | None:
        try:
            tool = msgspec.json.decode(form.get("tool_claims", ""), type=dict[str, str])
        except ValueError:
            return None
        if form.get("grant_type") != "client_credentials" or set(tool) != set(TOOL_CLAIMS):
            return None
        now = int(time.time())
        return {
            **tool,
            "iss": self.url,
            "sub": tool["tool_provider"],
            "client_id": CLIENT_ID,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + LIFE_S,
            "jti": secrets.token_hex(16),
            "scope": form.get("scope", ""),
        }

    def _authenticated(self, header: str) -> bool:
        try:
            pair = base64.b64decode(header.removeprefix("Basic "), validate=True).decode()
        except ValueError:
            return False
        client, _, secret = pair.partition(":")
        known = unquote_plus(client) == CLIENT_ID
        return hmac.compare_digest(unquote_plus(secret).encode(), self.client_secret.encode()) and known

    async def _jwks(self, _: Request) -> Response:
        jwk = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        jwk.pop("key_ops", None)
        return JSONResponse({"keys": [{**jwk, "kid": _KID, "alg": "ES256", "use": "sig"}]})

    async def _metadata(self, _: Request) -> Response:
        document = {"issuer": self.url, "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/jwks"}
        return JSONResponse(document)


@asynccontextmanager
async def demo_issuer() -> AsyncIterator[DemoIssuer]:
    """On a free port of this machine, until the block ends."""
    issuer = DemoIssuer()
    async with serving(issuer.app()) as port:
        issuer.url = f"http://127.0.0.1:{port}"
        yield issuer
