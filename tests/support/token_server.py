"""A token endpoint on a real socket, and what reached it. ``answer`` is what it does; by default it grants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.serving import serving
from gateway.upstream.token_endpoint import ACCESS_TOKEN

Answering = Callable[[dict[str, str]], Awaitable[Response]]


def granted(token: str, **members: Any) -> Response:
    """A good answer, or a changed one; None takes a member away."""
    body = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 600,
        "issued_token_type": ACCESS_TOKEN,
        **members,
    }
    return JSONResponse({key: value for key, value in body.items() if value is not None})


class TokenServer:
    """Each grant is another token. ``forms`` and ``headers`` are the requests, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.forms: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.elsewhere: list[str] = []
        self.answer: Answering = self.grant
        self.asked = asyncio.Event()
        self.goes_on = asyncio.Event()

    def app(self) -> Starlette:
        """``POST /token``, and a place that a redirect could lead to."""
        return Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/elsewhere", self._elsewhere, methods=["GET", "POST"]),
            ]
        )

    async def grant(self, form: dict[str, str]) -> Response:
        """The n-th token for the n-th question."""
        return granted(f"granted-{len(self.forms)}")

    async def grant_later(self, form: dict[str, str]) -> Response:
        """The same once the test says so."""
        token = f"granted-{len(self.forms)}"
        await self.goes_on.wait()
        return granted(token)

    async def _token(self, request: Request) -> Response:
        pairs = parse_qsl((await request.body()).decode(), strict_parsing=True, keep_blank_values=True)
        form = dict(pairs)
        assert len(form) == len(pairs), "parameters must not be sent twice (RFC 6749 section 3.2)"
        self.forms.append(form)
        self.headers.append(dict(request.headers))
        self.asked.set()
        return await self.answer(form)

    async def _elsewhere(self, request: Request) -> Response:
        self.elsewhere.append((await request.body()).decode())
        return granted("from-elsewhere")


@asynccontextmanager
async def running_token_server() -> AsyncIterator[TokenServer]:
    """On a free port of loopback, until the block ends."""
    server = TokenServer()
    async with serving(server.app()) as port:
        server.url = f"http://127.0.0.1:{port}/token"
        try:
            yield server
        finally:
            server.goes_on.set()
