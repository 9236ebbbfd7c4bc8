"""The kill switch in the console: what is stopped, and the forms that stop and lift.

::

    GET  /console/stops              what is stopped; ?kind=&value=&within= fills the form in
    POST /console/stops              csrf, kind, value, within, reason
    POST /console/stops/{id}/lift    csrf, reason
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.console.entry import Entry
from gateway.console.permission import Action, Permission
from gateway.console.render import Render
from gateway.console.session import Session
from gateway.kill.desk import MAX_VALUE, KillDesk
from gateway.outcome.view import visible

PAGE = "/stops"


class KillPages:
    """The handlers."""

    def __init__(self, entry: Entry, render: Render, desk: KillDesk) -> None:
        self._entry = entry
        self._render = render
        self._desk = desk

    def routes(self) -> list[Route]:
        """Relative to the console."""
        return [
            Route(PAGE, self.page, methods=["GET"]),
            Route(PAGE, self.stop, methods=["POST"]),
            Route(PAGE + "/{order_id}/lift", self.lift, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """What is stopped, and what this person may do about it."""
        session = await self._entry.session(request)
        orders = await self._desk.listed(session.person)
        if isinstance(orders, Permission):
            return self._refused(session, orders, "The policy does not let you see what is stopped.")
        asked = {name: request.query_params.get(name, "")[:MAX_VALUE] for name in ("kind", "value", "within")}
        return self._render.page(
            "stops.html",
            session=session,
            orders=tuple(reversed(orders)),
            asked={name: text for name, text in asked.items() if visible(text) == text},
            stop=await self._desk.may(session.person, Action.KILL_ADD),
            lift=await self._desk.may(session.person, Action.KILL_LIFT),
        )

    async def stop(self, request: Request) -> Response:
        """Stop one thing."""
        session, form = await self._entry.form(request)
        done = await self._desk.stop(
            session.person,
            kind=form.get("kind", ""),
            value=form.get("value", "").strip(),
            within=form.get("within", "").strip(),
            reason=form.get("reason", "").strip(),
        )
        if isinstance(done, Permission):
            return self._refused(session, done, "The policy does not let you stop anything.")
        calls = "1 waiting call is" if done.voided == 1 else f"{done.voided} waiting calls are"
        return self._render.message(
            "Stopped",
            f"{visible(str(done.order))} is stopped at every gateway, from the next call on; {calls} void.",
            status=200,
            tone="ok",
            session=session,
            again=PAGE,
        )

    async def lift(self, request: Request) -> Response:
        """Let it go on."""
        session, form = await self._entry.form(request)
        order_id = request.path_params["order_id"]
        done = await self._desk.lift(session.person, order_id, reason=form.get("reason", "").strip())
        if done is None:
            raise HTTPException(404)
        if isinstance(done, Permission):
            return self._refused(session, done, "The policy does not let you lift this.")
        return self._render.message(
            "Lifted",
            f"{visible(str(done.order))} is stopped no longer. What was void stays void.",
            status=200,
            tone="ok",
            session=session,
            again=PAGE,
        )

    def _refused(self, session: Session, permission: Permission, text: str) -> Response:
        return self._render.message("Not done", text, status=403, session=session, permission=permission)
