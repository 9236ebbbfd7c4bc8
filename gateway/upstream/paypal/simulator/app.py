"""The simulated PayPal over ASGI, with faults and a record of every call."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.upstream.paypal.simulator.control import control_routes
from gateway.upstream.paypal.simulator.exchange import RecordedCall
from gateway.upstream.paypal.simulator.faults import Fault
from gateway.upstream.paypal.simulator.paypal import PayPalSimulator, Sent

ABORT_EXTENSION = "countersign.abort"
"""ASGI extension by which :mod:`.serve` lets the simulator cut a TCP connection."""


def create_simulator(simulator: PayPalSimulator | None = None) -> Starlette:
    """The ASGI app. ``app.state.simulator`` is the simulator behind it."""
    served = simulator or PayPalSimulator()
    everything = Route("/{rest:path}", _PayPalEndpoint(served))
    app = Starlette(routes=[*control_routes(served), everything])
    app.state.simulator = served
    return app


class _PayPalEndpoint:
    """Every path that is not ``/_simulator``."""

    def __init__(self, simulator: PayPalSimulator) -> None:
        self._simulator = simulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = bytes(scope.get("raw_path") or scope["path"].encode()).split(b"?")[0].decode("latin-1")
        body = await request.body()
        if path == "/v1/oauth2/token":
            form = dict(parse_qsl(body.decode("latin-1")))
            status, granted = self._simulator.tokens.grant(request.headers.get("authorization", ""), form)
            await _response(self._simulator.encoded(status, granted))(scope, receive, send)
            return
        fault = self._simulator.faults.take(request.method, path)
        if fault is not None and fault.kind == "drop_before_effect":
            self._record(request, path, body, None)
            await _cut(scope, receive, send)
            return
        sent = self._answer(request, path, body, fault)
        self._record(request, path, body, sent)
        if fault is not None and fault.kind == "drop_after_effect":
            await _cut(scope, receive, send)
            return
        if fault is not None and fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        await _response(sent, fault)(scope, receive, send)

    def _answer(self, request: Request, path: str, body: bytes, fault: Fault | None) -> Sent:
        if fault is not None and fault.kind == "status":
            if fault.raw is not None:
                return Sent(fault.status, "text/html", fault.raw.encode(), "f000000000000")
            shape = {"name": "INTERNAL_SERVER_ERROR", "message": "An internal server error has occurred."}
            return self._simulator.encoded(fault.status, fault.body or {**shape, "debug_id": "f000000000000"})
        headers = {name.lower(): value for name, value in request.headers.items()}
        return self._simulator.answer(request.method, path, dict(request.query_params), headers, body)

    def _record(self, request: Request, path: str, body: bytes, sent: Sent | None) -> None:
        self._simulator.calls.append(
            RecordedCall(
                method=request.method,
                path=path,
                query=request.url.query,
                request_id=request.headers.get("paypal-request-id"),
                prefer=request.headers.get("prefer"),
                body=_readable(body),
                headers=dict(request.headers),
                status=None if sent is None else sent.status,
                answer=None if sent is None else _readable(sent.body),
            )
        )


async def _cut(scope: Scope, receive: Receive, send: Send) -> None:
    """End the connection without an answer. Without :mod:`.serve`: with half of one, then an exception."""
    abort = scope.get("extensions", {}).get(ABORT_EXTENSION)
    if abort is not None:
        abort()
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1048576")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
    raise ConnectionResetError("the simulator cut the connection, as it was told to")


def _response(sent: Sent, fault: Fault | None = None) -> Response:
    headers = {"paypal-debug-id": sent.debug_id, **(fault.headers if fault is not None else {})}
    if sent.body:
        headers["content-type"] = sent.content_type
    return Response(sent.body, status_code=sent.status, headers=headers)


def _readable(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body.decode("latin-1")
