"""Tokens for tools from a certified OAuth server, which knows nothing of tools but what its operator taught it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from gateway.authoring.claims import ToolClaims
from gateway.authoring.errors import NoToken
from gateway.authoring.providers.config import read_config
from gateway.authoring.providers.provider import Provider
from gateway.authoring.tokens import ToolTokens
from gateway.identity.credentials import Secret
from tests.support.clock import ManualClock
from tests.support.oidc_server import (
    AUTHOR,
    ELSEWHERE,
    GRANTLESS,
    LIFE_S,
    POSTING_AUTHOR,
    REFUSED,
    SECRET,
    TOOLS,
    TOOLS_RSA,
    OidcServer,
    altered,
)

TOOL = ToolClaims(
    tool_id="bank.pay",
    tool_version="1.0.0",
    tool_provider="bank",
    permissions=("bank:pay", "bank:read"),
    definition_hash="ab" * 32,
)
Making = Callable[..., Provider]


@pytest.fixture
async def provider_of(oidc_server: OidcServer) -> AsyncIterator[Making]:
    """Makes the author's provider, with good settings but those that a test changes; None takes one away."""
    made: list[Provider] = []

    def make(clock: Callable[[], float] = time.time, **changed: Any) -> Provider:
        config = {"issuer": oidc_server.url, "clientId": AUTHOR, "clientSecret": SECRET, "resource": TOOLS}
        given = {name: value for name, value in {**config, **changed}.items() if value is not None}
        made.append(Provider(read_config("custom", given), clock=clock))
        return made[-1]

    yield make
    for provider in made:
        await provider.aclose()


@pytest.mark.parametrize(
    "named",
    [{"resource": TOOLS}, {"resource": TOOLS_RSA, "audience": TOOLS}],
    ids=["ES256 and a resource that is the audience", "RS256 and a resource with another audience"],
)
async def test_a_granted_token_is_good_for_its_tool_and_no_other(
    provider_of: Making, named: dict[str, str]
) -> None:
    """Endpoints and keys by discovery; signature, issuer, audience, scopes and claims."""
    provider = provider_of(**named)
    grant = await provider.token_for_tool(TOOL)
    assert grant.life_s == LIFE_S
    assert (await provider.validate_token(grant.token, TOOL)).valid
    other = msgspec.structs.replace(TOOL, definition_hash="cd" * 32)
    assert (await provider.validate_token(grant.token, other)).reason == "invalid_definition_hash"
    wider = msgspec.structs.replace(TOOL, permissions=("bank:close",))
    assert (await provider.validate_token(grant.token, wider)).reason == "insufficient_scope"


@pytest.mark.parametrize(
    ("client", "method"), [(AUTHOR, "client_secret_basic"), (POSTING_AUTHOR, "client_secret_post")]
)
async def test_a_client_authenticates_as_it_is_registered(
    provider_of: Making, client: str, method: str
) -> None:
    """A name with a blank and a secret with odd characters arrive as they are, in the header and in the form."""
    provider = provider_of(clientId=client, authMethod=method)
    assert (await provider.token_for_tool(TOOL)).life_s == LIFE_S


async def test_claims_travel_as_fields_of_their_own_too(provider_of: Making) -> None:
    """Where the operator's hook reads those."""
    provider = provider_of(claimsAs="fields")
    grant = await provider.token_for_tool(TOOL)
    assert (await provider.validate_token(grant.token, TOOL)).valid


async def test_scopes_of_the_servers_own_are_asked_for_by_a_map(provider_of: Making) -> None:
    """And read back by it."""
    provider = provider_of(scopeMap={"pay": "tool:bank:pay"}, defaultScopes=["tool:bank:read"])
    tool = msgspec.structs.replace(TOOL, permissions=("pay",))
    grant = await provider.token_for_tool(tool)
    assert (await provider.validate_token(grant.token, tool)).valid


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        (
            {"clientSecret": "wr0ng-secret"},
            "invalid_client",
            "401 invalid_client: client authentication failed",
        ),
        ({"clientId": "stranger"}, "invalid_client", "401 invalid_client"),
        (
            {"clientId": GRANTLESS},
            "invalid_request",
            "400 invalid_request: requested grant type is not allowed",
        ),
        ({"resource": "https://unknown.example"}, "invalid_target", "400 invalid_target"),
        ({"defaultScopes": [REFUSED]}, "invalid_scope", "400 invalid_scope: requested scope is not allowed"),
        ({"defaultScopes": ["nobody:knows"]}, "invalid_response", "did not grant nobody:knows"),
    ],
    ids=[
        "secret",
        "client",
        "grant",
        "resource",
        "scope that is not the client's",
        "scope that nobody knows",
    ],
)
async def test_what_is_refused_is_a_normalised_error_and_no_outage(
    provider_of: Making, changed: dict[str, Any], code: str, said: str
) -> None:
    """R101, R113: its code, in words without the secret."""
    with pytest.raises(NoToken, match=rf"^Failed to obtain OAuth token: .*{said}") as raised:
        await provider_of(**changed).token_for_tool(TOOL)
    assert raised.value.problem.code == code
    assert not raised.value.down
    assert "wr0ng-secret" not in f"{raised.value} {raised.value.problem} {raised.value.data}"


async def test_permissions_that_nobody_knows_are_no_silent_grant(provider_of: Making) -> None:
    """It grants none of them, and its answer then names no scope at all."""
    tool = msgspec.structs.replace(TOOL, permissions=("bank:rob",))
    with pytest.raises(NoToken, match="did not grant bank:rob"):
        await provider_of().token_for_tool(tool)


async def test_another_providers_tool_is_refused(provider_of: Making) -> None:
    """Attack: a claim that a client chooses for itself proves nothing; the operator's hook says so (C27)."""
    tool = msgspec.structs.replace(TOOL, tool_provider="acme")
    with pytest.raises(NoToken, match="400 access_denied"):
        await provider_of().token_for_tool(tool)


async def test_a_server_that_is_told_no_resource_grants_no_jwt(
    provider_of: Making, caplog: pytest.LogCaptureFixture
) -> None:
    """It has never heard of ``audience``; the author is told why no gateway will verify the tool."""
    provider = provider_of(resource=None, audience=TOOLS)
    grant = await provider.token_for_tool(TOOL)
    assert "are no JWTs" in caplog.text
    assert (await provider.validate_token(grant.token, TOOL)).reason == "invalid_token"


async def test_a_token_is_kept_and_renewed_early(provider_of: Making) -> None:
    """By the life that the server told: a minute before its end (R102)."""
    clock = ManualClock()
    tokens = ToolTokens(provider_of(), clock=clock)
    first = await tokens.token(TOOL)
    assert tokens.life_of(first) == LIFE_S
    clock.advance(LIFE_S - 61)
    assert await tokens.token(TOOL) == first
    clock.advance(1)
    second = await tokens.token(TOOL)
    assert second.token.expose() != first.token.expose()
    assert tokens.life_of(second) == LIFE_S


async def test_a_token_is_refused_elsewhere_altered_and_after_its_end(provider_of: Making) -> None:
    """Each for its own reason."""
    clock = ManualClock(time.time())
    provider = provider_of(clock)
    token = (await provider.token_for_tool(TOOL)).token
    assert (await provider_of(resource=ELSEWHERE).validate_token(token, TOOL)).reason == "invalid_audience"
    forged = Secret(altered(token.expose().decode()).encode())
    assert (await provider.validate_token(forged, TOOL)).reason == "invalid_signature"
    clock.advance(LIFE_S + 1)
    assert (await provider.validate_token(token, TOOL)).reason == "token_expired"
