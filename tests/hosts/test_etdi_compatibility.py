"""Stock hosts and servers of both eras, secured and plain, and the gateway that speaks ETDI between them (R176)."""

from __future__ import annotations

import logging
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from mcp.server import MCPServer
from starlette.types import ASGIApp

from gateway.catalog.approvals import Approvals
from gateway.serving import serving
from tests.hosts.host import connected
from tests.support import acme
from tests.support.eras import ERAS, OfTheNewerEra, OfTheOlderEra
from tests.support.house import House
from tests.support.idp import AUDIENCE, running_idp

MODES = ("2026-07-28", "legacy")
WRAPS: dict[str, Callable[[ASGIApp], ASGIApp]] = {"modern": OfTheNewerEra, "legacy": OfTheOlderEra}
SECURED = {era: f"secured-{era}" for era in ERAS}
PLAIN = {era: f"plain-{era}" for era in ERAS}


def plain() -> MCPServer:
    """A server that knows nothing of ETDI, with a tool of the same name."""
    server = MCPServer("plain")

    @server.tool(name=acme.TOOL, description=acme.HONEST)
    def read(path: str) -> str:
        return path

    return server


@asynccontextmanager
async def houses(folder: Path, phase: str) -> AsyncIterator[House]:
    """One gateway before four servers; the tools of the secured ones are approved in part, of the others nobody's."""
    async with AsyncExitStack() as stack:
        (folder / "idp").mkdir()
        idp = await stack.enter_async_context(running_idp(folder / "idp"))
        client = await acme.registered(idp.shelves)
        upstreams = {}
        acme.signer(folder)  # one key for both servers of Acme's
        for era in ERAS:
            own = folder / era
            own.mkdir()
            shutil.copy2(folder / "acme.pem", own)
            secured = acme.acme(own, idp.url, *client).streamable_http_app()
            for name, app in ((SECURED[era], secured), (PLAIN[era], plain().streamable_http_app())):
                port = await stack.enter_async_context(serving(WRAPS[era](app), lifespan=True))
                upstreams[name] = f"http://127.0.0.1:{port}/mcp"
        etdi = acme.trusting(idp.url, folder, audience=AUDIENCE)
        house = await stack.enter_async_context(acme.gateway(folder, etdi, upstreams, phase=phase))
        approvals = Approvals(house.gateway.store, pins={}, now=house.clock)
        for name in SECURED.values():
            entry = await house.gateway.house.catalog.current(name, acme.TOOL, sensitive=True)
            assert entry.tool.etdi.status == "verified"
            await approvals.approve(
                name, entry.definition, by="operator", expires=None, permissions=(acme.READ,)
            )
        house.clock.advance(acme.LISTING_AGE_S)
        yield house


@pytest.fixture(scope="module")
async def enforced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Only what is proven and approved."""
    async with houses(tmp_path_factory.mktemp("enforced"), "enforcement") as house:
        yield house


@pytest.fixture(scope="module")
async def coexisting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Also what never heard of ETDI."""
    async with houses(tmp_path_factory.mktemp("coexisting"), "coexistence") as house:
        yield house


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("mode", MODES)
async def test_a_secured_server_is_used_by_a_stock_host(enforced: House, mode: str, era: str) -> None:
    """It is listed under its own name and called; the host needs to know nothing (R065)."""
    async with connected(enforced, mode, SECURED[era]) as host:
        assert acme.TOOL in {tool.name for tool in (await host.list_tools()).tools}
        assert not (await host.call_tool(acme.TOOL, {"path": "a"})).is_error


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("mode", MODES)
async def test_a_plain_server_is_refused_where_etdi_is_enforced(enforced: House, mode: str, era: str) -> None:
    """Not listed; a call is a tool error with its reason, and no broken connection."""
    async with connected(enforced, mode, PLAIN[era]) as host:
        assert acme.TOOL not in {tool.name for tool in (await host.list_tools()).tools}
        refused = await host.call_tool(acme.TOOL, {"path": "a"})
        assert refused.is_error
        assert "catalog.unverified" in str(refused.meta)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("mode", MODES)
async def test_a_plain_server_goes_on_with_a_warning_while_both_kinds_coexist(
    coexisting: House, mode: str, era: str
) -> None:
    """Callable by its own name; the record has what was softened (R158, R160)."""
    async with connected(coexisting, mode, PLAIN[era]) as host:
        assert acme.TOOL in {tool.name for tool in (await host.list_tools()).tools}
        assert not (await host.call_tool(acme.TOOL, {"path": "a"})).is_error
    record = coexisting.records()[-1]
    assert (record["server"], record["status"]) == (PLAIN[era], "executed")
    assert "catalog.unverified" in str(record)


async def test_the_operator_is_told_who_does_not_speak_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning for each such server, and none for the others."""
    caplog.set_level(logging.WARNING, "countersign.etdi")
    async with houses(tmp_path, "coexistence") as house:
        for name in (*PLAIN.values(), *SECURED.values(), *PLAIN.values()):
            await house.gateway.house.catalog.current(name, acme.TOOL, sensitive=True)
            house.clock.advance(acme.LISTING_AGE_S)
    told = [one for one in caplog.messages if "the server does not speak it" in one]
    assert sorted(one.split()[1] for one in told) == sorted(PLAIN.values())
