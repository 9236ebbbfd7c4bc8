"""The console's pages about tools: what waits for an approval, what changed, and the buttons.

::

    GET  /console/tools                          what waits, and what is approved
    GET  /console/tools/review?server=&tool=     one tool: as it is, what changed, its history
    POST /console/tools/decide                   csrf, server, tool, definition_hash, verdict=approve|revoke, p0 p1 ...,
                                                 expires_days, why

``p<n>`` are the permissions that were ticked: what a person left unticked is not approved. The hash is that of the
page: a definition that changed meanwhile is not approved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.approving.api import actor_of
from gateway.approving.book import Act, ApprovalBook
from gateway.approving.deciding import ApprovalRefused, Deciding
from gateway.approving.review import Review, Reviews
from gateway.approving.words import flags_of, headline, lines_of, shown
from gateway.catalog.permissions import permissions_of
from gateway.catalog.tool import Approval
from gateway.console.browser import SecurityHeaders, Site, check_csrf, read_form
from gateway.console.permission import Action, Permissions
from gateway.console.problems import NOT_SIGNED_IN, Problems
from gateway.console.render import Render
from gateway.console.session import Session, Sessions
from gateway.errors import MalformedRequest, Unauthenticated, UnknownTool
from gateway.outcome.view import visible
from gateway.policy.classes import Classes

MAX_FORM_BYTES = 64 * 1024
MAX_PERMISSIONS = 256
"""A tool that asks for more is approved whole, from the terminal, or not at all."""
MAX_DESCRIPTION = 4_000
MAX_WHY = 200
EXPIRIES = (7, 30, 90, 365)
"""Days after which an approval may end."""
DAY_S = 24 * 3600
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TICKED = re.compile(r"p[0-9]{1,3}", re.ASCII)
LIST, REVIEW, DECIDE = "/console/tools", "/console/tools/review", "/console/tools/decide"


class ToolPages:
    """The handlers, each as its checks in order. What goes wrong is raised and becomes a page."""

    def __init__(
        self,
        *,
        site: Site,
        render: Render,
        sessions: Sessions,
        permissions: Permissions,
        reviews: Reviews,
        deciding: Deciding,
        book: ApprovalBook,
        classes: Classes,
        now: Callable[[], float],
    ) -> None:
        self._site = site
        self._render = render
        self._sessions = sessions
        self._permissions = permissions
        self._reviews = reviews
        self._deciding = deciding
        self._book = book
        self._classes = classes
        self._now = now

    def routes(self) -> list[BaseRoute]:
        """Before the console's own, which are beneath the same path."""
        problems = Problems(self._site, self._render)
        app = Starlette(
            routes=[
                Route(LIST, self.list, methods=["GET"]),
                Route(REVIEW, self.review, methods=["GET"]),
                Route(DECIDE, self.decide, methods=["POST"]),
            ],
            exception_handlers={HTTPException: problems.http, Exception: problems.any, **problems.ours()},
        )
        headed = SecurityHeaders(app, https=self._site.https)
        return [Route(path, headed) for path in (LIST, REVIEW, DECIDE)]

    async def list(self, request: Request) -> Response:
        """What waits for a decision, then the rest."""
        session = await self._session(request)
        enter = await self._permissions.may_enter(session.person)
        if not enter.allowed:
            return self._render.message(
                "You may not see this",
                "You are signed in, but the policy does not let you read about tools.",
                status=403,
                session=session,
                permission=enter,
            )
        rows, failed = await self._reviews.listed()
        return self._render.page(
            "tools.html",
            session=session,
            pending=[row for row in rows if row.pending],
            others=[row for row in rows if not row.pending],
            failed={server: problem.message for server, problem in failed.items()},
            visible=visible,
        )

    async def review(self, request: Request) -> Response:
        """One tool, and the buttons or why they are missing."""
        session = await self._session(request)
        server, tool = request.query_params.get("server", ""), request.query_params.get("tool", "")
        person, data_class = session.person, self._classes.of(server, tool)
        may = {
            action: await self._permissions.may_about_tool(
                person, action, server=server, tool=tool, data_class=data_class
            )
            for action in (Action.READ, Action.APPROVE_TOOL, Action.REVOKE_TOOL)
        }
        if not may[Action.READ].allowed:
            raise HTTPException(404)
        try:
            review = await self._reviews.of(server, tool)
        except UnknownTool:
            raise HTTPException(404) from None
        return self._render.page(
            "tool.html",
            session=session,
            review=review,
            approve=may[Action.APPROVE_TOOL],
            revoke=may[Action.REVOKE_TOOL],
            **_facts(review),
        )

    async def decide(self, request: Request) -> Response:
        """A press of Approve or Revoke."""
        self._site.check_host(request)
        self._site.check_source(request)
        session = await self._session(request)
        form = await read_form(request, max_bytes=MAX_FORM_BYTES, max_fields=MAX_PERMISSIONS + 8)
        check_csrf(form, session.csrf)
        server, tool = form.get("server", ""), form.get("tool", "")
        if form.get("verdict") not in ("approve", "revoke") or not server or not tool:
            raise MalformedRequest("The form is incomplete.")
        action = Action.APPROVE_TOOL if form["verdict"] == "approve" else Action.REVOKE_TOOL
        act: Act = "approve_tool" if action is Action.APPROVE_TOOL else "revoke_tool"
        actor = actor_of(session.person, session)
        permission = await self._permissions.may_about_tool(
            session.person, action, server=server, tool=tool, data_class=self._classes.of(server, tool)
        )
        if not permission.allowed:
            await self._book.decided(
                act, actor, server=server, tool=tool, ended="refused", reasons=permission.codes
            )
            return self._render.message(
                "Not recorded",
                "The policy does not let you decide about this tool.",
                status=403,
                session=session,
                permission=permission,
            )
        if action is Action.REVOKE_TOOL:
            gone = await self._deciding.revoke(actor, server, tool, why=_why(form))
            said = "The next call of the tool is refused." if gone else "There was no approval to revoke."
            return self._done(session, "Revoked" if gone else "Nothing to revoke", said)
        return await self._approved(session, form)

    async def _approved(self, session: Session, form: Mapping[str, str]) -> Response:
        if not _HASH.fullmatch(form.get("definition_hash", "")):
            raise MalformedRequest("The form is incomplete.")
        why, expires = _why(form), self._expires(form)
        ticked = tuple(value for name, value in form.items() if _TICKED.fullmatch(name))
        try:
            approval = await self._deciding.approve(
                actor_of(session.person, session),
                form["server"],
                form["tool"],
                seen=form["definition_hash"],
                permissions=ticked,
                expires=expires,
                why=why,
            )
        except (ApprovalRefused, UnknownTool) as problem:
            return self._render.message(
                "Not approved", problem.message, status=409, session=session, again="/tools"
            )
        left_out = len(approval.requested) - len(approval.approved)
        said = f"{left_out} of its permissions were left out." if left_out else "With all that it asks for."
        return self._done(session, "Approved", said)

    def _expires(self, form: Mapping[str, str]) -> int | None:
        days = form.get("expires_days", "")
        if days and days not in {str(one) for one in EXPIRIES}:
            raise MalformedRequest("Choose one of the times at which an approval may end.")
        return int(self._now() + int(days) * DAY_S) if days else None

    def _done(self, session: Session, title: str, said: str) -> Response:
        return self._render.message(title, said, status=200, tone="ok", session=session, again="/tools")

    async def _session(self, request: Request) -> Session:
        self._site.check_host(request)
        session = await self._sessions.find(request.cookies.get(self._site.cookie))
        if session is None:
            raise Unauthenticated("This page is for people who are signed in.", code=NOT_SIGNED_IN)
        return session


