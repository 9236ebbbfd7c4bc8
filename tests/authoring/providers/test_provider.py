"""Four kinds of identity providers on a real socket: what each is asked, and what becomes of its answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response

from gateway.authoring.claims import ToolClaims
from gateway.authoring.errors import NoToken
from gateway.authoring.providers.provider import Provider
from gateway.authoring.providers.registry import create_provider
from gateway.identity.credentials import Secret
from tests.support.keys import b64url, signing_key
from tests.support.tool_idp import AUDIENCE, CLIENT_ID, CLIENT_SECRET, TENANT, Seen, ToolIdp, running_tool_idp

KINDS = ["auth0", "okta", "azure", "custom"]
TOOL = ToolClaims(
    tool_id="read",
    tool_version="1.2.3",
    tool_provider="files-inc",
    permissions=("filesystem:read:/data",),
    definition_hash="ab" * 32,
)


@pytest.fixture
async def idp() -> AsyncIterator[ToolIdp]:
    """All four at one address."""
    async with running_tool_idp() as running:
        yield running


@pytest.fixture
async def made() -> AsyncIterator[list[Provider]]:
    """What a test made is closed after it."""
    providers: list[Provider] = []
    yield providers
    for provider in providers:
        await provider.aclose()


def provider_of(idp: ToolIdp, kind: str, made: list[Provider], **changed: Any) -> Provider:
    """With good settings but these."""
    made.append(create_provider(kind, {**idp.config(kind), **changed}))
    return made[-1]


CLAIMS = {
    "tool_id": "read",
    "tool_version": "1.2.3",
    "tool_provider": "files-inc",
    "definition_hash": "ab" * 32,
}


async def test_auth0_is_asked_in_json(idp: ToolIdp, made: list[Provider]) -> None:
    """R106: namespaced claims, the audience, the client in the body; the provider is the domain."""
    provider = provider_of(idp, "auth0", made)
    await provider.token_for_tool(TOOL)
    (seen,) = idp.seen
    assert seen.path == "/oauth/token"
    assert "authorization" not in seen.headers
    assert seen.members == {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "audience": AUDIENCE,
        "scope": "tool:filesystem:read:/data",
        **{f"https://etdi.tools/{name}": value for name, value in CLAIMS.items()},
    }
    assert provider.info.id == f"auth0:{idp.domain}"
    assert provider.info.block == idp.domain
    assert provider.info.name == f"Auth0 ({idp.domain})"


@pytest.mark.parametrize("by_issuer", [False, True])
async def test_okta_is_asked_with_basic(idp: ToolIdp, made: list[Provider], *, by_issuer: bool) -> None:
    """R109: a form, prefixed claims, scopes with a dot; by domain or by issuer."""
    provider = provider_of(idp, "okta", made)
    if by_issuer:
        config = {key: value for key, value in idp.config("okta").items() if key != "domain"}
        provider = create_provider("okta", {**config, "issuer": f"{idp.url}/oauth2/default"})
        made.append(provider)
    await provider.token_for_tool(TOOL)
    (seen,) = idp.seen
    assert seen.path == "/oauth2/default/v1/token"
    assert seen.members == {
        "grant_type": "client_credentials",
        "audience": AUDIENCE,
        "scope": "tool.filesystem:read:/data",
        **{f"etdi_{name}": value for name, value in CLAIMS.items()},
    }
    assert provider.info.id == f"okta:{idp.domain}"
    assert provider.supports_token_introspection()


async def test_entra_is_asked_for_its_default_scope(idp: ToolIdp, made: list[Provider]) -> None:
    """R110: the client in the form, ``.default``, prefixed claims."""
    provider = provider_of(idp, "azure", made)
    await provider.token_for_tool(TOOL)
    (seen,) = idp.seen
    assert seen.path == f"/{TENANT}/oauth2/v2.0/token"
    assert seen.members == {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scope": f"api://{AUDIENCE}/.default",
        **{f"etdi_{name}": value for name, value in CLAIMS.items()},
    }
    assert provider.info.id == provider.info.block == f"azure:{TENANT}"


async def test_the_built_in_kind_sends_the_claims_as_one_field(idp: ToolIdp, made: list[Provider]) -> None:
    """R101: ``tool_claims``; the endpoint was read from the issuer's metadata."""
    provider = provider_of(idp, "custom", made)
    await provider.token_for_tool(TOOL)
    (seen,) = idp.seen
    assert seen.path == "/token"
    assert json.loads(seen.members.pop("tool_claims")) == CLAIMS
    assert seen.members == {
        "grant_type": "client_credentials",
        "audience": AUDIENCE,
        "scope": "tool:filesystem:read:/data",
    }


