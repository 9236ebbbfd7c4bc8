"""A double of the two posts of the handshake, real HTTP: the how-to guide's bodies, and whatever goes wrong on request.

It keeps the rules that a client could break unseen: a token is good once, for one session, tool and parameters.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from gateway.canonical import canonical_hash
from gateway.door.strict_json import parse
from gateway.serving import serving

SESSION = "unsafe-session-token-of-a-test"
PAID = {"content": [{"type": "text", "text": "done"}], "structuredContent": {"id": "R-1"}}
NO_FUNDS = {"content": [{"type": "text", "text": "no funds"}], "isError": True}
AUTHORIZE = frozenset({"sessionToken", "tool", "parameters", "metadata", "proof", "server"})
EXECUTE = AUTHORIZE | {"ephemeralToken"}


@dataclass(frozen=True, kw_only=True)
class Posted:
    """One request."""

    path: str
    headers: dict[str, str]
    raw: bytes
    body: dict[str, Any]


Answer = Callable[[Posted], Awaitable[Response | None]]


async def usual(_: Posted) -> Response | None:
    """Nothing special."""
    return None


@dataclass(kw_only=True)
class HandshakeService:
    """``answer`` may answer in place of the double. A tool in ``asks`` waits until ``decided`` is set."""

    url: str = ""
    answer: Answer = usual
    asks: frozenset[str] = frozenset()
    fails: frozenset[str] = frozenset()
    decided: bool = False
    refusal: str = ""
    waits_s: float = 60
    came: list[Posted] = field(default_factory=list)
    executed: list[tuple[str, Any]] = field(default_factory=list)
    handed_out: list[str] = field(default_factory=list)
    _good: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        request = Request(scope, receive)
        raw = await request.body()
        posted = Posted(path=request.url.path, headers=dict(request.headers), raw=raw, body=parse(raw))
        self.came.append(posted)
        response = await self.answer(posted) or self._usual(posted)
        await response(scope, receive, send)

    def posts(self, path: str) -> list[Posted]:
        """The requests of one phase."""
        return [one for one in self.came if one.path == path]

    def _usual(self, posted: Posted) -> Response:
        body = posted.body
        known = {"/authorize": AUTHORIZE, "/execute": EXECUTE}.get(posted.path)
        if known is None:
            return Response(status_code=404)
        if body.get("sessionToken") != SESSION:
            return JSONResponse({"error": "Invalid session"}, 401)
        if body.keys() - known or not isinstance(body.get("parameters"), dict):
            return JSONResponse({"error": "The body is of another shape.", "code": "door.params"}, 400)
        call = (body["sessionToken"], body["tool"], canonical_hash(body["parameters"]))
        if posted.path == "/authorize":
            transaction = f"tx-{len(self.came)}"
            return JSONResponse(
                {"transactionId": transaction, "ephemeralToken": self._token(call, transaction)}
            )
        return self._execute(posted, call)

    def _execute(self, posted: Posted, call: tuple[str, str, str]) -> Response:
        token, header = posted.body.get("ephemeralToken"), posted.headers.get("x-ephemeral-token")
        if header is not None and header != token:
            return JSONResponse({"error": "Header and body differ.", "code": "door.header_mismatch"}, 400)
        # Consumed before it is compared (conflict C09).
        bound = self._good.pop(str(token), None)
        if bound is None:
            return JSONResponse({"error": "Invalid or expired token"}, 403)
        if bound[:3] != call:
            return JSONResponse({"error": "Transaction mismatch"}, 403)
        tool, transaction = call[1], bound[3]
        if self.refusal:
            return JSONResponse({"error": self.refusal}, 403)
        if tool in self.asks and not self.decided:
            waiting = {
                "status": "confirmation_required",
                "transactionId": transaction,
                "ephemeralToken": self._token(call, transaction),
                "approveUrl": "https://gateway.example/console/p/1",
                "expiresInSeconds": self.waits_s,
            }
            return JSONResponse(waiting, 202)
        if tool in self.fails:
            return JSONResponse(NO_FUNDS, 400)
        self.executed.append((tool, posted.body["parameters"]))
        return JSONResponse(PAID)

    def _token(self, call: tuple[str, str, str], transaction: str) -> str:
        token = secrets.token_hex(32)
        self.handed_out.append(token)
        self._good[token] = (*call, transaction)
        return token


def at(path: str, status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """This answer, whatever was posted there; the rest as usual."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)

    async def answer(posted: Posted) -> Response | None:
        return Response(content, status, dict(headers or {})) if posted.path == path else None

    return answer


@asynccontextmanager
async def handshake_service(**how: Any) -> AsyncIterator[HandshakeService]:
    """On a free port."""
    service = HandshakeService(**how)
    async with serving(service) as port:
        service.url = f"http://127.0.0.1:{port}"
        yield service


async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Blocking code beside the double, which runs in this loop."""
    return await asyncio.to_thread(function, *arguments)
