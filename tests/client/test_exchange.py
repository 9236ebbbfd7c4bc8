"""The clients that carry tokens, and who may read along."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.client.exchange import http_client
from gateway.client.login.web import Web
from gateway.serving import serving

TOKEN = {"authorization": "Bearer of-the-person"}


def recording(seen: list[str]) -> Starlette:
    """Whoever is asked, for whatever."""

    async def told(request: Request) -> Response:
        seen.append(request.headers.get("authorization", ""))
        return JSONResponse({})

    return Starlette(routes=[Route("/{path:path}", told, methods=["GET", "POST"])])


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """What the proxy of the environment, for whatever goes anywhere, has seen."""
    seen: list[str] = []
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with serving(recording(seen)) as port:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        yield seen


async def test_no_proxy_reads_the_bridges_token_in_plain_http(proxy: list[str]) -> None:
    """Attack: HTTP_PROXY in the environment, and a gateway on this machine."""
    seen: list[str] = []
    async with serving(recording(seen)) as port, http_client() as http:
        await http.post(f"http://127.0.0.1:{port}/mcp", headers=TOKEN)
    assert seen == ["Bearer of-the-person"]
    assert proxy == []


async def test_no_proxy_reads_a_sign_in_in_plain_http(proxy: list[str]) -> None:
    """Codes, refresh tokens, the verifier."""
    seen: list[str] = []
    web = Web()
    async with serving(recording(seen)) as port:
        try:
            await web.post_form(f"http://127.0.0.1:{port}/token", {"code": "c"}, TOKEN)
        finally:
            await web.aclose()
    assert seen == ["Bearer of-the-person"]
    assert proxy == []
