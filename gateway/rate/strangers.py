"""Strangers are limited by address, before a byte of their tokens is looked at. ASGI, around all doors.

A stranger is whoever was told 401, or was refused without having shown a credential. Only that is counted: callers that
are recognised use up nothing, however many share an address. Once an address has used up its share, nothing of it is
looked at until there is some again: not even a good token, since telling it from a bad one is the work that an attacker
wants done. So behind a proxy, name its header (``door.address_header``), or one stranger speaks for all.

What is refused here leaves no record in the audit: a flood must not fill the disk. It is counted, and logged once a
minute. NOT counted: requests under way. An address may have as many of them open as the gateway admits.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.rate.address import Addresses
from gateway.rate.bucket import Buckets

LOG_EVERY_S = 60.0
_UNAUTHORIZED = 401
_REFUSALS = range(400, 429)
"""Below 429: whoever is told to wait was recognised before."""
_LOG = logging.getLogger("countersign.rate")


class Strangers:
    """See the module. ``refused`` counts since the start, for metrics; ``monotonic`` in seconds."""

    def __init__(self, buckets: Buckets, addresses: Addresses, *, monotonic: Callable[[], float]) -> None:
        self.refused = 0
        self._buckets = buckets
        self._addresses = addresses
        self._monotonic = monotonic
        self._said_at = -math.inf

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request for ``app``, or 429 with Retry-After."""
        address = self._addresses.of(scope)
        wait = self._buckets.wait(address)
        if wait:
            await self._refuse(address, math.ceil(wait), scope, receive, send)
            return

        async def watching(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_stranger(scope, message["status"]):
                self._buckets.take(address)
            await send(message)

        await app(scope, receive, watching)

    async def _refuse(self, address: str, seconds: int, scope: Scope, receive: Receive, send: Send) -> None:
        self.refused += 1
        now = self._monotonic()
        if now - self._said_at >= LOG_EVERY_S:
            self._said_at = now
            _LOG.warning("strangers are refused unseen, %d so far; one of them at %s", self.refused, address)
        refused = JSONResponse(
            {
                "error": "rate.stranger_exceeded",
                "message": f"Too many requests without a good credential; wait {seconds} seconds.",
            },
            status_code=429,
            headers={"retry-after": str(seconds), "cache-control": "no-store"},
        )
        await refused(scope, receive, send)


def _is_stranger(scope: Scope, status: int) -> bool:
    if status == _UNAUTHORIZED:
        return True
    if status not in _REFUSALS:
        return False
    return not any(name in (b"authorization", b"cookie") for name, _ in scope["headers"])
