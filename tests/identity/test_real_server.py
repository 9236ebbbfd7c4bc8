"""Callers with tokens of a certified OAuth server: JWTs by its keys, opaque ones by its word."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.identity.credentials import Credentials, Secret
from gateway.identity.errors import CredentialRefused
from gateway.identity.fetch import HttpFetcher
from gateway.identity.introspection import IntrospectionVerifier
from gateway.identity.issuer import TrustedIssuer
from gateway.identity.jwt import JwtVerifier
from gateway.identity.keys import RemoteKeys
from gateway.identity.verifier import Identity
from tests.support.clock import ManualClock
from tests.support.oidc_server import (
    AGENT,
    AUTHOR,
    GATEWAY,
    GRANTED,
    LIFE_S,
    MCP,
    MCP_OPAQUE,
    NOBODYS,
    SECRET,
    TOOLS,
    OidcServer,
    altered,
)


class Setting:
    """A gateway's identity that trusts this server."""

    def __init__(self, server: OidcServer, http: httpx.AsyncClient) -> None:
        self.clock = ManualClock(time.time())
        trusted = TrustedIssuer(issuer=server.url)
        fetcher = HttpFetcher(http)
        keys = RemoteKeys(issuer=server.url, fetcher=fetcher, clock=self.clock)
        self.jwt = JwtVerifier(audience=MCP, issuers=[(trusted, keys)], clock=self.clock)
        self.introspection = IntrospectionVerifier(
            audience=MCP,
            trusted=trusted,
            url=f"{server.url}/token/introspection",
            client_id=GATEWAY,
            client_secret=SECRET,
            fetcher=fetcher,
            remember_s=0,
            clock=self.clock,
        )
        self.identity = Identity([self.jwt, self.introspection])

    async def caller(self, token: str) -> tuple[str, str | None, tuple[str, ...]]:
        """Subject, client and scopes of whom the gateway recognises."""
        found = await self.identity.identify(Credentials(bearer=Secret(token.encode())))
        return found.subject, found.client_id, found.scopes

    async def refusal(self, token: str) -> str:
        """The code that a token is refused with."""
        with pytest.raises(CredentialRefused) as refused:
            await self.caller(token)
        return refused.value.code.removeprefix("identity.")


@pytest.fixture
async def setting(oidc_server: OidcServer) -> AsyncIterator[Setting]:
    """For the length of a test."""
    async with httpx.AsyncClient(trust_env=False) as http:
        made = Setting(oidc_server, http)
        yield made
        await made.introspection.aclose()


async def test_a_jwt_for_this_gateway_names_its_caller(oidc_server: OidcServer, setting: Setting) -> None:
    """RFC 9068: a machine is its own subject. Keys by discovery, until the token's end."""
    token = await oidc_server.grant(AGENT, MCP, "pay")
    assert await setting.caller(token) == (AGENT, AGENT, ("pay",))
    setting.clock.advance(LIFE_S + 1)
    assert await setting.refusal(token) == "token_expired"


async def test_a_jwt_for_another_audience_is_refused(oidc_server: OidcServer, setting: Setting) -> None:
    """A tool's token, which everybody can read, is the one that somebody would try (C55)."""
    token = await oidc_server.grant(AUTHOR, TOOLS, *GRANTED)
    assert await setting.refusal(token) == "audience_mismatch"


async def test_a_jwt_with_another_signature_is_refused(oidc_server: OidcServer, setting: Setting) -> None:
    """One byte of it."""
    token = await oidc_server.grant(AGENT, MCP, "pay")
    assert await setting.refusal(altered(token)) == "token_invalid"


async def test_an_opaque_token_names_its_caller_until_it_is_revoked(
    oidc_server: OidcServer, setting: Setting
) -> None:
    """The server's word counts, and its last word."""
    token = await oidc_server.grant(AGENT, MCP_OPAQUE, "pay")
    assert await setting.caller(token) == ("alice", AGENT, ("pay",))
    await oidc_server.revoke(AGENT, token)
    assert await setting.refusal(token) == "token_invalid"


async def test_an_opaque_token_without_a_subject_names_nobody(
    oidc_server: OidcServer, setting: Setting
) -> None:
    """A machine's, of which this server says the client only. A client in the place of a person could be anybody's."""
    token = await oidc_server.grant(NOBODYS, MCP_OPAQUE, "pay")
    assert await setting.refusal(token) == "token_invalid"


async def test_the_gateway_can_ask_about_tokens(setting: Setting) -> None:
    """What ``check`` finds out at the start: its client is good, and a made-up token is not active."""
    assert await setting.introspection.probe() is None
