"""A provider's server with one secured tool, and the gateways that trust whom it gets its tokens from.

As a program (``python -m tests.support.acme ISSUER CLIENT_ID FOLDER``, the secret in ``ACME_SECRET``) it serves stdio.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp.client import Client

from gateway.authoring.declaration import Author
from gateway.authoring.etdi import Etdi
from gateway.authoring.history import VersionHistory
from gateway.authoring.providers.registry import create_provider
from gateway.authoring.server import SecureServer
from gateway.authoring.signing import Signer, generate_key
from gateway.catalog.approvals import Approvals
from gateway.catalog.catalog import Entry
from gateway.catalog.tool import ETDI_META_KEY
from gateway.identity_provider import Shelves, shelves_of
from gateway.idp.provider import About, Status
from gateway.serving import serving
from gateway.settings.etdi import EtdiSettings, ProviderKeySettings, ToolIssuerSettings
from gateway.settings.idp_model import IdpSettings
from gateway.settings.kinds import Hidden
from gateway.settings.model import UpstreamSettings
from tests.support.house import House, running_house
from tests.support.idp import unrecorded
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.ports import free_port

TOOL, ID = "read", "acme.read"
READ, WRITE = "files:read", "files:write"
HONEST = "Reads a file."
LISTING_AGE_S = 3.0


def signer(folder: Path) -> Signer:
    """Acme's own key."""
    path = folder / "acme.pem"
    return Signer.from_file(path) if path.exists() else generate_key(path)


def acme(folder: Path, issuer: str, client_id: str, secret: str, *, signed: bool = True) -> SecureServer:
    """The server; what it was called with is in ``calls.txt``."""
    config = {"issuer": issuer, "clientId": client_id, "clientSecret": secret}
    etdi = Etdi(
        author=Author(id="acme", name="Acme"),
        oauth=create_provider("custom", config),
        history=VersionHistory(folder / "versions.json"),
        signer=signer(folder) if signed else None,
    )
    server = SecureServer("acme", etdi=etdi)

    @server.tool(name=TOOL, tool_id=ID, permissions=[READ, WRITE], description=HONEST)
    def read(path: str) -> str:
        with (folder / "calls.txt").open("a") as calls:
            calls.write(path + "\n")
        return path

    return server


@dataclass(kw_only=True)
class Chain:
    """Identity provider, author, gateway: all of it running. ``token`` is the one that the tool carried last."""

    house: House
    shelves: Shelves
    folder: Path
    client: tuple[str, str] = ("", "")
    token: str = ""

    @property
    def calls(self) -> list[str]:
        """What reached the author's server."""
        path = self.folder / "calls.txt"
        return path.read_text().split() if path.exists() else []

    async def entry(self, server: str = "acme") -> Entry:
        """The tool as the gateway sees it now, read anew."""
        self.house.clock.advance(LISTING_AGE_S)
        found = await self.house.gateway.house.catalog.current(server, TOOL, sensitive=True)
        oauth = found.definition.block.oauth
        self.token = (oauth.token if oauth is not None else None) or ""
        return found

    async def approve(self, server: str = "acme") -> None:
        """An operator looks at it and approves a part of what it asks for."""
        approvals = Approvals(self.house.gateway.store, pins={}, now=self.house.clock)
        entry = await self.entry(server)
        await approvals.approve(server, entry.definition, by="operator", expires=None, permissions=(READ,))
        self.house.clock.advance(LISTING_AGE_S)

    async def call(self, server: str = "acme") -> dict[str, Any]:
        """A host calls it."""
        return await self.house.call(TOOL, {"path": "a"}, server=server)


async def registered(shelves: Shelves, provider: str = "acme", **members: Any) -> tuple[str, str]:
    """Client id and secret of an approved provider."""
    made, secret = await shelves.providers.register(
        About(name=provider),
        provider_id=provider,
        record=unrecorded,
        **{
            "public_key": None,
            "status": Status.APPROVED,
            "scopes": (f"tool:{READ}", f"tool:{WRITE}"),
            "tools": (f"{provider}.*",),
            **members,
        },
    )
    return made.client_id, secret


