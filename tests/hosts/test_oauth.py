"""Hosts that sign in: the bridge and the official SDK's own OAuth client, at a gateway whose issuer is a real server.

The issuer gives out opaque tokens, so that the gateway asks it about each; nothing is configured at the hosts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from gateway.demo.story import INVOICE
from gateway.settings.model import DpopSettings, Hidden, IdentitySettings, IssuerSettings
from tests.client.login.test_login import BROWSER
from tests.support.answers import status_of
from tests.support.authorization_server import (
    INTROSPECTOR,
    INTROSPECTOR_SECRET,
    AuthorizationServer,
    authorization_server,
)
from tests.support.bridge import BridgeProcess, bridging
from tests.support.calls import READ
from tests.support.house import MODERN, MODERN_META, House, running_house
from tests.support.oauth import resource
from tests.support.policy_copies import copied, edit_data, judged_by

INVOICED = ["POST /v2/invoicing/invoices"]
LITTLE, MORE = "mcp:tools", "mcp:tools mcp:write"


@asynccontextmanager
async def trusting(
    issuer: AuthorizationServer,
    folder: Path,
    dpop: DpopSettings | None = None,
    server: str = "",
    signed: dict[str, Any] | None = None,
) -> AsyncIterator[House]:
    """A gateway that asks the issuer about tokens, and whose policy wants one more scope for class 3."""
    policies = copied(folder)
    edit_data(policies, "identity", scopes={"4": ["mcp:tools"], "3": MORE.split()})
    edit_data(policies, "arguments", signed=signed or {})
    identity = IdentitySettings(
        issuers=(
            IssuerSettings(
                issuer=issuer.url,
                role_claim=("roles",),
                introspection_url=f"{issuer.url}/introspect",
                introspection_client_id=INTROSPECTOR,
                introspection_client_secret=Hidden(INTROSPECTOR_SECRET),
            ),
        ),
        scopes_supported=("mcp:tools",),
        dpop=dpop or DpopSettings(),
    )
    async with running_house(folder, policy=judged_by(policies), identity=identity) as house:
        issuer.protects = resource(house, server)
        yield house


def called(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The params of a modern ``tools/call``."""
    return {"name": tool, "arguments": arguments, "_meta": MODERN_META}


def bridge_to(house: House, home: Path, *options: str) -> Any:
    """The bridge, with a browser that consents at once, and no keyring."""
    return bridging(
        f"{house.url}/mcp",
        home,
        *options,
        BROWSER=BROWSER,
        PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
    )


async def read(bridge: BridgeProcess, ident: int = 1) -> dict[str, Any]:
    """One call of class 4 through the bridge."""
    return await bridge.ask("tools/call", called("list_invoices", dict(READ)), ident)


@pytest.mark.parametrize("server", ["", "paypal"])
async def test_the_bridge_signs_in_proves_its_key_and_steps_up(tmp_path: Path, server: str) -> None:
    """401, metadata, sign-in, a call with a proof; then 403, a second sign-in with all scopes, and both phases."""
    async with authorization_server(dpop=True) as issuer, trusting(issuer, tmp_path, server=server) as house:
        options = ("--server", server) if server else ()
        async with bridge_to(house, tmp_path, *options) as bridge:
            assert status_of(await read(bridge)) == "executed"
            assert [one["scope"] for one in issuer.authorized] == [f"{LITTLE} offline_access"]
            assert all(one["key"] for one in issuer.tokens.values())
            done = await bridge.ask("tools/call", called("create_invoice", INVOICE), 2)
            assert status_of(done) == "executed"
            assert status_of(await read(bridge, 3)) == "executed"
        assert len(issuer.authorized) == 2
        assert set(issuer.authorized[1]["scope"].split()) >= set(MORE.split())
        assert house.paypal_writes == INVOICED
        errors = [one["error"] for one in house.records() if one["status"] == "refused"]
        assert errors[0] == "identity.token_missing"
        assert {one["caller"]["subject"] for one in house.records() if one["caller"]} == {"alice"}


async def test_the_bridge_where_proofs_are_required_and_carry_nonces(tmp_path: Path) -> None:
    """The gateway's nonce is learnt from its 401, and the sign-in is not begun anew for it."""
    dpop = DpopSettings(required=True, nonce_secret=Hidden("unsafe-secret-of-nonces-for-tests-01"))
    async with (
        authorization_server(dpop=True, nonces=True) as issuer,
        trusting(issuer, tmp_path, dpop) as house,
        bridge_to(house, tmp_path) as bridge,
    ):
        for ident in (1, 2):
            assert status_of(await read(bridge, ident)) == "executed"
        assert len(issuer.authorized) == 1
        refused = [one["error"] for one in house.records() if one["status"] == "refused"]
        assert refused == ["identity.token_missing", "identity.proof_nonce"]


async def test_the_bridge_at_an_issuer_without_proofs(tmp_path: Path) -> None:
    """The gateway offers DPoP, the issuer binds nothing: a bearer token is what there is, and it is good."""
    async with (
        authorization_server() as issuer,
        trusting(issuer, tmp_path) as house,
        bridge_to(house, tmp_path) as bridge,
    ):
        assert status_of(await read(bridge)) == "executed"
        assert [one["key"] for one in issuer.tokens.values()] == [None]


class Kept(TokenStorage):
    """Where the SDK keeps what it has: in this process."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """The last ones."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """New ones."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """The registration."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """A new registration."""
        self.client = client_info


class Browser:
    """A person who consents at once, and the host's own listener in one."""

    def __init__(self) -> None:
        self.location = ""

    async def open(self, url: str) -> None:
        """Follow the sign-in to where it leads back to the host."""
        async with httpx2.AsyncClient(trust_env=False) as http:
            self.location = (await http.get(url)).headers["location"]

    async def back(self) -> AuthorizationCodeResult:
        """What arrived there."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}
        return AuthorizationCodeResult(code=query["code"], state=query["state"], iss=query["iss"])


@asynccontextmanager
async def sdk(house: House, mode: str, kept: Kept) -> AsyncIterator[Client]:
    """The official client with its own OAuth; nothing about it is ours but the browser."""
    browser = Browser()
    metadata = OAuthClientMetadata(
        client_name="a host",
        redirect_uris=[AnyUrl("http://127.0.0.1:1/callback")],
        token_endpoint_auth_method="none",
    )
    url = f"{house.url}/mcp"
    auth = OAuthClientProvider(url, metadata, kept, browser.open, browser.back)
    async with (
        httpx2.AsyncClient(auth=auth, timeout=30, trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.mark.parametrize("mode", [MODERN, "auto", "legacy"])
async def test_the_sdk_signs_in_by_itself_and_steps_up(tmp_path: Path, mode: str) -> None:
    """From the gateway's URL alone: sign-in with the scope of the challenge, then once more with all of the call."""
    kept = Kept()
    async with authorization_server() as issuer, trusting(issuer, tmp_path) as house:
        async with sdk(house, mode, kept) as client:
            assert not (await client.call_tool("list_invoices", dict(READ))).is_error
            assert [one["scope"].split()[0] for one in issuer.authorized] == [LITTLE]
            await client.call_tool("create_invoice", INVOICE)
            assert len(issuer.authorized) == 2
            assert set(issuer.authorized[1]["scope"].split()) >= set(MORE.split())
            assert not (await client.call_tool("list_invoices", dict(READ))).is_error
        assert kept.tokens is not None
        assert kept.tokens.access_token in issuer.tokens
        assert house.paypal_writes == ([] if mode == "legacy" else INVOICED)