async def test_a_resource_is_asked_for_and_is_the_audience(idp: ToolIdp, made: list[Provider]) -> None:
    """RFC 8707. Where an audience is given as well, that is what the tokens say."""
    config = {key: value for key, value in idp.config("custom").items() if key != "audience"}
    made.append(create_provider("custom", {**config, "resource": AUDIENCE}))
    grant = await made[-1].token_for_tool(TOOL)
    assert idp.seen[0].members["resource"] == AUDIENCE
    assert "audience" not in idp.seen[0].members
    assert (await made[-1].validate_token(grant.token, TOOL)).valid
    elsewhere = provider_of(
        idp, "custom", made, resource="urn:example:tools", audience="https://else.example"
    )
    assert (await elsewhere.validate_token(grant.token, TOOL)).reason == "invalid_audience"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_custom_client_authenticates_as_it_is_registered(
    idp: ToolIdp, made: list[Provider], method: str
) -> None:
    """By one way and not both."""
    await provider_of(idp, "custom", made, authMethod=method).token_for_tool(TOOL)
    (seen,) = idp.seen
    assert ("authorization" in seen.headers) is (method == "client_secret_basic")
    assert ("client_secret" in seen.members) is (method == "client_secret_post")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_granted_token_is_good_for_its_tool_and_no_other(
    idp: ToolIdp, made: list[Provider], kind: str
) -> None:
    """Signature, issuer, audience, scopes and claims, in the provider's own spelling."""
    provider = provider_of(idp, kind, made)
    grant = await provider.token_for_tool(TOOL)
    assert grant.life_s == 3600
    assert (await provider.validate_token(grant.token, TOOL)).valid
    other = ToolClaims(**{**_members(TOOL), "tool_version": "1.2.4"})
    assert (await provider.validate_token(grant.token, other)).reason == "invalid_tool_version"
    wider = ToolClaims(**{**_members(TOOL), "permissions": ("filesystem:write:/",)})
    assert (await provider.validate_token(grant.token, wider)).reason == "insufficient_scope"


def _members(tool: ToolClaims) -> dict[str, Any]:
    return {name: getattr(tool, name) for name in tool.__struct_fields__}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_forged_token_is_not_good(idp: ToolIdp, made: list[Provider], kind: str) -> None:
    """Another key under the same kid, another algorithm, another issuer, no JWT."""
    provider = provider_of(idp, kind, made)
    good = (await provider.token_for_tool(TOOL)).token.expose().decode()
    head, payload, _ = good.split(".")
    forged = signing_key("RS256", "another").signature(f"{head}.{payload}".encode())
    found = await provider.validate_token(Secret(f"{head}.{payload}.{b64url(forged)}".encode()), TOOL)
    assert found.reason == "invalid_signature"
    assert (await provider.validate_token(Secret(b"opaque"), TOOL)).reason == "invalid_token"
    elsewhere = idp.token({"iss": "https://attacker.example"})
    assert (await provider.validate_token(Secret(elsewhere.encode()), TOOL)).reason == "invalid_issuer"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrong_secret_is_a_normalised_error_without_it(
    idp: ToolIdp, made: list[Provider], kind: str
) -> None:
    """In each provider's own shape (R101, R113)."""
    provider = provider_of(idp, kind, made, clientSecret="wr0ng-secret")
    with pytest.raises(NoToken, match=r"^Failed to obtain OAuth token: 401 ") as raised:
        await provider.token_for_tool(TOOL)
    assert raised.value.problem.code in {"access_denied", "invalid_client"}
    assert not raised.value.down
    assert "wr0ng-secret" not in f"{raised.value} {raised.value.problem} {raised.value.data}"


async def test_a_slow_endpoint_is_given_up(idp: ToolIdp, made: list[Provider]) -> None:
    """R115: within the limit, and not as a refusal."""
    goes_on = asyncio.Event()

    async def slow(seen: Seen) -> Response | None:
        await goes_on.wait()
        return None

    idp.answer = slow
    provider = provider_of(idp, "custom", made, connectionTimeout=50, tokenEndpoint=f"{idp.url}/token")
    with pytest.raises(NoToken, match=r"no complete answer within 0\.05 s") as raised:
        await provider.token_for_tool(TOOL)
    assert raised.value.down
    goes_on.set()


