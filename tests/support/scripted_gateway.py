"""A gateway that does what a test says: real HTTP, every request kept as it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.serving import serving


@dataclass(frozen=True, kw_only=True)
class Came:
    """One request."""

    method: str
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        """The body as JSON."""
        found: dict[str, Any] = msgspec.json.decode(self.body)
        return found


Behaviour = Callable[[Came], Awaitable[Response]]


@dataclass(kw_only=True)
class ScriptedGateway:
    """``behave`` answers POSTs, ``listen`` GETs; ``gone`` is set when a client hangs up on a stream."""

    behave: Behaviour
    listen: Behaviour
    url: str = ""
    came: list[Came] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        request = Request(scope, receive)
        came = Came(method=request.method, headers=dict(request.headers), body=await request.body())
        self.came.append(came)
        match request.method:
            case "POST":
                response = await self.behave(came)
            case "GET":
                response = await self.listen(came)
            case _:
                response = Response(status_code=204)
        await response(scope, receive, send)

    def posted(self, method: str) -> list[Came]:
        """The POSTs of a JSON-RPC method."""
        return [one for one in self.came if one.method == "POST" and one.message.get("method") == method]


async def nothing(came: Came) -> Response:
    """There is no such stream."""
    return Response(status_code=405)


def result(came: Came, **members: Any) -> Response:
    """A JSON answer; a notification is accepted."""
    if "id" not in came.message or "method" not in came.message:
        return Response(status_code=202)
    return JSONResponse({"jsonrpc": "2.0", "id": came.message["id"], "result": members})


def stream(parts: AsyncIterator[bytes], **headers: str) -> Response:
    """An event stream."""
    return StreamingResponse(parts, media_type="text/event-stream", headers=headers)


def event(message: dict[str, Any], ident: str | None = None) -> bytes:
    """One event."""
    head = f"id: {ident}\n" if ident else ""
    return head.encode() + b"data: " + msgspec.json.encode(message) + b"\n\n"


@asynccontextmanager
async def scripted_gateway(behave: Behaviour, listen: Behaviour = nothing) -> AsyncIterator[ScriptedGateway]:
    """On a free port."""
    gateway = ScriptedGateway(behave=behave, listen=listen)
    async with serving(gateway) as port:
        gateway.url = f"http://127.0.0.1:{port}/mcp"
        yield gateway
