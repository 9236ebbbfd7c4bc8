"""A house with the same server behind it twice, each time in one era only; for tests of who may talk to whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.serving import serving
from tests.support.house import House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.sdk_server import Tools

CLASSES = {"echo": 4, "steps": 4, "ask": 4, "wait": 4, "changed": 4, "pid": 3}
ERAS = ("modern", "legacy")


class OfTheOlderEra:
    """An MCP server that does not know 2026-07-28, as those of last year do not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """400 for the version that is unknown (2025-11-25/basic/transports, protocol version header)."""
        if scope["type"] == "http" and dict(scope["headers"]).get(b"mcp-protocol-version") == b"2026-07-28":
            await send({"type": "http.response.start", "status": 400, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send)


class OfTheNewerEra:
    """An MCP server that has let go of ``initialize`` and sessions."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """404 for whoever opens as before (2026-07-28/basic/versioning)."""
        if scope["type"] == "http" and dict(scope["headers"]).get(b"mcp-protocol-version") != b"2026-07-28":
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send)


@dataclass(kw_only=True)
class Eras:
    """The house, and what the two servers' tools were asked."""

    house: House
    tools: dict[str, Tools]


@asynccontextmanager
async def running_eras(folder: Path) -> AsyncIterator[Eras]:
    """Both servers on real sockets, at ``/mcp/modern`` and ``/mcp/legacy``."""
    policies = copied(folder)
    edit_data(policies, "migration", phase="preparation")
    edit_data(policies, "classes", tools=CLASSES)
    tools = {era: Tools() for era in ERAS}
    modern = OfTheNewerEra(tools["modern"].server().streamable_http_app())
    legacy = OfTheOlderEra(tools["legacy"].server().streamable_http_app())
    async with (
        serving(modern, lifespan=True) as new,
        serving(legacy, lifespan=True) as old,
        running_house(
            folder,
            policy=judged_by(policies, reload=False),
            upstreams={"modern": f"http://127.0.0.1:{new}/mcp", "legacy": f"http://127.0.0.1:{old}/mcp"},
        ) as house,
    ):
        yield Eras(house=house, tools=tools)
