"""The client at a whole gateway: the real posts, the real policy, a person at the real console."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.client import (
    AuthorizationFailed,
    BoundToken,
    Confirmation,
    ConfirmationPending,
    ExecutionFailed,
    HandshakeClient,
    KeySigner,
    Prover,
    SyncHandshakeClient,
    Timeouts,
    execute_secure_tool,
)
from gateway.client.adapters.mcp import SecureSession, StandardClient
from gateway.demo.approver import ScriptedHuman
from gateway.identity.parameters import CallerKey
from gateway.identity.static import STATIC_ISSUER
from gateway.settings.model import DpopSettings, Hidden, IdentitySettings
from gateway.upstream.paypal.simulator.seeds import CAPTURE
from tests.hosts.host import connected
from tests.support import typescript
from tests.support.calls import READ, invoice, refund
from tests.support.frameworks import REPOSITORY
from tests.support.handshake_service import in_thread
from tests.support.house import AGENT_TOKEN, MODERN, House, agent, running_house
from tests.support.keys import signing_key
from tests.support.oauth import token_for, trusting

INVOICED = ["POST /v2/invoicing/invoices"]
REFUNDED = [f"POST /v2/payments/captures/{CAPTURE}/refund"]
FAST = Timeouts(poll=0.05, confirmation=60)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway with the two posts."""
    async with running_house(tmp_path) as running:
        yield running


async def approved_at(house: House, url: str | None) -> None:
    """Another person approves at the page."""
    assert url is not None
    human = ScriptedHuman(await house.login())
    try:
        await human.approve(url)
    finally:
        await human.aclose()


async def test_class_3_takes_two_posts(house: House) -> None:
    """Executed once, by either client."""
    async with HandshakeClient(house.url, AGENT_TOKEN) as client:
        made = await client.execute_with_handshake("create_invoice", invoice("async"))
    assert "content" in made
    assert house.paypal_writes == INVOICED
    with SyncHandshakeClient(house.url, AGENT_TOKEN) as blocking:
        await in_thread(blocking.execute_with_handshake, "create_invoice", invoice("sync"))
    assert house.paypal_writes == INVOICED * 2


async def test_class_2_waits_for_a_person(house: House) -> None:
    """The callback's page is the one where it is approved; the money moves once, and after that."""

    async def on_confirmation(one: Confirmation) -> None:
        assert house.paypal_writes == []
        await approved_at(house, one.approve_url)

    async with HandshakeClient(
        house.url, AGENT_TOKEN, timeouts=FAST, on_confirmation=on_confirmation
    ) as client:
        await client.execute_with_handshake("create_refund", refund())
    assert house.paypal_writes == REFUNDED


async def test_a_call_that_was_left_is_made_again(house: House) -> None:
    """Pending, approved meanwhile, and then the very same call is carried out without asking anew."""
    async with HandshakeClient(house.url, AGENT_TOKEN, timeouts=FAST) as client:
        with pytest.raises(ConfirmationPending) as caught:
            await client.execute_with_handshake("create_refund", refund())
        assert house.paypal_writes == []
        await approved_at(house, caught.value.approve_url)
        await client.execute_with_handshake("create_refund", refund())
    assert house.paypal_writes == REFUNDED


async def test_both_ways_at_one_gateway(house: House) -> None:
    """``execute_secure_tool`` with the official SDK beside; a call that takes the wrong way is refused there."""
    async with (
        connected(house, MODERN) as session,
        HandshakeClient(house.url, AGENT_TOKEN) as client,
    ):
        standard = StandardClient(session)
        await execute_secure_tool("list_invoices", READ, standard, client)
        await execute_secure_tool("create_invoice", invoice("both"), standard, client)
        assert house.paypal_writes == INVOICED
        read = await SecureSession(session, client).call_tool("list_invoices", READ)
        assert not read.is_error
        with pytest.raises(AuthorizationFailed, match="Invalid signature"):
            await client.execute_with_handshake("list_invoices", READ)


async def test_an_internal_tool_by_two_posts_and_a_key(tmp_path: Path) -> None:
    """Class 4 over plain HTTP: the client signs the parameters with a key that the operator registered."""
    key = signing_key("ES256", "signer")
    signer = KeySigner(key.private, key_id="signer")
    identity = IdentitySettings(
        tokens=(agent(AGENT_TOKEN, "agent-one"),),
        keys=(CallerKey(issuer=STATIC_ISSUER, subject="agent-one", jwk=key.public_jwk()),),
    )
    async with (
        running_house(tmp_path, identity=identity) as house,
        HandshakeClient(house.url, AGENT_TOKEN, server="paypal", signer=signer) as client,
    ):
        assert "content" in await client.execute_with_handshake("list_invoices", READ)


