"""A real OAuth server: panva's ``oidc-provider``, which is certified, on a free port, stopped by its own pid.

It signs access tokens for the resources below (RFC 8707, RFC 9068), tells of opaque ones (RFC 7662), ends them
(RFC 7009) and exchanges them (RFC 8693). Of JWTs it tells nothing and ends none: it refuses to be asked.
"""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx

from tests.support import npm
from tests.support.keys import SigningKey, b64url, signing_key
from tests.support.ports import free_port

START_TIMEOUT_S = 20
SCRIPT = Path(__file__).with_name("oidc_server.mjs")
LIFE_S = 900
"""Seconds that its tokens live; not what it does by itself."""
SECRET = "s3cret:with+odd/characters%26"
"""Of every client."""
GRANTED = ("tool:bank:pay", "tool:bank:read")
"""Scopes that the author of tools has."""
REFUSED = "tool:bank:close"
"""A scope that the server knows, and that the author does not have."""
AUTHOR, POSTING_AUTHOR, NOBODYS, GRANTLESS = "bank server", "posting-author", "nobodys", "grantless"
"""Clients: the author of tools, by Basic and by form fields; one without tools; one that may ask for nothing."""
ACME, GATEWAY, AGENT = "acme", "gateway", "agent"
"""An author whose tokens are for tools where it names no resource; the gateway; a caller of it, who has a subject."""

TOOLS = "https://gateway.example.com/etdi"
"""The gateway, for tools' tokens."""
TOOLS_RSA = "urn:example:tools:rs256"
"""Another name of the audience of tools' tokens; these are signed with RSA."""
ELSEWHERE = "https://elsewhere.example/etdi"
"""The same at another gateway."""
MCP = "https://gateway.example/mcp"
"""The gateway, for those who call it, and where these tokens are opaque."""
MCP_OPAQUE = "urn:example:mcp:opaque"
CRM = "https://crm.example/mcp"
"""A server behind the gateway."""


def _resource(audience: str, *scopes: str, **members: Any) -> dict[str, Any]:
    made = {"audience": audience, "scope": " ".join(scopes), "accessTokenTTL": LIFE_S}
    return {**made, "accessTokenFormat": "jwt", "jwt": {"sign": {"alg": "ES256"}}, **members}


_RS256 = {"sign": {"alg": "RS256"}}
_TOOL_SCOPES = (*GRANTED, REFUSED, "tool:files:read", "tool:files:write")
RESOURCES = {
    TOOLS: _resource(TOOLS, *_TOOL_SCOPES),
    TOOLS_RSA: _resource(TOOLS, *_TOOL_SCOPES, jwt=_RS256),
    ELSEWHERE: _resource(ELSEWHERE, *_TOOL_SCOPES),
    MCP: _resource(MCP, "pay", jwt=_RS256),
    MCP_OPAQUE: _resource(MCP, "pay", accessTokenFormat="opaque"),
    CRM: _resource(CRM, "notes"),
}


def _client(client_id: str, **members: Any) -> dict[str, Any]:
    made = {"client_id": client_id, "client_secret": SECRET, "redirect_uris": [], "response_types": []}
    return {**made, "grant_types": ["client_credentials"], **members}


_BANKS = {"tool_provider": "bank", "scope": " ".join(GRANTED)}
CLIENTS = (
    _client(AUTHOR, **_BANKS),
    _client(POSTING_AUTHOR, token_endpoint_auth_method="client_secret_post", **_BANKS),
    _client(NOBODYS),
    _client(GRANTLESS, grant_types=[]),
    _client(ACME, tool_provider="acme", default_resource=TOOLS),
    _client(GATEWAY, grant_types=["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"]),
    _client(AGENT, subject="alice"),
)


class OidcServer:
    """``url`` is the issuer, and stays the same over restarts. What it does is done before the methods return."""

    def __init__(self) -> None:
        self._port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self, *keys: SigningKey) -> None:
        """With these keys, the first of each algorithm for signing. AssertionError with its words if it cannot."""
        node = npm.require(npm.TYPESCRIPT) / "node_modules/node/bin/node"
        # Bare imports are looked up beside a script, so it is told where the package is.
        module = npm.require(npm.OIDC_PROVIDER) / "node_modules/oidc-provider/lib/index.js"
        description = {
            "port": self._port,
            "jwks": {"keys": [_private(key) for key in keys]},
            "clients": CLIENTS,
            "scopes": _TOOL_SCOPES,
            "resources": RESOURCES,
        }
        with tempfile.TemporaryFile("w+") as errors:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                [str(node), str(SCRIPT), module.as_uri()], stdin=pipe, stdout=pipe, stderr=errors, text=True
            )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(description) + "\n")
            self._process.stdin.flush()
            too_long = threading.Timer(START_TIMEOUT_S, self._process.kill)
            too_long.start()
            listens = "listening\n" in self._process.stdout  # it may say other things first
            too_long.cancel()
            if not listens:
                self.stop()
                errors.seek(0)
                raise AssertionError(errors.read())

    def stop(self) -> None:
        """Its tokens that are no JWTs are gone with it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    async def grant(self, client_id: str, resource: str, *scopes: str) -> str:
        """An access token by client credentials."""
        form = {"grant_type": "client_credentials", "resource": resource, "scope": " ".join(scopes)}
        answer = await self._asked("/token", client_id, form)
        token: str = answer.json()["access_token"]
        return token

    async def revoke(self, client_id: str, token: str) -> None:
        """End a token of this client."""
        await self._asked("/token/revocation", client_id, {"token": token})

    async def _asked(self, path: str, client_id: str, form: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(
                self.url + path, data=form, auth=(quote_plus(client_id), quote_plus(SECRET))
            )
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer


def _private(key: SigningKey) -> dict[str, Any]:
    """What the key is for (``sign``) would be published beside its public half, where it is wrong."""
    return {name: value for name, value in key.private_jwk().items() if name != "key_ops"}


def altered(token: str) -> str:
    """The same token with one byte of its signature changed."""
    data, _, signature = token.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[len(raw) // 2] ^= 1
    return f"{data}.{b64url(bytes(raw))}"


def signing_keys(name: str = "first") -> tuple[SigningKey, SigningKey]:
    """One key of each algorithm."""
    return signing_key("ES256", f"{name}-ec"), signing_key("RS256", f"{name}-rsa")


@contextmanager
def running_oidc_server() -> Iterator[OidcServer]:
    """Until the block ends."""
    server = OidcServer()
    try:
        server.start(*signing_keys())
        yield server
    finally:
        server.stop()
