"""What a browser must prove before a form of it is read, and what every response tells the browser.

Three locks on a changing request, each enough against plain cross-site request forgery: the cookie is
SameSite=Strict, Origin and Sec-Fetch-Site must be ours, and the form must carry the session's CSRF token.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.door.http import BODY_DEADLINE_S, TooSlow
from gateway.errors import Forbidden, MalformedRequest, TooLarge
from gateway.settings.checks import is_loopback

MAX_FORM_BYTES: Final = 16 * 1024
"""The largest form has a reason of 500 characters and a name of 512, each up to twelve bytes when it is encoded."""
MAX_FIELDS: Final = 8
CSP: Final = (
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", CSP.encode()),
    (b"referrer-policy", b"no-referrer"),  # a login link stands in the address
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")


class Site:
    """The console as browsers know it, from the gateway's public URL."""

    def __init__(self, public_url: str) -> None:
        url = urlsplit(public_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("the console needs the gateway's public http(s) URL")
        self.https = url.scheme == "https"
        self.origin = f"{url.scheme}://{url.netloc.lower()}"
        self.base = f"{url.path.rstrip('/')}/console"
        self._loopback = is_loopback(url.hostname)
        self._host = url.netloc.lower()
        # __Host- (RFC 6265bis section 4.1.3.2): no sibling domain and no plain-http page can plant a session.
        self.cookie = "__Host-countersign" if self.https else "countersign_console"

    def check_host(self, request: Request) -> None:
        """DNS rebinding: a name that is not ours is not served. :raises Forbidden: ``door.host``."""
        host = request.headers.get("host", "").lower()
        if host == self._host:
            return
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            name = None
        if not (self._loopback and name is not None and is_loopback(name)):
            raise Forbidden("The console does not answer to that Host.", code="door.host")

    def check_source(self, request: Request) -> None:
        """A form comes from a page of ours. :raises Forbidden: ``door.origin``.

        Under ``Referrer-Policy: no-referrer`` a browser sends ``Origin: null`` with its own forms (Fetch standard,
        "append a request Origin header"); that is believed only beside ``Sec-Fetch-Site: same-origin``, which no
        page can forge. With neither header nothing is believed.
        """
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site")
        same_origin = origin is not None and origin.lower() == self.origin
        if site is None and same_origin:
            return
        if site == "same-origin" and (same_origin or origin in (None, "null") or self._alias(origin)):
            return
        raise Forbidden("This form did not come from a page of this console.", code="door.origin")

    def _alias(self, origin: str) -> bool:
        """Another name of this machine: ``localhost`` for ``127.0.0.1``. The Host was checked before."""
        try:
            name = urlsplit(origin).hostname
        except ValueError:
            return False
        return self._loopback and name is not None and is_loopback(name)

    def set_cookie(self, response: Response, session_id: str) -> None:
        """Hand the session to the browser; it lives in the store, not in the cookie's own expiry."""
        response.set_cookie(
            self.cookie,
            session_id,
            path=self._cookie_path,
            secure=self.https,
            httponly=True,
            samesite="strict",
        )

    def clear_cookie(self, response: Response) -> None:
        """Tell the browser to forget the session."""
        response.delete_cookie(
            self.cookie, path=self._cookie_path, secure=self.https, httponly=True, samesite="strict"
        )

    @property
    def _cookie_path(self) -> str:
        return "/" if self.https else self.base


class SecurityHeaders:
    """Pure ASGI: the same headers on every response, errors included; the wrapped app cannot weaken them."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = [*_HEADERS, _HSTS] if https else list(_HEADERS)
        self._names = frozenset(name for name, _ in self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in self._names]
                message = {**message, "headers": [*kept, *self._headers]}
            await send(message)

        await self._app(scope, receive, sending)


async def read_form(
    request: Request,
    *,
    deadline_s: float = BODY_DEADLINE_S,
    max_bytes: int = MAX_FORM_BYTES,
    max_fields: int = MAX_FIELDS,
) -> dict[str, str]:
    """A urlencoded form: bounded in bytes and in time, UTF-8, each field once.

    :raises TooLarge: more than ``max_bytes``; the rest is not read.
    :raises TooSlow: it did not arrive within ``deadline_s`` seconds. Nobody is signed in yet where the login form is
        read, and a form of a byte a minute would hold one of the gateway's request slots.
    :raises MalformedRequest: another content type, a field twice, or bytes that are no text.
    """
    kind = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise MalformedRequest("Send an ordinary form.", code="door.media_type")
    body = bytearray()
    try:
        async with asyncio.timeout(deadline_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise TooLarge(f"The form is over {max_bytes} bytes.")
    except TimeoutError:
        raise TooSlow(f"The form did not arrive within {deadline_s:g} seconds.") from None
    try:
        pairs = (
            parse_qsl(
                body.decode("ascii"),
                keep_blank_values=True,
                strict_parsing=True,
                max_num_fields=max_fields,
                errors="strict",
            )
            if body
            else []
        )
    except ValueError:
        raise MalformedRequest("The form cannot be read.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise MalformedRequest("A field of the form stands twice.")
    return form


def check_csrf(form: Mapping[str, str], expected: str) -> None:
    """:raises Forbidden: ``console.csrf``: the form was not made for this session."""
    if not hmac.compare_digest(form.get("csrf", "").encode(), expected.encode()):
        raise Forbidden("This form was not made for your session.", code="console.csrf")