@pytest.mark.parametrize("nonces", [False, True], ids=["plain", "nonces"])
async def test_a_bound_token_and_its_key(tmp_path: Path, *, nonces: bool) -> None:
    """DPoP at both posts, and the same key signs the parameters of an INTERNAL tool: nothing is registered. Without the
    key the token is worth nothing."""
    key = signing_key("EdDSA", "client")
    secret = Hidden("unsafe-secret-of-nonces-for-tests-01") if nonces else None
    dpop = DpopSettings(required=True, nonce_secret=secret)
    async with running_house(tmp_path, identity=trusting(tmp_path, dpop=dpop)) as house:
        token = token_for(house, key=key)
        bound = BoundToken(token, Prover(key.private))
        signer = KeySigner(key.private)
        async with HandshakeClient(house.url, bound, server="paypal", signer=signer) as client:
            await client.execute_with_handshake("create_invoice", invoice("bound"))
            assert house.paypal_writes == INVOICED
            assert "content" in await client.execute_with_handshake("list_invoices", READ)
        async with HandshakeClient(house.url, token) as thief:
            with pytest.raises(AuthorizationFailed, match="Invalid session"):
                await thief.execute_with_handshake("create_invoice", invoice("stolen"))
        stranger = BoundToken(token, Prover(signing_key("EdDSA", "thief").private))
        async with HandshakeClient(house.url, stranger) as thief:
            with pytest.raises(AuthorizationFailed, match="Invalid session"):
                await thief.execute_with_handshake("create_invoice", invoice("stolen"))
        assert house.paypal_writes == INVOICED


async def test_a_strange_session_and_a_spent_token(house: House) -> None:
    """The how-to guide's words arrive."""
    async with HandshakeClient(house.url, "unsafe-token-of-nobody-at-all") as client:
        with pytest.raises(AuthorizationFailed, match=r"^Authorization failed: Invalid session$"):
            await client.execute_with_handshake("create_invoice", invoice("x"))
    async with HandshakeClient(house.url, AGENT_TOKEN) as client:
        authorization = await client.request_auth("create_invoice", invoice("late"))
        house.clock.advance(120)
        with pytest.raises(ExecutionFailed, match=r"^Execution failed: Invalid or expired token$"):
            await client.execute_with_auth(authorization, "create_invoice", invoice("late"))
    assert house.paypal_writes == []


TYPESCRIPT = """
const { HandshakeClient, ConfirmationPending } = await import(process.env.PACKAGE);
const client = new HandshakeClient(process.env.GATEWAY, process.env.TOKEN);
await client.executeWithHandshake("create_invoice", JSON.parse(process.env.INVOICE));
const refund = client.executeWithHandshake("create_refund", JSON.parse(process.env.REFUND));
const pending = await refund.catch((error) => error);
console.log(pending instanceof ConfirmationPending, pending.approveUrl);
"""


async def test_the_typescript_client_at_a_whole_gateway(house: House) -> None:
    """Class 3 is executed; class 2 is told where a person confirms."""
    environment = {
        "PACKAGE": (typescript.PACKAGE / "src/index.ts").as_uri(),
        "GATEWAY": house.url,
        "TOKEN": AGENT_TOKEN,
        "INVOICE": json.dumps(invoice("typescript")),
        "REFUND": json.dumps(refund()),
    }
    words = ("--input-type=module", "--eval", TYPESCRIPT)
    code, printed = await typescript.node(*words, environment=environment)
    assert code == 0, printed
    assert f"true {house.url}/console/pending/" in printed
    assert house.paypal_writes == INVOICED


BOUND = """
const c = await import(process.env.PACKAGE);
const key = await c.ProofKey.of(JSON.parse(process.env.JWK));
const options = { server: "paypal", signer: new c.KeySigner(key) };
const bound = new c.BoundToken(process.env.TOKEN, new c.Prover(key));
const client = new c.HandshakeClient(process.env.GATEWAY, bound, options);
await client.executeWithHandshake("create_invoice", JSON.parse(process.env.INVOICE));
await client.executeWithHandshake("list_invoices", JSON.parse(process.env.READ));
const thief = new c.HandshakeClient(process.env.GATEWAY, process.env.TOKEN);
console.log(String(await thief.executeWithHandshake("create_invoice", {}).catch((error) => error)));
"""


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
async def test_the_typescript_client_proves_its_key(tmp_path: Path, algorithm: Any) -> None:
    """DPoP with nonces at both posts, and signed parameters of an INTERNAL tool, all judged by the gateway."""
    key = signing_key(algorithm, "client")
    dpop = DpopSettings(required=True, nonce_secret=Hidden("unsafe-secret-of-nonces-for-tests-01"))
    async with running_house(tmp_path, identity=trusting(tmp_path, dpop=dpop)) as house:
        environment = {
            "PACKAGE": (typescript.PACKAGE / "src/index.ts").as_uri(),
            "GATEWAY": house.url,
            "TOKEN": token_for(house, key=key),
            "JWK": json.dumps(key.private_jwk()),
            "INVOICE": json.dumps(invoice("typescript")),
            "READ": json.dumps(READ),
        }
        words = ("--input-type=module", "--eval", BOUND)
        code, printed = await typescript.node(*words, environment=environment)
        assert code == 0, printed
        assert "Authorization failed: Invalid session" in printed
        assert house.paypal_writes == INVOICED


async def test_the_mcp_example_runs(house: House, tmp_path: Path) -> None:
    """As it stands in the documentation: it reads, and is then told that a person has to confirm."""
    example = REPOSITORY / "docs/examples/with_mcp.py"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(REPOSITORY),
        "COUNTERSIGN_URL": house.url,
        "COUNTERSIGN_TOKEN": AGENT_TOKEN,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(example),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    assert "invoices" in printed.decode()
    assert "/console/pending/" in printed.decode()
    assert house.paypal_writes == []
