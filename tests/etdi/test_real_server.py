"""Tool tokens of a certified OAuth server at the gateway: what proves a tool, and what does not prove it any more."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.authoring.claims import ToolClaims
from gateway.authoring.providers.registry import create_provider
from gateway.etdi.errors import NotVerified
from gateway.etdi.introspection import Introspection
from gateway.identity.credentials import Secret
from gateway.identity.fetch import HttpFetcher
from gateway.identity.keys import FRESH_S, RemoteKeys
from gateway.identity_provider import shelves_of
from tests.support import acme
from tests.support.acme import Chain, gateway, trusting
from tests.support.answers import status_of
from tests.support.clock import ManualClock
from tests.support.oidc_server import (
    ACME,
    AGENT,
    AUTHOR,
    ELSEWHERE,
    GATEWAY,
    LIFE_S,
    MCP_OPAQUE,
    SECRET,
    TOOLS,
    TOOLS_RSA,
    OidcServer,
    altered,
    running_oidc_server,
    signing_keys,
)
from tests.support.tool_tokens import AUDIENCE, PROVIDER, TOOL_ID, Bench, issuer, tool

BAD_SIGNATURE = ("token_invalid_signature", "Invalid token signature")
CLAIMS = ToolClaims(
    tool_id=TOOL_ID,
    tool_version="1.0.0",
    tool_provider=PROVIDER,
    permissions=("bank:pay", "bank:read"),
    definition_hash=tool("a token is no part of it").definition_hash,
)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """What the issuer is asked by."""
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def granted(server: OidcServer, **changed: Any) -> str:
    """The token that an author's own code gets for the tool."""
    config = {"issuer": server.url, "clientId": AUTHOR, "clientSecret": SECRET, "resource": TOOLS, **changed}
    provider = create_provider("custom", config)
    try:
        return (await provider.token_for_tool(CLAIMS)).token.expose().decode()
    finally:
        await provider.aclose()


def bench_of(
    server: OidcServer, http: httpx.AsyncClient, *, introspection: Introspection | None = None, **trusted: Any
) -> Bench:
    """A gateway's verifier that trusts this server. Its clock is what it is now, and then the test's."""
    clock = ManualClock(time.time())
    keys = RemoteKeys(issuer=server.url, fetcher=HttpFetcher(http), clock=clock)
    rules = issuer(issuer=server.url, require_definition_hash=True, **trusted)
    return Bench(trusted=rules, keys=keys, introspection=introspection, clock=clock)


def introspection_of(server: OidcServer, http: httpx.AsyncClient) -> Introspection:
    """The gateway asks the server, as a client of it."""
    return Introspection(
        url=f"{server.url}/token/introspection",
        client_id=GATEWAY,
        client_secret=SECRET,
        fetcher=HttpFetcher(http),
        remember_s=0,
    )


def test_author_and_gateway_mean_one_audience() -> None:
    """Else the tests below would prove less than they say."""
    assert TOOLS == AUDIENCE


@pytest.mark.parametrize("resource", [TOOLS, TOOLS_RSA], ids=["ES256", "RS256"])
async def test_a_token_proves_its_tool(
    oidc_server: OidcServer, http: httpx.AsyncClient, resource: str
) -> None:
    """Keys by discovery, the one that the token's kid names; until the token's end."""
    bench = bench_of(oidc_server, http)
    carrying = tool(await granted(oidc_server, resource=resource, audience=TOOLS))
    assert await bench.status(carrying) == ("verified", "token", None)
    bench.clock.advance(LIFE_S + 1)
    assert await bench.refusal(carrying) == ("token_expired", "Token expired")


@pytest.mark.parametrize(
    "changed", [{"version": "1.0.1"}, {"id": "bank.close"}, {"permissions": ["bank:close"]}], ids=str
)
async def test_a_token_proves_no_other_tool(
    oidc_server: OidcServer, http: httpx.AsyncClient, changed: dict[str, Any]
) -> None:
    """Another version, another id, and a definition that wants more than it says."""
    other = tool(await granted(oidc_server), **changed)
    assert (await bench_of(oidc_server, http).refusal(other))[0] == "token_invalid_claims"


