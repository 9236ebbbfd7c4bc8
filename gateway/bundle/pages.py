"""``GET /bundles/NAME.tar.gz`` for OPA (management/bundles, "Bundle Service API"): an ETag, and 304 while it holds.

A bundle is no secret of the kind a key is, but it tells an attacker what is let through: it goes to whoever shows the
token, or, without one, to programs on this machine that came neither through a proxy nor, by a name that was pointed
here (DNS rebinding), out of a browser.
"""

from __future__ import annotations

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.bundle.shelf import SUFFIX, BundleShelf
from gateway.errors import CountersignError, Forbidden, MalformedRequest, Unauthenticated
from gateway.settings.checks import is_loopback

PATH = "/bundles/{name}" + SUFFIX
MEDIA_TYPE = "application/gzip"
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_HEADERS = {"cache-control": "private, no-cache", "x-content-type-options": "nosniff"}


class NoSuchBundle(MalformedRequest):
    """There is no bundle of that name that could be handed out."""

    code = "bundle.not_found"
    http_status = 404


def bundle_routes(shelf: BundleShelf, *, token: str | None) -> list[BaseRoute]:
    """The one route (GET, and HEAD as Starlette adds it)."""

    async def answer(request: Request) -> Response:
        try:
            _admitted(request, token)
            served = await shelf.current(request.path_params["name"])
            if served is None:
                raise NoSuchBundle("There is no such bundle here, or none that is signed and loads.")
        except CountersignError as problem:
            headers = dict(_HEADERS)
            if isinstance(problem, Unauthenticated):
                headers["www-authenticate"] = "Bearer"
            document = {"error": problem.code, "message": problem.message}
            return JSONResponse(document, status_code=problem.http_status, headers=headers)
        headers = {**_HEADERS, "etag": served.etag}
        if _known(request.headers.getlist("if-none-match"), served.etag):
            return Response(status_code=304, headers=headers)
        return Response(served.content, media_type=MEDIA_TYPE, headers=headers)

    return [Route(PATH, answer, methods=["GET"])]


def _admitted(request: Request, token: str | None) -> None:
    """:raises Unauthenticated: :raises Forbidden:"""
    if token is not None:
        shown = request.headers.getlist("authorization")
        wanted = b"Bearer " + token.encode()
        if len(shown) != 1 or not hmac.compare_digest(shown[0].encode("latin-1"), wanted):
            raise Unauthenticated("Show the bundles' token.", code="bundle.token_invalid")
        return
    here = request.client is not None and is_loopback(request.client.host)
    by_name = is_loopback(request.url.hostname or "")
    if not here or not by_name or any(name in request.headers for name in _FORWARDED):
        raise Forbidden("Without a token, bundles go to this machine alone.", code="bundle.forbidden")


def _known(headers: list[str], etag: str) -> bool:
    """RFC 9110 section 13.1.2, compared weakly."""
    shown = [one.strip().removeprefix("W/") for header in headers for one in header.split(",")]
    return etag in shown or shown == ["*"]
