"""The gateway says that it speaks ETDI, to stock servers and to secured ones, in both eras, and hears what they say."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from gateway.authoring.negotiation import Capability, read_capability
from gateway.catalog.catalog import Entry
from gateway.etdi_capability import CapabilityVerifier, capability_of, saying
from gateway.serving import serving
from gateway.settings.etdi import EtdiSettings, ToolIssuerSettings
from gateway.upstream.mcp_http import McpHttp
from gateway.upstream.mcp_stdio import McpStdio
from gateway.upstream.stdio_process import Command
from tests.authoring.secured import etdi_of, server_of
from tests.support import acme
from tests.support.answers import codes_of, status_of
from tests.support.eras import OfTheNewerEra, OfTheOlderEra
from tests.support.foreign_server import ForeignServer
from tests.support.foreign_server import serving as foreign
from tests.support.idp import AUDIENCE, running_idp
from tests.support.sdk_server import LEGACY, MODERN, Tools
from tests.support.tool_idp import running_tool_idp

OWN = Capability(providers=("custom",))
ROOT = Path(__file__).parents[1]
META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
ISSUER = ToolIssuerSettings(issuer="https://idp.example.com", providers=("acme",), profile="okta")


class Hearing:
    """A middleware of the SDK that keeps what a client says of itself."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    async def __call__(self, ctx: Any, call_next: Any) -> Any:
        params = dict(ctx.params or {})
        if ctx.method == "initialize":
            self.said.append(params["capabilities"])
        if ctx.method == "server/discover":
            self.said.append(params["_meta"][META_CAPABILITIES])
        return await call_next(ctx)


@asynccontextmanager
async def connected(app: ASGIApp, era: str, own: Capability | None) -> AsyncIterator[McpHttp]:
    """The gateway's client at this server, which speaks one era."""
    one_era: ASGIApp = OfTheOlderEra(app) if era == LEGACY else OfTheNewerEra(app)
    async with serving(one_era, lifespan=True) as port:
        url = f"http://127.0.0.1:{port}/mcp"
        upstream = McpHttp("other", url, version="0", timeout_s=20, says=saying(own))
        try:
            yield upstream
        finally:
            await upstream.aclose()


def test_it_says_something_only_where_it_trusts_somebody() -> None:
    """Kinds of issuers, and not who they are; whether it is required."""
    assert capability_of(EtdiSettings()) is None
    assert saying(None) is None
    assert capability_of(EtdiSettings(issuers=(ISSUER,))) == Capability(providers=("okta",))
    assert capability_of(EtdiSettings(capability_required=True)) == Capability(required=True)


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_a_secured_server_hears_it_and_says_it_too(tmp_path: Path, era: str) -> None:
    """In each spelling of the sources; nothing is asked of the gateway for it (R165)."""
    hearing = Hearing()
    async with running_tool_idp() as idp:
        server = server_of(etdi_of(idp, tmp_path))
        server.middleware.append(hearing)
        async with connected(server.streamable_http_app(), era, OWN) as upstream:
            about = await upstream.about()
            assert about.era.value == era
            assert read_capability(about.capabilities) == Capability(providers=("custom",))
            heard = hearing.said[-1]
            assert read_capability(heard) == OWN
            assert heard["etdi"]["supportedOAuthProviders"] == ["custom"]
            assert heard["extensions"]["etdi"]["supportedAlgorithms"] == ["RS256", "ES256"]
            assert not {"sampling", "elicitation", "roots"} & set(heard)
            assert {tool["name"] for tool in await upstream.definitions()} == {"read", "say"}


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize("own", [OWN, Capability(required=True), None])
async def test_a_stock_server_is_spoken_to_as_ever(era: str, own: Capability | None) -> None:
    """It knows nothing of ETDI and minds nothing (R065, R176)."""
    tools = Tools()
    async with connected(tools.server().streamable_http_app(), era, own) as upstream:
        about = await upstream.about()
        assert read_capability(about.capabilities) is None
        assert "echo" in {tool["name"] for tool in await upstream.definitions()}
        reply = await upstream.call("echo", {"text": "x"}, transaction_id="t", meta={})
        assert reply.result is not None
        assert b"echo x" in bytes(reply.result)
    assert tools.called == ["echo"]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_a_stock_server_on_its_pipes_is_spoken_to_as_ever(era: str) -> None:
    """The same, as a child process."""
    argv = (sys.executable, "-W", "ignore", "-m", "tests.support.sdk_server", era)
    command = Command(argv=argv, environment={"PYTHONPATH": str(ROOT)}, folder=str(ROOT))
    upstream = McpStdio("everything", command, version="0", says=saying(OWN))
    try:
        assert read_capability((await upstream.about()).capabilities) is None
        reply = await upstream.call("echo", {"text": "x"}, transaction_id="t", meta={})
        assert reply.result is not None
    finally:
        await upstream.aclose()


