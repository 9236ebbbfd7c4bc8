"""The device flow's clock: how often it asks, and when it stops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.client.errors import LoginFailed
from gateway.client.login.device import MAX_WAIT_S, sign_in_elsewhere
from gateway.client.login.dpop import Prover
from gateway.client.login.tokens import TokenEndpoint
from gateway.client.login.values import Server
from gateway.client.login.web import Web
from gateway.serving import serving


class Elsewhere:
    """A server's device flow, and the bridge at it; pauses are noted and not waited for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pauses: list[float] = []
        self.said: list[str] = []

    async def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.pauses.append(seconds)

    async def sign_in(self) -> Any:
        """The whole flow."""
        web = Web()
        try:
            endpoint = TokenEndpoint(
                web, Prover(ec.generate_private_key(ec.SECP256R1()), lambda: 0.0), lambda: 0.0
            )
            return await sign_in_elsewhere(
                web,
                endpoint,
                Server(
                    issuer=self.url, token_endpoint=f"{self.url}/token", device_endpoint=f"{self.url}/device"
                ),
                configured_client="c",
                resource=f"{self.url}/mcp",
                scopes=(),
                dpop=False,
                say=self.said.append,
                sleep=self.sleep,
            )
        finally:
            await web.aclose()


@asynccontextmanager
async def flow(*errors: str, **offered: Any) -> AsyncIterator[Elsewhere]:
    """Answers with these errors in order (the last one for ever), then with a token where that is empty."""
    waiting = list(errors)

    async def device(request: Request) -> Response:
        page = f"{request.base_url}enter"
        return JSONResponse(
            {"device_code": "d", "user_code": "U\x1b[2J", "verification_uri": page, **offered}
        )

    async def token(request: Request) -> Response:
        error = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if error:
            return JSONResponse({"error": error}, 400)
        return JSONResponse({"access_token": "t", "token_type": "bearer"})

    routes = [Route("/device", device, methods=["POST"]), Route("/token", token, methods=["POST"])]
    async with serving(Starlette(routes=routes)) as port:
        yield Elsewhere(f"http://127.0.0.1:{port}")


async def test_it_slows_down_when_told_to() -> None:
    """RFC 8628 section 3.5: five seconds more, from then on."""
    async with flow("authorization_pending", "slow_down", "authorization_pending", "", interval=2) as seen:
        assert (await seen.sign_in()).access.expose() == "t"
        assert seen.pauses == [2, 2, 7, 7]
        assert "\x1b" not in seen.said[0]


@pytest.mark.parametrize(
    "offered",
    [
        {},
        {"interval": 0, "expires_in": 20},
        {"interval": 30, "expires_in": 10**9},
        {"interval": True, "expires_in": "x"},
    ],
)
async def test_nobody_is_waited_for_without_end(offered: dict[str, Any]) -> None:
    """Whatever the server offers, it is asked at most once a second and for half an hour at most."""
    async with flow("authorization_pending", **{"interval": 60, "expires_in": 600, **offered}) as seen:
        with pytest.raises(LoginFailed, match="in time"):
            await seen.sign_in()
        assert sum(seen.pauses) <= MAX_WAIT_S
        assert min(seen.pauses) >= 1


@pytest.mark.parametrize("error", ["access_denied", "expired_token", "whatever"])
async def test_a_no_is_the_end(error: str) -> None:
    """It is said, and not asked again."""
    async with flow(error, interval=1) as seen:
        with pytest.raises(LoginFailed, match=error):
            await seen.sign_in()
        assert len(seen.pauses) == 1


async def test_a_page_that_is_none_is_not_shown() -> None:
    """A person would open it."""
    async with flow("", verification_uri="http://evil.example/") as seen:
        with pytest.raises(LoginFailed, match="verification_uri"):
            await seen.sign_in()
        assert seen.said == []
