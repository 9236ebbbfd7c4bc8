"""The console's routes. Each handler reads as its checks, in order: host, source, session, CSRF, policy.

::

    GET  /console/                      what waits
    GET  /console/pending/{key}         one waiting call, with Approve and Refuse
    POST /console/pending/{key}/decide  csrf, transaction_id, view_hash, verdict=approve|refuse|revoke
    GET  /console/login/{token}         a button; consumes nothing
    POST /console/login                 token; sets the cookie
    POST /console/logout                csrf

The pages of administration are in ``kill_pages.py`` and ``transaction_pages.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from gateway.console.browser import SecurityHeaders, Site, read_form
from gateway.console.decide import ConsoleAudit, Decisions, Shown, Verdict, has_signed
from gateway.console.entry import Entry
from gateway.console.kill_pages import KillPages
from gateway.console.login import LoginLinks
from gateway.console.permission import Action, AdminPolicy, Permissions
from gateway.console.problems import NOT_SIGNED_IN, Problems
from gateway.console.render import Render, Row, row_of, stylesheet
from gateway.console.results import show_result
from gateway.console.session import Sessions
from gateway.console.settle import SettleDesk
from gateway.console.transaction_pages import TransactionPages
from gateway.errors import MalformedRequest, Unauthenticated
from gateway.kill.desk import KillDesk
from gateway.outcome.pending import Pending, Status, Waiting
from gateway.state.store import Store

MAX_LISTED = 100
"""Calls on one page. More than that waiting is an incident, and the page says that there are more."""
_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)


def console_routes(
    *,
    store: Store,
    waiting: Waiting,
    policy: AdminPolicy,
    audit: ConsoleAudit,
    public_url: str,
    now: Callable[[], float],
    kills: KillDesk | None = None,
    settling: SettleDesk | None = None,
) -> list[BaseRoute]:
    """Everything beneath ``/console``, for the routes of the app. ``waiting`` is the one the walk uses.

    :raises ValueError: ``public_url`` is no http(s) URL.
    """
    site = Site(public_url)
    render = Render(base=site.base)
    permissions = Permissions(policy)
    entry = Entry(site, Sessions(store, now=now))
    pages = Pages(
        site=site,
        render=render,
        links=LoginLinks(store, now=now),
        sessions=Sessions(store, now=now),
        entry=entry,
        waiting=waiting,
        permissions=permissions,
        decisions=Decisions(waiting, permissions, audit, now=now),
        now=now,
    )
    problems = Problems(site, render)
    app = Starlette(
        routes=[
            *pages.routes(),
            *(() if kills is None else KillPages(entry, render, kills).routes()),
            *(() if settling is None else TransactionPages(entry, render, settling).routes()),
        ],
        exception_handlers={HTTPException: problems.http, Exception: problems.any, **problems.ours()},
    )
    app.router.redirect_slashes = False
    slash = RedirectResponse(f"{site.base}/", status_code=308)
    return [
        Route("/console", SecurityHeaders(slash, https=site.https)),
        Mount("/console", app=SecurityHeaders(app, https=site.https)),
    ]


class Pages:
    """The handlers. What goes wrong is raised and becomes a page in ``problems.py``."""

    def __init__(
        self,
        *,
        site: Site,
        render: Render,
        links: LoginLinks,
        sessions: Sessions,
        entry: Entry,
        waiting: Waiting,
        permissions: Permissions,
        decisions: Decisions,
        now: Callable[[], float],
    ) -> None:
        self._site = site
        self._render = render
        self._links = links
        self._sessions = sessions
        self._entry = entry
        self._waiting = waiting
        self._permissions = permissions
        self._decisions = decisions
        self._now = now
        self._css = stylesheet()

    def routes(self) -> list[Route]:
        """Relative to the mount."""
        return [
            Route("/", self.list, methods=["GET"]),
            Route("/pending/{key}", self.detail, methods=["GET"]),
            Route("/pending/{key}/decide", self.decide, methods=["POST"]),
            Route("/login/{token}", self.login_page, methods=["GET"]),
            Route("/login", self.login, methods=["POST"]),
            Route("/logout", self.logout, methods=["POST"]),
            Route("/static/console.css", self.css, methods=["GET"]),
        ]

    async def list(self, request: Request) -> Response:
        """What waits, as far as this person may see it."""
        session = await self._entry.session(request)
        enter = await self._permissions.may_enter(session.person)
        if not enter.allowed:
            return self._render.message(
                "You may not see this",
                "You are signed in, but the policy does not let you read what waits.",
                status=403,
                session=session,
                permission=enter,
            )
        found = await self._waiting.waiting(limit=MAX_LISTED + 1)
        rows: list[Row] = []
        for pending in found[:MAX_LISTED]:
            if self._now() >= pending.expires_at:
                continue
            if (await self._permissions.may(session.person, Action.READ, pending)).allowed:
                rows.append(row_of(pending, now=self._now()))
        return self._render.page(
            "list.html",
            session=session,
            waiting=[row for row in rows if row.open],
            refused=[row for row in rows if not row.open],
            more=len(found) > MAX_LISTED,
        )

    async def detail(self, request: Request) -> Response:
        """Everything that would be sent, and the two buttons or why they are missing."""
        session = await self._entry.session(request)
        pending = await self._found(request.path_params["key"])
        # One who may not read is told what one is told who made the address up.
        if pending is None or not (await self._permissions.may(session.person, Action.READ, pending)).allowed:
            raise HTTPException(404)
        return self._render.page(
            "detail.html",
            session=session,
            row=row_of(pending, now=self._now()),
            mine=has_signed(pending, session.person),
            waits=pending.status is Status.WAITING,
            approve=await self._permissions.may(session.person, Action.CONFIRM, pending),
            refuse=await self._permissions.may(session.person, Action.REFUSE, pending),
        )

    async def decide(self, request: Request) -> Response:
        """A press of Approve, Refuse or Take back."""
        session, form = await self._entry.form(request)
        key = request.path_params["key"]
        try:
            verdict = Verdict(form.get("verdict", ""))
            shown = Shown(transaction_id=form["transaction_id"], view_hash=form["view_hash"])
        except (ValueError, KeyError):
            raise MalformedRequest("The form is incomplete.") from None
        if not _KEY.fullmatch(key):
            raise HTTPException(404)
        result = await self._decisions.decide(session.person, key, verdict, shown)
        return show_result(self._render, session, verdict, key, result)

    async def login_page(self, request: Request) -> Response:
        """Who the link is for, and a button. A GET changes nothing."""
        self._site.check_host(request)
        token = request.path_params["token"]
        person = await self._links.peek(token)
        if person is None:
            raise Unauthenticated(
                "This link was used, or its time is up. Every link works once.", code=NOT_SIGNED_IN
            )
        return self._render.page("login.html", person=person, token=token)

    async def login(self, request: Request) -> Response:
        """Burn the link, start a session. A session that the browser had before ends."""
        self._site.check_host(request)
        # Login CSRF: without this, a foreign page could sign the victim in as somebody the attacker chose.
        self._site.check_source(request)
        form = await read_form(request)
        person = await self._links.redeem(form.get("token", ""))
        if person is None:
            raise Unauthenticated(
                "This link was used, or its time is up. Every link works once.", code=NOT_SIGNED_IN
            )
        await self._sessions.end(request.cookies.get(self._site.cookie))
        response = RedirectResponse(f"{self._site.base}/", status_code=303)
        self._site.set_cookie(response, await self._sessions.start(person))
        return response

    async def logout(self, request: Request) -> Response:
        """End the session in the store; the cookie is only tidied away."""
        await self._entry.form(request)
        await self._sessions.end(request.cookies.get(self._site.cookie))
        response = self._render.message(
            "Signed out", "This browser can no longer sign anything.", status=200, tone="ok"
        )
        self._site.clear_cookie(response)
        return response

    async def css(self, _: Request) -> Response:
        """The one stylesheet."""
        return Response(self._css, media_type="text/css")

    async def _found(self, key: str) -> Pending | None:
        if not _KEY.fullmatch(key):
            return None
        pending = await self._waiting.find(key)
        return pending if pending is not None and self._now() < pending.expires_at else None
