"""The admin API for tools: what the console and ``countersign tools`` do, for programs.

::

    GET  /admin/tools?server=&pending=true    the list
    GET  /admin/tools/review?server=&tool=    one tool, its approval, history and difference
    POST /admin/tools/approve                 {server, tool, definition_hash, permissions?, expires?, why?}
    POST /admin/tools/revoke                  {server, tool, why?}
    POST /admin/tools/request                 {server, tool, why?}

Who asks is said by a bearer token as at the front door (assurance ``agent``: a program came), or by a console session:
its cookie, which browsers send to ``/console/admin/tools...`` alone, and its CSRF token as ``x-csrf-token`` beside an
Origin of ours; the list tells it. Who may is said by ``data.gateway.admin``, for each tool anew. By the shipped data a
bearer token may ask for approvals and no more: an injected agent may well hold the token of an operator.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.approving.book import Act, ApprovalBook
from gateway.approving.deciding import Deciding
from gateway.approving.documents import review_document, row_document
from gateway.approving.review import Reviews
from gateway.catalog.approval_record import Actor
from gateway.console.browser import Site
from gateway.console.permission import Action, Permission, Permissions
from gateway.console.person import Person
from gateway.console.session import Session, Sessions
from gateway.door.headers import Headers
from gateway.door.http import ClientGone, check_media_types, read_body
from gateway.door.strict_json import parse
from gateway.errors import CountersignError, Forbidden, MalformedRequest, Unauthenticated
from gateway.identity.credentials import credentials_of
from gateway.identity.verifier import Identity
from gateway.outcome.view import visible
from gateway.policy.classes import Classes

PREFIX = "/admin/tools"
MAX_BODY_BYTES = 64 * 1024
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_CSRF = "x-csrf-token"
_Name = Annotated[str, Meta(min_length=1, max_length=128)]
_Why = Annotated[str, Meta(min_length=1, max_length=200)]


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    server: _Name
    tool: _Name
    why: _Why | None = None


class _Approve(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    definition_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    permissions: Annotated[tuple[str, ...], Meta(max_length=256)] | None = None
    expires: int | None = None


B = TypeVar("B", bound=_Body)


class ApprovalApi:
    """The handlers. What goes wrong is a JSON object with the stable code."""

    def __init__(
        self,
        *,
        identity: Identity,
        site: Site,
        sessions: Sessions,
        permissions: Permissions,
        reviews: Reviews,
        deciding: Deciding,
        book: ApprovalBook,
        classes: Classes,
    ) -> None:
        self._identity = identity
        self._site = site
        self._sessions = sessions
        self._permissions = permissions
        self._reviews = reviews
        self._deciding = deciding
        self._book = book
        self._classes = classes

    def routes(self) -> list[BaseRoute]:
        """Beside the front door."""
        handlers = {
            "": ("GET", self._list),
            "/review": ("GET", self._review),
            "/approve": ("POST", self._approve),
            "/revoke": ("POST", self._revoke),
            "/request": ("POST", self._request),
        }
        return [
            Route(f"{prefix}{path}", self._answering(handler), methods=[method])
            for prefix in (PREFIX, f"/console{PREFIX}")
            for path, (method, handler) in handlers.items()
        ]

    async def _list(self, request: Request) -> dict[str, Any]:
        person, session = await self._person(request)
        permission = await self._permissions.may_enter(person)
        if not permission.allowed:
            raise _not_permitted(permission)
        rows, failed = await self._reviews.listed(request.query_params.get("server"))
        only_pending = request.query_params.get("pending") == "true"
        return {
            "tools": [row_document(row) for row in rows if row.pending or not only_pending],
            "unavailable": {server: problem.message for server, problem in failed.items()},
            **({} if session is None else {"csrf": session.csrf}),
        }

    async def _review(self, request: Request) -> dict[str, Any]:
        person, _ = await self._person(request)
        server, tool = request.query_params.get("server", ""), request.query_params.get("tool", "")
        permission = await self._may(person, Action.READ, server, tool)
        if not permission.allowed:
            raise _not_permitted(permission)
        return review_document(await self._reviews.of(server, tool))

    async def _approve(self, request: Request) -> dict[str, Any]:
        person, session = await self._person(request)
        body = await _body(request, _Approve)
        actor = await self._permitted(person, session, Action.APPROVE_TOOL, "approve_tool", body)
        approval = await self._deciding.approve(
            actor,
            body.server,
            body.tool,
            seen=body.definition_hash,
            permissions=body.permissions,
            expires=body.expires,
            why=body.why,
        )
        return {"approval": msgspec.to_builtins(approval)}

    async def _revoke(self, request: Request) -> dict[str, Any]:
        person, session = await self._person(request)
        body = await _body(request, _Body)
        actor = await self._permitted(person, session, Action.REVOKE_TOOL, "revoke_tool", body)
        approval = await self._deciding.revoke(actor, body.server, body.tool, why=body.why)
        return {"approval": None if approval is None else msgspec.to_builtins(approval)}

    async def _request(self, request: Request) -> dict[str, Any]:
        person, session = await self._person(request)
        body = await _body(request, _Body)
        actor = await self._permitted(person, session, Action.REQUEST_TOOL, "request_tool", body)
        await self._deciding.request(actor, body.server, body.tool, why=body.why)
        return {"requested": True}

    async def _person(self, request: Request) -> tuple[Person, Session | None]:
        """Who asks. :raises Unauthenticated: :raises Forbidden: a foreign page, or a form of no session of ours."""
        self._site.check_host(request)
        authorization = [one.encode("latin-1") for one in request.headers.getlist("authorization")]
        if authorization:
            caller = await self._identity.identify(
                credentials_of(
                    authorization,
                    [one.encode("latin-1") for one in request.headers.getlist("dpop")],
                    method=request.method,
                    below="",
                    beside=request.url.path,
                )
            )
            return (
                Person(issuer=caller.issuer, subject=caller.subject, roles=caller.roles, assurance="agent"),
                None,
            )
        session = await self._sessions.find(request.cookies.get(self._site.cookie))
        if session is None:
            raise Unauthenticated(
                "Send a bearer token, or sign in to the console.", code="identity.token_missing"
            )
        if request.method != "GET":
            self._site.check_source(request)
            if not hmac.compare_digest(request.headers.get(_CSRF, "").encode(), session.csrf.encode()):
                raise Forbidden("This request was not made for your session.", code="console.csrf")
        return session.person, session

    async def _permitted(
        self, person: Person, session: Session | None, action: Action, act: Act, body: _Body
    ) -> Actor:
        """:raises Forbidden: the policy does not let this person; that is recorded."""
        actor = actor_of(person, session)
        permission = await self._may(person, action, body.server, body.tool)
        if not permission.allowed:
            await self._book.decided(
                act, actor, server=body.server, tool=body.tool, ended="refused", reasons=permission.codes
            )
            raise _not_permitted(permission)
        return actor

    async def _may(self, person: Person, action: Action, server: str, tool: str) -> Permission:
        return await self._permissions.may_about_tool(
            person, action, server=server, tool=tool, data_class=self._classes.of(server, tool)
        )

    def _answering(
        self, handler: Callable[[Request], Awaitable[dict[str, Any]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return JSONResponse(await handler(request), headers=_HEADERS)
            except CountersignError as problem:
                return _refused(problem)
            except ClientGone:
                return Response(status_code=400)

        return answer


def actor_of(person: Person, session: Session | None) -> Actor:
    """Who decides, as the history shows them. A session is named by a hash that opens nothing."""
    via = "api" if session is None else f"console {hashlib.sha256(session.csrf.encode()).hexdigest()[:12]}"
    return Actor(name=person.subject, issuer=person.issuer, via=via)


async def _body(request: Request, kind: type[B]) -> B:
    """:raises MalformedRequest: not that document; every name it may hold is in the message."""
    headers = Headers([(name.lower(), value) for name, value in request.scope["headers"]])
    check_media_types(headers)
    document = parse(await read_body(request.receive, headers, limit=MAX_BODY_BYTES))
    try:
        body = msgspec.convert(document, kind)
    except msgspec.ValidationError as problem:
        raise MalformedRequest(f"{problem}.", code="door.params") from None
    if body.why is not None and (not body.why.strip() or visible(body.why) != body.why):
        raise MalformedRequest("why: has 1 to 200 visible characters.", code="door.params")
    return body


def _not_permitted(permission: Permission) -> Forbidden:
    reason = permission.reasons[0]
    return Forbidden(f"{reason.message} {reason.remedy}", code=reason.code)


def _refused(problem: CountersignError) -> Response:
    headers = {**_HEADERS, **({"www-authenticate": "Bearer"} if isinstance(problem, Unauthenticated) else {})}
    return JSONResponse(
        {"error": problem.code, "message": problem.message}, status_code=problem.http_status, headers=headers
    )
