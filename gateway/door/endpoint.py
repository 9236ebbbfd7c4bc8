"""The MCP endpoint: one path per server, both eras, raw ASGI ahead of the Starlette router (perf.md section 6)."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.door.answers import result_of
from gateway.door.call import Era
from gateway.door.headers import Headers
from gateway.door.http import (
    CLOSE,
    ClientGone,
    Guard,
    Receive,
    Scope,
    Send,
    check_media_types,
    read_body,
    respond,
)
from gateway.door.message import Message, read_message, rpc_id_of
from gateway.door.passing import error_of
from gateway.door.protocol import LIST_TTL_MS, META_SERVER, discover_result, initialize_result, server_info
from gateway.door.step_up import step_up
from gateway.door.strict_json import parse
from gateway.door.tool_call import read_tool_call
from gateway.errors import CountersignError, UnknownMethod, UnknownTool
from gateway.identity.challenge import Access
from gateway.identity.credentials import Credentials, credentials_of
from gateway.listing import list_tools
from gateway.outcome.answer import Executed
from gateway.walk import House, walk

PREFIX = "/mcp"
STRANGER_BODY_BYTES = 16 * 1024
"""Bytes parsed for somebody who has not been recognised yet. Strict parsing costs up to half a second of processor
time for a megabyte; whoever may cause that has a token that can be revoked."""
_LOG = logging.getLogger("countersign.door")
_ENCODER = msgspec.json.Encoder()


@dataclass(slots=True, kw_only=True)
class _Exchange:
    """How far one HTTP request has come."""

    call_id: str
    server: str
    rpc_id: str | int | None = None
    message: Message | None = None
    body_read: bool = False
    recorded: bool = False
    """The walk or the listing has taken over, and writes the audit record itself."""


class McpEndpoint:
    """ASGI application for ``/mcp`` (the first configured server) and ``/mcp/{server}``.

    What it does *not* do: hold sessions, or open streams; each POST is answered with one JSON body. GET and DELETE are
    405, as both eras allow.
    """

    def __init__(
        self,
        house: House,
        guard: Guard,
        *,
        default_server: str,
        version: str,
        max_body_bytes: int,
        access: Access,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._house = house
        self._guard = guard
        self._default_server = default_server
        self._version = version
        self._max_body_bytes = max_body_bytes
        self._access = access
        self._now = now

    def serves(self, path: str) -> bool:
        """Whether a request of that path is for this endpoint."""
        return path == PREFIX or path.startswith(PREFIX + "/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request.

        Every call, listing and refusal has an audit record by then. What moves nothing and tells nothing has none:
        a 405, an accepted notification, ``ping``, ``initialize``, ``server/discover``, a client that hung up.
        """
        if scope["method"] != "POST":
            await respond(send, 405, headers=((b"allow", b"POST"),))
            return
        exchange = _Exchange(
            call_id=str(uuid.uuid4()), server=scope["path"][len(PREFIX) + 1 :] or self._default_server
        )
        try:
            answer = await self._answer(exchange, scope, receive)
        except ClientGone:
            return
        except CountersignError as error:
            await self._refuse(send, error, exchange)
        except Exception:  # noqa: BLE001 - the last line of defence: a defect is answered, not leaked
            # A defect of ours. The caller learns the call id and nothing else; the log has the rest.
            _LOG.exception("internal error in call %s", exchange.call_id)
            said = "The gateway failed; the operator finds this call id in the log."
            await self._refuse(send, CountersignError(said), exchange)
        else:
            if answer is None:
                await respond(send, 202)
            else:
                envelope = {"jsonrpc": "2.0", "id": exchange.rpc_id, **answer}
                await respond(send, 200, _ENCODER.encode(envelope))

    async def _answer(self, exchange: _Exchange, scope: Scope, receive: Receive) -> dict[str, Any] | None:
        """One request -> ``{"result": ...}`` or ``{"error": ...}``, or None where nothing is answered."""
        headers = Headers(scope["headers"])
        self._guard.check(headers)
        credentials = credentials_of(
            headers.all(b"authorization"),
            headers.all(b"dpop"),
            method=scope["method"],
            below=scope["path"][len(PREFIX) :],
        )
        check_media_types(headers)
        body = await read_body(receive, headers, limit=self._max_body_bytes)
        exchange.body_read = True
        if len(body) > STRANGER_BODY_BYTES:
            await self._house.identity.identify(credentials)
        document = parse(body)
        exchange.rpc_id = rpc_id_of(document)
        exchange.message = message = read_message(headers, document)
        return await self._dispatch(exchange, message, credentials)

    async def _dispatch(
        self, exchange: _Exchange, message: Message, credentials: Credentials
    ) -> dict[str, Any] | None:
        if message.wants_answer:
            if message.method == "tools/call":
                return await self._call(exchange, message, credentials)
            if message.method == "tools/list":
                return {"result": await self._list(exchange, message, credentials)}
        await self._house.identity.identify(credentials)
        if exchange.server not in self._house.catalog.servers():
            raise UnknownTool(
                f"There is no server {exchange.server[:64]!r} behind this gateway.",
                code="catalog.unknown_server",
            )
        if not message.wants_answer:
            return None
        modern = message.era is Era.MODERN
        if message.method == "server/discover" and modern:
            return {"result": discover_result(self._version)}
        if message.method == "initialize" and not modern:
            return {"result": initialize_result(message.params.get("protocolVersion"), self._version)}
        if message.method == "ping" and not modern:
            return {"result": {}}
        raise UnknownMethod(f"The method {str(message.method)[:64]!r} is not served here.")

    async def _call(self, exchange: _Exchange, message: Message, credentials: Credentials) -> dict[str, Any]:
        call = read_tool_call(
            message,
            server=exchange.server,
            call_id=exchange.call_id,
            received_at=self._now(),
            credentials=credentials,
        )
        exchange.recorded = True
        answer = await walk(call, self._house)
        missing = step_up(answer, self._access)
        if missing is not None:
            raise missing
        if isinstance(answer, Executed) and answer.result is None:
            return {"error": error_of(answer.error or {})}
        return {"result": result_of(answer, message.era, version=self._version)}

    async def _list(self, exchange: _Exchange, message: Message, credentials: Credentials) -> dict[str, Any]:
        exchange.recorded = True
        tools = await list_tools(
            self._house,
            call_id=exchange.call_id,
            server=exchange.server,
            era=message.era,
            protocol=message.protocol,
            credentials=credentials,
        )
        if message.era is not Era.MODERN:
            return {"tools": tools}
        return {
            "resultType": "complete",
            "tools": tools,
            "ttlMs": LIST_TTL_MS,
            # What a caller may see depends on who it is: never shared between access tokens.
            "cacheScope": "private",
            "_meta": {META_SERVER: server_info(self._version)},
        }

    async def _refuse(self, send: Send, error: CountersignError, exchange: _Exchange) -> None:
        message = exchange.message
        if not exchange.recorded:
            await self._house.books.rejected(
                call_id=exchange.call_id,
                server=exchange.server,
                error=error,
                method=message.method if message is not None else None,
            )
        status = error.http_status
        headers: tuple[tuple[bytes, bytes], ...] = ()
        challenge = self._access.challenge(error, exchange.server)
        if challenge:
            headers = challenge
        elif message is not None and message.era is Era.LEGACY and status in (400, 404):
            # Older hosts read a JSON-RPC error only from a 200; the request was a fine HTTP request.
            status = 200 if message.wants_answer else status
        if not exchange.body_read:
            # Whatever still comes on this connection was never looked at.
            headers = (*headers, CLOSE)
        body = {
            "jsonrpc": "2.0",
            "id": exchange.rpc_id,
            "error": {
                "code": error.rpc_code,
                "message": error.message,
                "data": {**error.data, "call_id": exchange.call_id},
            },
        }
        await respond(send, status, _ENCODER.encode(body), headers=headers)
