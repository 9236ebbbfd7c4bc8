"""The kill switch over HTTP, for whoever shows an access token that the admin policy lets: an alarm system, a runbook.

::

    GET  /admin/kill              {"orders": [...]}
    POST /admin/kill              {"kind", "value", "within"?, "reason"} -> 201 {"order", "voided"}
    POST /admin/kill/{id}/lift    {"reason"}                             -> 200 {"lifted"}

Nobody knows whether a person sat behind a token, so its bearer is a program to the policy (assurance ``agent``); as
shipped a program may stop and look, and lifting takes a person at the console. No cookie opens anything here, so there
is nothing to forge from another site.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.console.permission import Permission
from gateway.console.person import Person
from gateway.door.http import BODY_DEADLINE_S, TooSlow
from gateway.door.strict_json import parse
from gateway.errors import CountersignError, MalformedRequest, RateLimited, TooLarge, Unauthenticated
from gateway.identity.credentials import credentials_of
from gateway.identity.verifier import Identity
from gateway.kill.desk import KillDesk

PATH: Final = "/admin/kill"
MAX_BODY_BYTES: Final = 16 * 1024
_NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
Handler = Callable[[Request, Person], Awaitable[Response]]


class NoSuchOrder(MalformedRequest):
    """There is no order of that name in force."""

    code = "kill.not_found"
    http_status = 404


class _Stop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    value: str
    reason: str
    within: str | None = None


_Body = TypeVar("_Body")


class _Lift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: str


def kill_routes(desk: KillDesk, identity: Identity) -> list[BaseRoute]:
    """The routes."""
    door = _Door(desk, identity)
    return [
        Route(PATH, door.answering(door.listed), methods=["GET"]),
        Route(PATH, door.answering(door.stop), methods=["POST"]),
        Route(PATH + "/{order_id}/lift", door.answering(door.lift), methods=["POST"]),
    ]


class _Door:
    def __init__(self, desk: KillDesk, identity: Identity) -> None:
        self._desk = desk
        self._identity = identity

    def answering(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """The handler for whoever the request's token stands for, and its errors as JSON."""

        async def answer(request: Request) -> Response:
            try:
                return await handler(request, await self._person(request))
            except CountersignError as problem:
                return _refused(problem)

        return answer

    async def listed(self, _: Request, person: Person) -> Response:
        """What is stopped."""
        orders = await self._desk.listed(person)
        return _forbidden(orders) if isinstance(orders, Permission) else _json({"orders": orders})

    async def stop(self, request: Request, person: Person) -> Response:
        """Stop one thing."""
        body = await _read(request, _Stop)
        done = await self._desk.stop(
            person, kind=body.kind, value=body.value, within=body.within or "", reason=body.reason
        )
        return _forbidden(done) if isinstance(done, Permission) else _json(done, status=201)

    async def lift(self, request: Request, person: Person) -> Response:
        """Let it go on."""
        body = await _read(request, _Lift)
        done = await self._desk.lift(person, request.path_params["order_id"], reason=body.reason)
        if done is None:
            raise NoSuchOrder("There is no such order in force.")
        return _forbidden(done) if isinstance(done, Permission) else _json({"lifted": done.order})

    async def _person(self, request: Request) -> Person:
        caller = await self._identity.identify(
            credentials_of(
                [one.encode("latin-1") for one in request.headers.getlist("authorization")],
                [one.encode("latin-1") for one in request.headers.getlist("dpop")],
                method=request.method,
                below="",
                beside=request.url.path,
            )
        )
        return Person(issuer=caller.issuer, subject=caller.subject, roles=caller.roles, assurance="agent")


async def _read(request: Request, kind: type[_Body]) -> _Body:
    """:raises MalformedRequest: :raises TooLarge: :raises TooSlow:"""
    if request.headers.get("content-type", "").split(";", 1)[0].strip().lower() != "application/json":
        raise MalformedRequest("Send application/json.", code="door.media_type")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise TooLarge(f"The body is over {MAX_BODY_BYTES} bytes.")
    except TimeoutError:
        raise TooSlow(f"The body did not arrive within {BODY_DEADLINE_S:g} seconds.") from None
    try:
        return msgspec.convert(parse(bytes(body)), kind)
    except msgspec.ValidationError as problem:
        raise MalformedRequest(f"The body does not fit: {problem}.", code="kill.malformed") from None


def _json(document: Any, *, status: int = 200) -> Response:
    return JSONResponse(msgspec.to_builtins(document), status_code=status, headers=_NO_STORE)


def _forbidden(permission: Permission) -> Response:
    reasons = msgspec.to_builtins(permission.reasons)
    return JSONResponse({"error": "admin.denied", "reasons": reasons}, status_code=403, headers=_NO_STORE)


def _refused(problem: CountersignError) -> Response:
    headers = dict(_NO_STORE)
    if isinstance(problem, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    if isinstance(problem, RateLimited):
        headers["retry-after"] = str(problem.retry_after_s)
    return JSONResponse(
        {"error": problem.code, "message": problem.message}, status_code=problem.http_status, headers=headers
    )
