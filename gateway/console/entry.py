"""What every page asks of a browser before anything else: a page needs the session, a form its proof besides."""

from __future__ import annotations

from starlette.requests import Request

from gateway.console.browser import Site, check_csrf, read_form
from gateway.console.problems import NOT_SIGNED_IN
from gateway.console.session import Session, Sessions
from gateway.errors import Unauthenticated


class Entry:
    """Host, session; for a form: host, source, session, CSRF, in this order. Raises what ``problems.py`` shows."""

    def __init__(self, site: Site, sessions: Sessions) -> None:
        self._site = site
        self._sessions = sessions

    async def session(self, request: Request) -> Session:
        """Who is signed in. :raises Unauthenticated: :raises Forbidden:"""
        self._site.check_host(request)
        session = await self._sessions.find(request.cookies.get(self._site.cookie))
        if session is None:
            raise Unauthenticated("This page is for people who are signed in.", code=NOT_SIGNED_IN)
        return session

    async def form(self, request: Request) -> tuple[Session, dict[str, str]]:
        """The form that a page of this session sent. Errors besides: those of ``read_form``."""
        self._site.check_host(request)
        self._site.check_source(request)
        session = await self.session(request)
        form = await read_form(request)
        check_csrf(form, session.csrf)
        return session, form