@pytest.mark.parametrize(
    ("answer", "why", "down"),
    [
        (RedirectResponse("https://attacker.example/token", 307), "redirects", True),
        (Response(b"x" * 70_000), "larger", True),
        (Response(b"no json"), "no bearer token", False),
        (JSONResponse({"token_type": "Bearer"}), "no bearer token", False),
        (JSONResponse({"access_token": "a", "token_type": "mac"}), "no bearer token", False),
        (JSONResponse({"access_token": "a b", "token_type": "Bearer"}), "none that could be sent", False),
        (
            JSONResponse({"access_token": "a", "token_type": "Bearer", "scope": "tool:other"}),
            "did not grant",
            False,
        ),
        (Response(b"<html>", status_code=502), "502 Bad Gateway", True),
        (JSONResponse({"error": "slow_down"}, status_code=429), "429 slow_down", True),
    ],
)
async def test_an_answer_that_is_none(
    idp: ToolIdp, made: list[Provider], answer: Response, why: str, *, down: bool
) -> None:
    """Nothing of it becomes a token, and a redirect is not followed with the secret."""

    async def say(seen: Seen) -> Response:
        return answer

    idp.answer = say
    with pytest.raises(NoToken, match=why) as raised:
        await provider_of(idp, "custom", made).token_for_tool(TOOL)
    assert raised.value.down is down


async def test_a_token_that_names_another_tool_is_not_shown(idp: ToolIdp, made: list[Provider]) -> None:
    """Attack, or an Action that keeps what the question before it said."""
    for claims in (
        {"tool_id": "pay"},
        {"tool_version": "9.9.9"},
        {"definition_hash": "0" * 64},
        {"tool_id": 1},
    ):
        idp.claims = claims
        with pytest.raises(NoToken, match=r"names another tool|cannot be read"):
            await provider_of(idp, "custom", made).token_for_tool(TOOL)


async def test_a_provider_that_copies_no_claims_is_said(
    idp: ToolIdp, made: list[Provider], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever verifies would refuse each token, and the author would not know why."""
    idp.claims = dict.fromkeys(CLAIMS)
    await provider_of(idp, "custom", made).token_for_tool(TOOL)
    assert "do not name the tool" in caplog.text


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_that_grants_less_than_it_should_is_not_shown(
    idp: ToolIdp, made: list[Provider], kind: str
) -> None:
    """Also where the answer does not say so: every gateway would refuse the tool, and the author would not know why."""
    idp.claims = {"scope": "tool:echo:say", "scp": None, "roles": None}
    idp.members["scope"] = None
    with pytest.raises(NoToken, match=r"did not grant filesystem:read:/data$") as raised:
        await provider_of(idp, kind, made).token_for_tool(TOOL)
    assert not raised.value.down


async def test_a_token_that_is_no_jwt_is_said(
    idp: ToolIdp, made: list[Provider], caplog: pytest.LogCaptureFixture
) -> None:
    """A server that was not told whom the token is for grants such a one."""
    idp.members["access_token"] = "opaque"
    await provider_of(idp, "custom", made).token_for_tool(TOOL)
    assert "are no JWTs" in caplog.text


async def test_a_dead_provider_is_no_refusal(made: list[Provider]) -> None:
    """Nobody listens there."""
    config = {"clientId": "c", "clientSecret": "s", "domain": "127.0.0.1:9", "audience": "a"}
    made.append(create_provider("auth0", config))
    with pytest.raises(NoToken, match="the exchange failed") as raised:
        await made[-1].token_for_tool(TOOL)
    assert raised.value.down


@pytest.mark.parametrize(
    ("told", "life"),
    [
        ("3599", 3599.0),
        (None, 60.0),
        (-5, 0.0),
        (True, 60.0),
        pytest.param("9" * 5_000, 1e9, id="more digits than Python reads"),
        pytest.param(int("9" * 400), 1e9, id="no float can hold it"),
    ],
)
async def test_the_life_of_a_token_is_read_carefully(
    idp: ToolIdp, made: list[Provider], told: object, life: float
) -> None:
    """Text from Entra, nothing at all, nonsense."""
    idp.members["expires_in"] = told
    assert (await provider_of(idp, "azure", made).token_for_tool(TOOL)).life_s == life


async def test_metadata_of_another_issuer_is_not_believed(idp: ToolIdp, made: list[Provider]) -> None:
    """Attack: a document that sends the secret to an endpoint of its own."""
    provider = provider_of(idp, "custom", made, issuer=f"{idp.url}/other")
    with pytest.raises(NoToken, match="no metadata of its own"):
        await provider.token_for_tool(TOOL)
    assert idp.seen == []