async def test_a_token_for_another_gateway_proves_nothing(
    oidc_server: OidcServer, http: httpx.AsyncClient
) -> None:
    """All else is as it should be."""
    jwt = await granted(oidc_server, resource=ELSEWHERE)
    said = ("token_invalid_claims", "Token audience is not this gateway")
    assert await bench_of(oidc_server, http).refusal(tool(jwt)) == said


async def test_an_algorithm_that_is_not_allowed_proves_nothing(
    oidc_server: OidcServer, http: httpx.AsyncClient
) -> None:
    """The operator's list counts, not what the issuer can do."""
    jwt = await granted(oidc_server)
    assert await bench_of(oidc_server, http, algorithms=("RS256",)).refusal(tool(jwt)) == BAD_SIGNATURE


async def test_a_token_with_another_signature_proves_nothing(
    oidc_server: OidcServer, http: httpx.AsyncClient
) -> None:
    """One byte of it."""
    jwt = await granted(oidc_server)
    assert await bench_of(oidc_server, http).refusal(tool(altered(jwt))) == BAD_SIGNATURE


async def test_a_key_that_was_rotated_away_takes_its_tokens_with_it(http: httpx.AsyncClient) -> None:
    """The next token's kid is unknown: the set is fetched, and what rested on the old one is forgotten."""
    with running_oidc_server() as server:
        bench = bench_of(server, http)
        old = tool(await granted(server))
        assert await bench.status(old) == ("verified", "token", None)
        server.stop()
        server.start(*signing_keys("second"))
        bench.clock.advance(FRESH_S / 2)
        assert await bench.status(old) == ("verified", "token", None)
        assert await bench.status(tool(await granted(server))) == ("verified", "token", None)
        assert await bench.refusal(old) == BAD_SIGNATURE


async def test_a_server_that_tells_nothing_of_jwts_proves_none_while_it_is_asked(
    oidc_server: OidcServer, http: httpx.AsyncClient
) -> None:
    """This one answers ``unsupported_token_type``. The operator must not ask it: nothing is taken for active."""
    bench = bench_of(oidc_server, http, introspection=introspection_of(oidc_server, http))
    said = ("config_invalid", "Token validation error: no introspection")
    assert await bench.refusal(tool(await granted(oidc_server))) == said


async def test_what_it_tells_of_other_tokens_is_understood(
    oidc_server: OidcServer, http: httpx.AsyncClient
) -> None:
    """Active, then ended by its owner."""
    asked = introspection_of(oidc_server, http)
    opaque = await oidc_server.grant(AGENT, MCP_OPAQUE, "pay")
    assert await asked.active_until(Secret(opaque.encode())) > 0
    await oidc_server.revoke(AGENT, opaque)
    with pytest.raises(NotVerified, match="Token is not active"):
        await asked.active_until(Secret(opaque.encode()))


async def test_an_authors_tool_is_proven_approved_and_called(oidc_server: OidcServer, tmp_path: Path) -> None:
    """An author's server, this issuer and the gateway: a whole chain without a part that is ours on both sides."""
    client = (ACME, SECRET)
    trusted = trusting(oidc_server.url, tmp_path, audience=TOOLS)
    async with (
        acme.running_acme(tmp_path, oidc_server.url, client) as url,
        gateway(tmp_path, trusted, {"acme": url}) as house,
    ):
        unused = shelves_of(house.settings, house.gateway.store, now=house.clock)
        chain = Chain(house=house, shelves=unused, folder=tmp_path, client=client)
        assert (await chain.entry()).tool.etdi.status == "verified"
        await chain.approve()
        answer = await chain.call()
        assert status_of(answer) == "executed", answer
        assert chain.calls == ["a"]
