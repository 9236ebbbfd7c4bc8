"""Receipts over HTTP: the public keys for anybody, a receipt for the caller it is for and for people who may read.

::

    GET /.well-known/countersign-receipts.json   the public keys, a JWK set
    GET /receipts/{id}                           with the caller's own access token, and its DPoP proof if it is bound
    GET /console/receipts/{id}                   with a console session that the admin policy lets read

``id`` is the receipt's (``jti``) or the transaction's (``txn``). A receipt of somebody else is 404, like one that never
was: nobody learns here which transactions there are.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from gateway.console.browser import SecurityHeaders, Site
from gateway.console.permission import AdminPolicy, Permissions
from gateway.console.session import Sessions
from gateway.errors import CountersignError, Forbidden, MalformedRequest, Unauthenticated
from gateway.identity.challenge import Access, HeaderFields
from gateway.identity.credentials import credentials_of
from gateway.identity.verifier import Identity
from gateway.receipts.keeping import Keeping, Kept
from gateway.receipts.keys import ReceiptKeys
from gateway.state.store import Store

WELL_KNOWN = "/.well-known/countersign-receipts.json"
_SESSION: HeaderFields = ((b"www-authenticate", b"Bearer"),)
_NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class NoSuchReceipt(MalformedRequest):
    """There is none of that name, or it is not for whoever asks."""

    code = "receipts.not_found"
    http_status = 404


def receipt_routes(
    keys: ReceiptKeys | None,
    keeping: Keeping,
    *,
    issuer: str,
    identity: Identity,
    store: Store,
    policy: AdminPolicy,
    access: Access,
    now: Callable[[], float],
) -> list[BaseRoute]:
    """The routes, before the console's own; none where receipts are off."""
    if keys is None:
        return []
    site = Site(issuer)
    pages = _Pages(
        keeping,
        identity=identity,
        site=site,
        sessions=Sessions(store, now=now),
        permissions=Permissions(policy),
        access=access,
    )
    published = keys.published(issuer)

    async def public_keys(_: Request) -> Response:
        return JSONResponse(published, headers={"cache-control": "max-age=300"})

    return [
        Route(WELL_KNOWN, public_keys),
        Route("/receipts/{name}", pages.for_caller),
        Route("/console/receipts/{name}", SecurityHeaders(_Person(pages), https=site.https)),
    ]


class _Pages:
    def __init__(
        self,
        keeping: Keeping,
        *,
        identity: Identity,
        site: Site,
        sessions: Sessions,
        permissions: Permissions,
        access: Access,
    ) -> None:
        self._access = access
        self._keeping = keeping
        self._identity = identity
        self._site = site
        self._sessions = sessions
        self._permissions = permissions

    async def for_caller(self, request: Request) -> Response:
        """The caller's own receipt."""
        try:
            caller = await self._identity.identify(
                credentials_of(
                    [one.encode("latin-1") for one in request.headers.getlist("authorization")],
                    [one.encode("latin-1") for one in request.headers.getlist("dpop")],
                    method=request.method,
                    below="",
                    beside=request.scope["path"],
                )
            )
            kept = await self._kept(request)
            if (kept.issuer, kept.subject) != (caller.issuer, caller.subject):
                raise _unknown()
        except CountersignError as problem:
            return _refused(problem, self._access.challenge(problem, ""))
        return _shown(kept)

    async def for_person(self, request: Request) -> Response:
        """Any receipt, for somebody whom the admin policy lets read."""
        try:
            self._site.check_host(request)
            session = await self._sessions.find(request.cookies.get(self._site.cookie))
            if session is None:
                raise Unauthenticated("Sign in to the console.", code="console.session")
            permission = await self._permissions.may_enter(session.person)
            if not permission.allowed:
                raise Forbidden("The policy does not let you read receipts.", code="console.not_permitted")
            return _shown(await self._kept(request))
        except CountersignError as problem:
            return _refused(problem, _SESSION if isinstance(problem, Unauthenticated) else ())

    async def _kept(self, request: Request) -> Kept:
        kept = await self._keeping.find(str(request.path_params["name"]))
        if kept is None:
            raise _unknown()
        return kept


class _Person:
    """:meth:`_Pages.for_person` as ASGI, so that the console's headers go around it."""

    def __init__(self, pages: _Pages) -> None:
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method not in ("GET", "HEAD"):
            response: Response = JSONResponse(
                {"error": "door.method"}, status_code=405, headers={"allow": "GET"}
            )
        else:
            response = await self._pages.for_person(request)
        await response(scope, receive, send)


def _unknown() -> NoSuchReceipt:
    return NoSuchReceipt("There is no such receipt of yours; receipts are kept for a bounded time.")


def _shown(kept: Kept) -> Response:
    return JSONResponse({"receipt": kept.receipt}, headers=_NO_STORE)


def _refused(problem: CountersignError, challenges: HeaderFields) -> Response:
    body = {"error": problem.code, "message": problem.message}
    response = JSONResponse(body, status_code=problem.http_status, headers=_NO_STORE)
    response.raw_headers.extend(challenges)
    return response
