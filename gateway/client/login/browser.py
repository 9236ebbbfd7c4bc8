"""The authorization code flow with PKCE in the person's own browser (RFC 6749, 7636, 8252, 8707, 9207, 9449)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from gateway.client.errors import LoginFailed
from gateway.client.login.loopback import listening
from gateway.client.login.register import client_id_for
from gateway.client.login.tokens import TokenEndpoint
from gateway.client.login.values import Grant, Server, Tokens
from gateway.client.login.web import Web
from gateway.client.phases import shown

DEADLINE_S: Final = 300.0
"""Seconds a person has for the sign-in; then the port is closed again."""
MAX_CODE: Final = 8_192

OpenPage = Callable[[str], Awaitable[None]]


async def sign_in(
    web: Web,
    endpoint: TokenEndpoint,
    server: Server,
    *,
    configured_client: str | None,
    resource: str,
    scopes: tuple[str, ...],
    dpop_thumbprint: str | None,
    open_page: OpenPage,
    deadline_s: float = DEADLINE_S,
) -> Tokens:
    """Send the person to the server, take the answer, fetch the tokens. :raises LoginFailed: with the reason."""
    if server.authorization_endpoint is None:
        raise LoginFailed("The authorization server has no sign-in page; try --device.")
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    async with listening(state) as loopback:
        client_id = await client_id_for(web, server, configured_client, loopback.redirect_uri)
        query = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": loopback.redirect_uri,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "resource": resource,
        }
        if scopes:
            query["scope"] = " ".join(scopes)
        if dpop_thumbprint is not None:
            query["dpop_jkt"] = (
                dpop_thumbprint  # the code is worth nothing without our key (RFC 9449 section 10)
            )
        await open_page(_with_query(server.authorization_endpoint, query))
        try:
            async with asyncio.timeout(deadline_s):
                answer = await loopback.answer()
        except TimeoutError:
            raise LoginFailed("Nobody signed in; start again.") from None
        _check_issuer(answer, server)
        if "error" in answer:
            raise LoginFailed(f"The sign-in was refused: {shown(answer['error'], 64)}.")
        code = answer.get("code", "")
        if not 0 < len(code) <= MAX_CODE:
            raise LoginFailed("The sign-in brought no code.")
        grant = Grant(
            server=server,
            client_id=client_id,
            resource=resource,
            scopes=scopes,
            dpop=dpop_thumbprint is not None,
        )
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": loopback.redirect_uri,
            "code_verifier": verifier,
        }
        return await endpoint.ask(grant, fields)


def _check_issuer(answer: dict[str, str], server: Server) -> None:
    """RFC 9207 section 2.4. Attack: mix-up, where one server's code is sent to another's token endpoint."""
    named = answer.get("iss")
    if named != server.issuer and (named is not None or server.iss_in_response):
        raise LoginFailed("The answer of the sign-in comes from another server; refused.")


def _with_query(url: str, query: dict[str, str]) -> str:
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in query]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode([*kept, *query.items()]), ""))