@asynccontextmanager
async def listed_elsewhere(
    folder: Path, capabilities: dict[str, Any], *, required: bool
) -> AsyncIterator[tuple[acme.Chain, ForeignServer]]:
    """Acme's tool with its good token, at a server that says this of itself."""
    (folder / "idp").mkdir()
    async with running_idp(folder / "idp") as idp, foreign(ForeignServer()) as server:
        server.capabilities |= capabilities
        client = await acme.registered(idp.shelves)
        server.tools = [await acme.listed(acme.acme(folder, idp.url, *client))]
        etdi = acme.trusting(idp.url, folder, audience=AUDIENCE, required=required)
        async with acme.gateway(folder, etdi, {"acme": server.url}) as house:
            yield acme.Chain(house=house, shelves=idp.shelves, folder=folder), server


BAD: dict[str, tuple[dict[str, Any], bool, str]] = {
    "none, and it is required here": ({}, True, "the server does not speak it"),
    "too new, and required there": (
        {"etdi": {"version": "2.0.0", "required": True}},
        False,
        "versions 1.0.0 and 2.0.0",
    ),
    "too new, and required here": ({"etdi": {"version": "2.0.0"}}, True, "versions 1.0.0 and 2.0.0"),
    "contradicts itself": (
        {"etdi": {"version": "1.0.0"}, "extensions": {"etdi": {"version": "1.1.0"}}},
        False,
        "disagree on version",
    ),
    "malformed": ({"etdi": "yes"}, False, "not an object"),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_does_not_fit_makes_tools_unverified(
    tmp_path: Path, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Although token and signature are good: not called, said why, once, and the gateway goes on (R166)."""
    capabilities, required, words = BAD[case]
    async with listed_elsewhere(tmp_path, capabilities, required=required) as (chain, server):
        caplog.set_level(logging.WARNING, "countersign.etdi")
        for _ in range(2):
            entry: Entry = await chain.entry()
            assert (entry.tool.etdi.status, entry.tool.etdi.error) == ("unverified", "config_invalid")
        told = [one for one in caplog.messages if words in one]
        assert len(told) == 1, caplog.messages
        await chain.approve()
        answer = await chain.call()
        assert status_of(answer) == "refused"
        assert "catalog.unverified" in codes_of(answer)
        assert server.calls == []
        assert status_of(await chain.house.call("list_invoices", {})) != "error", "the others go on"


@pytest.mark.parametrize(
    ("capabilities", "required"),
    [
        ({"etdi": {"version": "1.4.0", "oauthProvider": "custom"}}, True),
        ({"extensions": {"etdi": {"version": "1.0"}}}, True),
        ({"etdi": {"version": "2.0.0"}}, False),
        ({"etdi": {"version": "1.0.0", "oauthProvider": "okta.com"}}, False),
        ({}, False),
    ],
)
async def test_what_fits_or_is_not_required_is_judged_by_token_and_signature(
    tmp_path: Path, capabilities: dict[str, Any], *, required: bool
) -> None:
    """As ever."""
    async with listed_elsewhere(tmp_path, capabilities, required=required) as (chain, _):
        assert (await chain.entry()).tool.etdi.status == "verified"
        await chain.approve()
        assert status_of(await chain.call()) == "executed"


async def test_a_server_that_is_not_there_is_the_inner_verifiers() -> None:
    """Nobody is asked what it said of itself."""

    class Inner:
        async def verify(self, server: str, definitions: Any) -> Any:
            return [server for _ in definitions]

        def stands(self, verdict: Any) -> bool:
            return bool(verdict)

    verifier = CapabilityVerifier(Inner(), {}, OWN)
    assert list(await verifier.verify("gone", [None])) == ["gone"]  # type: ignore[list-item, comparison-overlap]
