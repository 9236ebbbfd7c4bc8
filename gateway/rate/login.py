"""Sign-ins at the console are limited by address, before anything is read. ASGI, around the pages.

Nobody guesses a login link of 256 bits; but each attempt costs a look into the store. Behind a proxy that is not named
(``address.py``) all people have its address, and share the limit; it is for people, who sign in a few times a day.
"""

from __future__ import annotations

import math

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.rate.address import Addresses
from gateway.rate.bucket import Buckets

LOGIN = "/console/login"


class LoginLimit:
    """Refuses with 429 what comes too often to the login."""

    def __init__(self, app: ASGIApp, buckets: Buckets, addresses: Addresses | None = None) -> None:
        self._app = app
        self._buckets = buckets
        self._addresses = addresses or Addresses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].rstrip("/") == LOGIN:
            wait = self._buckets.take(self._addresses.of(scope))
            if wait:
                seconds = math.ceil(wait)
                refused = JSONResponse(
                    {
                        "error": "rate.login_exceeded",
                        "message": f"Too many sign-ins; wait {seconds} seconds.",
                    },
                    status_code=429,
                    headers={"retry-after": str(seconds), "cache-control": "no-store"},
                )
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)
