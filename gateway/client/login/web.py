"""Requests to the authorization server: small, bounded, without redirects."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec

from gateway.client.errors import LoginFailed

MAX_BODY: Final = 256 * 1024
"""Bytes of a metadata document or a token response."""
DEADLINE_S: Final = 20.0
"""Seconds for a whole exchange: a byte now and then keeps no sign-in waiting for ever."""

NO_PROXY: Final[Mapping[str, httpx.AsyncBaseTransport | None]] = {"http://": None}
"""Plain http is spoken on this machine alone; a proxy of the environment (HTTP_PROXY) would read the token in it."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A response: its JSON object (empty where it is none), and the nonce it may carry."""

    status: int
    document: dict[str, Any]
    nonce: str | None = None


class Web:
    """A client of its own, so that nothing meant for the gateway goes to anybody else."""

    def __init__(self) -> None:
        self._http = httpx.AsyncClient(follow_redirects=False, timeout=DEADLINE_S, mounts=NO_PROXY)

    async def get(self, url: str) -> Reply:
        """:raises LoginFailed: nobody answers."""
        return await self._send("GET", url)

    async def post_form(
        self, url: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Reply:
        """A form, as OAuth endpoints take it. :raises LoginFailed: nobody answers."""
        return await self._send("POST", url, data=dict(fields), headers=dict(headers or {}))

    async def post_json(self, url: str, document: Mapping[str, Any]) -> Reply:
        """:raises LoginFailed: nobody answers."""
        return await self._send("POST", url, json=dict(document))

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def _send(self, method: str, url: str, **what: Any) -> Reply:
        headers = {"accept": "application/json", "accept-encoding": "identity", **what.pop("headers", {})}
        request = self._http.build_request(method, url, headers=headers, **what)
        where = f"{request.url.scheme}://{request.url.netloc.decode()}"
        try:
            async with asyncio.timeout(DEADLINE_S):
                response = await self._http.send(request, stream=True)
                try:
                    return await _reply(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError):
            raise LoginFailed(f"{where} does not answer.") from None
        except ValueError:
            raise LoginFailed(f"{where} answers with more than {MAX_BODY} bytes.") from None


async def _reply(response: httpx.Response) -> Reply:
    body = bytearray()
    if response.headers.get("content-encoding", "identity").lower() == "identity":
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BODY:
                raise ValueError("too long")
    try:
        document = msgspec.json.decode(bytes(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = None
    nonce = response.headers.get("dpop-nonce")
    return Reply(
        status=response.status_code,
        document=document if isinstance(document, dict) else {},
        nonce=nonce if nonce and len(nonce) <= 512 and nonce.isascii() and nonce.isprintable() else None,
    )