def _facts(review: Review) -> dict[str, Any]:
    """What the template shows, every server's word made visible."""
    definition = review.definition
    permissions = {} if definition is None else permissions_of(definition)
    known = set() if definition is None else set(definition.permissions)
    description = None if definition is None else definition.wire.get("description")
    properties = None if definition is None else definition.input_schema.get("properties")
    return {
        "name": visible(review.tool),
        "report": review.report,
        "findings": () if review.report is None else review.report.findings,
        "headline": headline(review.difference),
        "lines": () if review.difference is None else lines_of(review.difference),
        "description": "" if description is None else shown(description, MAX_DESCRIPTION),
        "flags": flags_of(description, list(permissions)),
        "permissions": [
            _box(name if name in known else str(one.get("scope")), name, one, review.approval)
            for name, one in permissions.items()
        ],
        "arguments": [
            (visible(name), shown(schema, 300))
            for name, schema in (properties.items() if isinstance(properties, dict) else ())
        ],
        "visible": visible,
        "day": _day,
        "expiries": EXPIRIES,
        "too_many": len(permissions) > MAX_PERMISSIONS,
    }


def _box(value: str, name: str, one: dict[str, Any], before: Approval | None) -> tuple[str, str, str, bool]:
    """Value, name, what it says, and whether it is ticked: what was not approved before, a person ticks by hand."""
    said = {key: said for key, said in one.items() if key != "name"}
    ticked = before is None or before.revoked or value in before.approved
    return value, visible(name), shown(said) if said else "", ticked


def _why(form: Mapping[str, str]) -> str | None:
    """:raises MalformedRequest: a reason that nobody could read."""
    why = form.get("why", "").strip()
    if len(why) > MAX_WHY or visible(why) != why:
        raise MalformedRequest(f"The reason has at most {MAX_WHY} visible characters.")
    return why or None


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
