"""One HTTP request to the gateway, with credentials, and the messages of its answer as they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import httpx

from gateway.client.access import Access
from gateway.client.errors import AnswerLost, BridgeError, GatewayUnreachable
from gateway.client.login.web import NO_PROXY
from gateway.client.sse import Event, events

MAX_MESSAGE: Final = 32 * 1024 * 1024
"""Bytes of one message from the gateway. It has to be whole before the host can have its line."""
CONNECT_S: Final = 15.0
SILENCE_S: Final = 600.0
"""Seconds without a byte until an answer counts as lost. The host's own patience is shorter; gateways send comments."""
MAX_TRIES: Final = 4
"""Times one request is sent because of 401 or 403: a nonce, a refresh, a login, a wider scope."""
ACCEPT: Final = "application/json, text/event-stream"
EVENT_STREAM: Final = "text/event-stream"


Body = Callable[[Mapping[str, str]], bytes]
"""What goes out together with these credentials: a signature over a body names the token beside it."""


def http_client() -> httpx.AsyncClient:
    """The bridge's client: no redirect is followed, since it would carry the token to another place."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
    timeout = httpx.Timeout(connect=CONNECT_S, read=SILENCE_S, write=60.0, pool=None)
    return httpx.AsyncClient(follow_redirects=False, limits=limits, timeout=timeout, mounts=NO_PROXY)


class Gateway:
    """The gateway at one URL."""

    def __init__(self, http: httpx.AsyncClient, url: str, access: Access) -> None:
        self._http = http
        self._url = url
        self._access = access

    @asynccontextmanager
    async def request(
        self,
        method: str,
        headers: Mapping[str, str],
        body: bytes | Body | None = None,
        *,
        endless: bool = False,
    ) -> AsyncIterator[httpx.Response]:
        """Send, and hand out the response with its body unread. ``endless``: silence is no sign of loss.

        :raises GatewayUnreachable: nothing was sent. :raises AnswerLost: it was, and no answer came.
        """
        fixed = {"accept": ACCEPT, "accept-encoding": "identity", **headers}
        if body is not None:
            fixed["content-type"] = "application/json"
        timeout = httpx.Timeout(CONNECT_S, read=None, pool=None) if endless else httpx.USE_CLIENT_DEFAULT
        for attempt in range(MAX_TRIES):
            credentials = await self._access.headers(method, self._url)
            content = body(credentials) if callable(body) else body
            request = self._http.build_request(
                method, self._url, headers={**fixed, **credentials}, content=content, timeout=timeout
            )
            response = await self._sent(request)
            try:
                if response.status_code not in (401, 403) or attempt == MAX_TRIES - 1:
                    yield response
                    return
                # Refused before anything was looked at, so that sending it again cannot do anything twice.
                if not await self._access.refused(credentials, response):
                    yield response
                    return
            finally:
                await response.aclose()

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._http.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.ProxyError):
            raise GatewayUnreachable("The gateway cannot be reached; nothing was sent.") from None
        except httpx.HTTPError:
            raise AnswerLost(LOST) from None


LOST: Final = (
    "The gateway's answer was lost. Whether the call was carried out is not known: look before trying again."
)


async def answered(response: httpx.Response) -> AsyncIterator[Event]:
    """The messages of a response: one of JSON, any number of an event stream, none of anything else.

    :raises AnswerLost: it broke off. :raises BridgeError: it is too long, or compressed although we asked for plain.
    """
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        # A few kilobytes can unpack to gigabytes in one step, before any limit of ours is looked at.
        raise BridgeError("The gateway's answer is compressed, which was not asked for.")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == EVENT_STREAM:
            async for event in events(response.aiter_raw(), limit=MAX_MESSAGE):
                yield event
        elif kind == "application/json":
            yield Event(data=await whole(response, MAX_MESSAGE))
    except ValueError:
        raise BridgeError(f"A message of the gateway is over {MAX_MESSAGE} bytes.") from None
    except httpx.HTTPError:
        raise AnswerLost(LOST) from None


async def whole(response: httpx.Response, limit: int) -> bytes:
    """The body. :raises ValueError: over ``limit`` bytes; the rest is not read."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            raise ValueError("the body is too long")
    return bytes(body)
