"""Hosts on the official SDK behind ``countersign connect``, at a gateway that wants their parameters signed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from gateway.demo.story import INVOICE
from gateway.identity.parameters import CallerKey
from gateway.identity.static import STATIC_ISSUER
from gateway.settings.model import IdentitySettings
from tests.hosts.test_oauth import bridge_to, called, trusting
from tests.support.answers import status_of
from tests.support.authorization_server import authorization_server
from tests.support.bridge import COUNTERSIGN, environment
from tests.support.calls import READ
from tests.support.house import AGENT_TOKEN, MODERN, House, agent, running_house
from tests.support.keys import SigningKey, signing_key
from tests.support.policy_copies import copied, edit_data, judged_by

KEY = signing_key("EdDSA", "host")
STRANGER = signing_key("EdDSA", "stranger")
INVOICED = ["POST /v2/invoicing/invoices"]
EVERYWHERE = {"modern": [3, 4], "legacy": [3, 4], "rest": [4]}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Its policy refuses calls of classes 3 and 4 without a signature; it knows one key of the agent's."""
    policies = copied(tmp_path)
    edit_data(policies, "arguments", signed=EVERYWHERE)
    identity = IdentitySettings(
        tokens=(agent(AGENT_TOKEN, "agent-one"),),
        keys=(CallerKey(issuer=STATIC_ISSUER, subject="agent-one", jwk=KEY.public_jwk()),),
    )
    async with running_house(tmp_path, policy=judged_by(policies), identity=identity) as running:
        yield running


@asynccontextmanager
async def connected(house: House, home: Path, mode: str, key: SigningKey | None) -> AsyncIterator[Client]:
    """The SDK's own client, which starts the bridge."""
    options = []
    if key is not None:
        path = home / "key.pem"
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        path.write_bytes(key.private.private_bytes(encoding, form, serialization.NoEncryption()))
        options = ["--signing-key", str(path)]
    parameters = StdioServerParameters(
        command=COUNTERSIGN,
        args=["connect", f"{house.url}/mcp", *options],
        env=environment(home, COUNTERSIGN_TOKEN=AGENT_TOKEN),
        cwd=home,
    )
    async with Client(stdio_client(parameters), mode=mode) as client:
        yield client


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_a_registered_key_signs_for_the_host(house: House, tmp_path: Path, mode: str) -> None:
    """A read, and a class 3 call whose two phases are each signed; nothing was refused on the way."""
    async with connected(house, tmp_path, mode, KEY) as client:
        assert not (await client.call_tool("list_products", {})).is_error
        assert not (await client.call_tool("create_invoice", INVOICE)).is_error
    assert house.paypal_writes == INVOICED
    assert "refused" not in {one["status"] for one in house.records()}


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
@pytest.mark.parametrize(
    ("key", "code"),
    [(None, "arguments.signature_missing"), (STRANGER, "arguments.signature_invalid")],
    ids=["no key", "a stranger's key"],
)
async def test_the_control(
    house: House, tmp_path: Path, mode: str, key: SigningKey | None, code: str
) -> None:
    """Without the key that the gateway knows the same host gets nowhere, once, and PayPal hears nothing."""
    async with connected(house, tmp_path, mode, key) as client:
        done = await client.call_tool("create_invoice", INVOICE)
    assert done.is_error
    refused = [one for one in house.records() if one["status"] == "refused"]
    assert len(refused) == 1
    assert code in refused[0]["reasons"]
    assert house.paypal_calls == 0


@pytest.mark.parametrize("modern", [True, False], ids=["modern", "legacy"])
async def test_the_key_of_a_bound_token_signs_where_it_is_asked_for(tmp_path: Path, *, modern: bool) -> None:
    """Nothing is registered and nothing is configured at the host: the key that DPoP proves signs, from the first
    refusal on; each tool is refused once for it."""

    def params(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return called(tool, arguments) if modern else {"name": tool, "arguments": arguments}

    async with (
        authorization_server(dpop=True) as issuer,
        trusting(issuer, tmp_path, signed=EVERYWHERE) as house,
    ):
        async with bridge_to(house, tmp_path) as bridge:
            for ident in (1, 2, 3):
                done = await bridge.ask("tools/call", params("list_invoices", dict(READ)), ident)
                assert status_of(done) == "executed", done
            done = await bridge.ask("tools/call", params("create_invoice", INVOICE), 4)
            assert status_of(done) == "executed", done
        assert house.paypal_writes == INVOICED
        unsigned = [one["tool"] for one in house.records() if "arguments.signature_missing" in one["reasons"]]
        assert unsigned == ["list_invoices", "create_invoice"]
