"""The gateway's credential at a server behind it, from the token endpoint of a certified OAuth server."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from gateway.door.host import NOBODY
from gateway.errors import UpstreamUnavailable
from gateway.identity.credentials import Secret
from gateway.upstream.oauth import OAuth
from gateway.upstream.token_endpoint import Registration, TokenEndpoint
from tests.support.clock import ManualClock
from tests.support.oidc_server import (
    AGENT,
    CRM,
    GATEWAY,
    LIFE_S,
    MCP_OPAQUE,
    POSTING_AUTHOR,
    SECRET,
    OidcServer,
)
from tests.support.recording_host import RecordingHost


def oauth(server: OidcServer, clock: ManualClock, *, exchange: bool = False, **changed: Any) -> OAuth:
    """The credential at the server "crm"."""
    members = {"client_id": GATEWAY, "client_secret": Secret(SECRET.encode()), "resource": CRM, **changed}
    registration = Registration(token_url=f"{server.url}/token", **members)
    return OAuth("crm", TokenEndpoint(registration, deadline_s=20), exchange=exchange, clock=clock)


def claims_of(shown: bytes) -> dict[str, Any]:
    """What the server behind the gateway would read."""
    scheme, _, token = shown.partition(b" ")
    assert scheme == b"Bearer"
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


async def test_a_token_is_for_that_server_and_renewed_early(oidc_server: OidcServer) -> None:
    """RFC 8707, and the life that the endpoint told."""
    clock = ManualClock()
    credential = oauth(oidc_server, clock, scopes=("notes",))
    first = await credential.authorization(NOBODY)
    claims = claims_of(first)
    assert (claims["aud"], claims["scope"], claims["client_id"]) == (CRM, "notes", GATEWAY)
    clock.advance(LIFE_S - 61)
    assert await credential.authorization(NOBODY) == first
    clock.advance(1)
    second = await credential.authorization(NOBODY)
    assert claims_of(second)["jti"] != claims["jti"]


async def test_a_token_that_was_refused_is_asked_for_anew(oidc_server: OidcServer) -> None:
    """It is not shown twice."""
    credential = oauth(oidc_server, ManualClock())
    first = await credential.authorization(NOBODY)
    credential.refused(first)
    assert await credential.authorization(NOBODY) != first


async def test_a_client_that_posts_its_secret(oidc_server: OidcServer) -> None:
    """As it is registered there."""
    credential = oauth(oidc_server, ManualClock(), client_id=POSTING_AUTHOR, auth_method="client_secret_post")
    assert claims_of(await credential.authorization(NOBODY))["aud"] == CRM


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"client_secret": Secret(b"wrong")}, 401), ({"resource": "https://unknown.example"}, 400)],
    ids=["secret", "resource"],
)
async def test_what_is_refused_is_no_outage(
    oidc_server: OidcServer, changed: dict[str, Any], status: int
) -> None:
    """The call learns that there is no credential, and the status."""
    with pytest.raises(UpstreamUnavailable, match=f"refused with HTTP {status}") as caught:
        await oauth(oidc_server, ManualClock(), **changed).authorization(NOBODY)
    assert caught.value.code == "upstream.credential"


async def test_a_callers_token_is_exchanged_and_not_passed_on(oidc_server: OidcServer) -> None:
    """RFC 8693, invariant 6; a token that was revoked buys nothing."""
    credential = oauth(oidc_server, ManualClock(), exchange=True)
    host = RecordingHost()
    token = await oidc_server.grant(AGENT, MCP_OPAQUE, "pay")
    host.subject_token = Secret(token.encode())
    assert claims_of(await credential.authorization(host))["aud"] == CRM
    ended = RecordingHost()
    other = await oidc_server.grant(AGENT, MCP_OPAQUE, "pay")
    await oidc_server.revoke(AGENT, other)
    ended.subject_token = Secret(other.encode())
    with pytest.raises(UpstreamUnavailable, match="refused with HTTP 400"):
        await credential.authorization(ended)
