"""What went wrong -> a page. Never more than ``errors.py`` says to a caller, and nothing of a stack trace."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.browser import Site
from gateway.console.render import Render
from gateway.errors import CountersignError, Unavailable

NOT_SIGNED_IN = "console.not_signed_in"
LINK_COMMAND = "countersign console link"
_PENDING = re.compile(r"/pending/[0-9a-f]{64}$", re.ASCII)

Handler = Callable[[Request, Exception], Awaitable[Response]]


class Problems:
    """Exception handlers for the console's app."""

    def __init__(self, site: Site, render: Render) -> None:
        self._site = site
        self._render = render

    def ours(self) -> dict[Any, Handler]:
        """The handlers by exception."""
        return {CountersignError: self.known}

    async def http(self, _: Request, problem: Exception) -> Response:
        """An address or a method that does not exist."""
        status = problem.status_code if isinstance(problem, HTTPException) else 500
        if status == 404:
            return self._render.message(
                "Nothing waits here", "The call expired, was carried out, or never existed.", status=404
            )
        return self._render.message(
            "Not like that", "This address does not take such a request.", status=status
        )

    async def known(self, request: Request, problem: Exception) -> Response:
        """An error of the tree in ``gateway/errors.py``."""
        assert isinstance(problem, CountersignError)
        if problem.code == NOT_SIGNED_IN:
            return self._not_signed_in(request, problem)
        if isinstance(problem, Unavailable):
            return self._render.message(
                "Not available",
                f"{problem.message} If you pressed a button, look at the call again before you press it once more.",
                status=503,
            )
        title = {403: "Refused by the console", 413: "Too large"}.get(problem.http_status, "Not understood")
        return self._render.message(title, problem.message, status=problem.http_status)

    async def any(self, _: Request, __: Exception) -> Response:
        """A mistake of ours; the server logs it."""
        return self._render.message(
            "Something broke", "Nothing you pressed was recorded as done.", status=500
        )

    def _not_signed_in(self, request: Request, problem: CountersignError) -> Response:
        # A link on another site never brings a SameSite=Strict cookie with it; a link on this page does.
        foreign = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
        page = _PENDING.search(request.url.path)
        return self._render.message(
            "Sign in first",
            problem.message,
            status=401,
            hint=LINK_COMMAND,
            again=(page.group() if page else "/") if foreign else None,
        )
