"""A client of the REST handshake, as the how-to guide writes it: two posts, and what is in their bodies."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from gateway.door.http import Guard
from gateway.door.rest import RestEndpoint
from gateway.identity.challenge import Access
from gateway.outcome.authorize import AuthorizeOutcome
from gateway.walk import House as WiredHouse
from tests.support.clock import ManualClock
from tests.support.house import AGENT_TOKEN, House
from tests.support.walking import AGENT, SERVER, Rooms, rooms

INVALID_SESSION = {"error": "Invalid session"}
INVALID_TOKEN = {"error": "Invalid or expired token"}
MISMATCH = {"error": "Transaction mismatch"}
Body = dict[str, Any]


def request_of(tool: str, parameters: Any, *, session: str | None = AGENT_TOKEN, **members: Any) -> Body:
    """A body of either phase. A member that is ``...`` is left out."""
    body = {"sessionToken": session, "tool": tool, "parameters": parameters, **members}
    return {key: value for key, value in body.items() if value is not ...}


async def post(
    house: House,
    path: str,
    body: Any,
    headers: Mapping[str, str] | None = None,
    http: httpx.AsyncClient | None = None,
) -> httpx.Response:
    """One request; the body as bytes or as a document."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    fields = {"content-type": "application/json", **(headers or {})}
    return await (http or house.http).post(path, content=raw, headers=fields)


async def authorize(house: House, tool: str, parameters: Any, **members: Any) -> httpx.Response:
    """The first phase."""
    headers = members.pop("headers", None)
    return await post(house, "/authorize", request_of(tool, parameters, **members), headers)


async def execute(house: House, token: Any, tool: str, parameters: Any, **members: Any) -> httpx.Response:
    """The second phase."""
    headers, http = members.pop("headers", None), members.pop("http", None)
    body = request_of(tool, parameters, ephemeralToken=token, **members)
    return await post(house, "/execute", body, headers, http)


async def token_for(house: House, tool: str, parameters: Any, **members: Any) -> str:
    """The ephemeral token of a first phase that went well."""
    answer = await authorize(house, tool, parameters, **members)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["ephemeralToken"]
    return token


def answer_of(response: httpx.Response) -> tuple[int, Any]:
    """Status and body."""
    return response.status_code, response.json()


@dataclasses.dataclass(kw_only=True)
class RestDoor:
    """The endpoint over rooms without sockets: the test writes the policy's answers and the target's."""

    rooms: Rooms
    http: httpx.AsyncClient

    async def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """One request; the body as bytes or as a document."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.http.post(
            path, content=raw, headers={"content-type": "application/json", **(headers or {})}
        )

    async def authorize(self, tool: str, parameters: Any, **members: Any) -> httpx.Response:
        """The first phase."""
        return await self.post("/authorize", request_of(tool, parameters, **{"session": AGENT, **members}))

    async def execute(self, token: Any, tool: str, parameters: Any, **members: Any) -> httpx.Response:
        """The second phase."""
        body = request_of(tool, parameters, **{"session": AGENT, "ephemeralToken": token, **members})
        return await self.post("/execute", body)

    async def both(self, tool: str, parameters: Any) -> httpx.Response:
        """One phase after the other; the answer of the second."""
        first = await self.authorize(tool, parameters)
        assert first.status_code == 200, first.text
        return await self.execute(first.json()["ephemeralToken"], tool, parameters)


def endpoint_over(
    house: WiredHouse, *, default_server: str, clock: Any, access: Access | None = None
) -> RestEndpoint:
    """An endpoint of its own over a wired house."""
    return RestEndpoint(
        house,
        dataclasses.replace(house, allow=AuthorizeOutcome(house.waiting)),
        Guard(hosts=frozenset({"127.0.0.1"}), origins=frozenset()),
        default_server=default_server,
        version="1.2.3",
        max_body_bytes=1024 * 1024,
        access=access or Access(metadata={}),
        now=clock,
    )


def in_process(endpoint: RestEndpoint) -> httpx.AsyncClient:
    """A client that hands its requests to the endpoint without a socket."""
    transport = httpx.ASGITransport(app=endpoint, raise_app_exceptions=True)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


@asynccontextmanager
async def opened_rest_door(folder: Path, **options: Any) -> AsyncIterator[RestDoor]:
    """An endpoint of its own over :func:`~tests.support.walking.rooms`."""
    async with rooms(folder, **options) as running:
        clock: ManualClock = running.clock
        endpoint = endpoint_over(running.house, default_server=SERVER, clock=clock)
        async with in_process(endpoint) as http:
            yield RestDoor(rooms=running, http=http)