def trusting(
    issuer: str, folder: Path, *, signed: bool = True, required: bool = False, **members: Any
) -> EtdiSettings:
    """The gateway's settings: this issuer for Acme's and Mallory's tools, and Acme's own key."""
    own = signer(folder)
    key = ProviderKeySettings(provider="acme", key_id=own.key_id, public_key=own.public_pem())
    one = ToolIssuerSettings(
        issuer=issuer,
        **{"providers": ("acme", "mallory"), "require_definition_hash": True, **members},
    )
    return EtdiSettings(issuers=(one,), provider_keys=(key,) if signed else (), capability_required=required)


@asynccontextmanager
async def running_acme(
    folder: Path, issuer: str, client: tuple[str, str], *, port: int = 0
) -> AsyncIterator[str]:
    """Acme's server over HTTP; gives its address."""
    app = acme(folder, issuer, *client).streamable_http_app()
    async with serving(app, port=port, lifespan=True) as bound:
        yield f"http://127.0.0.1:{bound}/mcp"


def on_pipes(folder: Path, issuer: str, client: tuple[str, str]) -> UpstreamSettings:
    """The same as a child process of the gateway."""
    return UpstreamSettings(
        command=(sys.executable, "-m", "tests.support.acme", issuer, client[0], str(folder)),
        env={"ACME_SECRET": Hidden(client[1])},
        cwd=str(Path(__file__).parents[2]),
    )


@asynccontextmanager
async def gateway(
    folder: Path, etdi: EtdiSettings, upstreams: dict[str, Any], *, phase: str = "enforcement", **more: Any
) -> AsyncIterator[House]:
    """The default policy in a phase; it knows the tool as internal, and that at these servers it needs to read only."""
    policies = copied(folder)
    edit_data(policies, "migration", phase=phase)
    edit_data(policies, "classes", tools={TOOL: 4})
    edit_data(policies, "catalog", needs={f"{name}/{TOOL}": [READ] for name in upstreams})
    async with running_house(
        folder, policy=judged_by(policies, reload=False), upstreams=upstreams, etdi=etdi, **more
    ) as house:
        yield house


@asynccontextmanager
async def mounted_chain(folder: Path, **upstreams: Any) -> AsyncIterator[Chain]:
    """The identity provider in the gateway itself; Acme over HTTP, and these beside it."""
    port, at = free_port(), free_port()
    issuer = f"http://127.0.0.1:{port}/idp"
    idp = IdpSettings(mounted=True, folder=str(folder / "idp"), requests_per_minute=0)
    both = {"acme": f"http://127.0.0.1:{at}/mcp", **upstreams}
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(
            gateway(folder, trusting(issuer, folder), both, port=port, idp=idp)
        )
        shelves = shelves_of(house.settings, house.gateway.store, now=house.clock)
        client = await registered(shelves)
        await stack.enter_async_context(running_acme(folder, issuer, client, port=at))
        yield Chain(house=house, shelves=shelves, folder=folder, client=client)


async def listed(server: SecureServer) -> dict[str, Any]:
    """The tool as this server shows it to a stock client of the SDK."""
    async with Client(server) as client:
        (tool,) = (await client.list_tools()).tools
    wire: dict[str, Any] = tool.model_dump(by_alias=True, mode="json", exclude_none=True)
    return wire


def block_of(wire: dict[str, Any]) -> dict[str, Any]:
    """Its block."""
    found: dict[str, Any] = wire["_meta"][ETDI_META_KEY]
    return found


if __name__ == "__main__":
    acme(Path(sys.argv[3]), sys.argv[1], sys.argv[2], os.environ["ACME_SECRET"]).run("stdio")
