"""The MCP endpoint: one path per server, both eras, raw ASGI ahead of the Starlette router (perf.md section 6)."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from gateway.door.answers import result_of
from gateway.door.call import Era
from gateway.door.http import ClientGone, Guard, Receive, Scope, Send, check_media_types, read_body, respond
from gateway.door.message import Headers, Message, read_message
from gateway.door.protocol import LIST_TTL_MS, META_SERVER, discover_result, initialize_result, server_info
from gateway.door.strict_json import parse
from gateway.door.tool_call import read_tool_call
from gateway.errors import (
    CountersignError,
    MalformedRequest,
    Unauthenticated,
    UnknownMethod,
    UnknownTool,
)
from gateway.identity.credentials import Credentials, parse_authorization
from gateway.identity.errors import CredentialRefused
from gateway.identity.metadata import ChallengeError, www_authenticate
from gateway.listing import list_tools
from gateway.outcome.answer import Executed
from gateway.walk import House, walk

PREFIX = "/mcp"
_LOG = logging.getLogger("countersign.door")
_ENCODER = msgspec.json.Encoder()


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
        resource_metadata: str | None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._house = house
        self._guard = guard
        self._default_server = default_server
        self._version = version
        self._max_body_bytes = max_body_bytes
        self._resource_metadata = resource_metadata
        self._now = now

    def serves(self, path: str) -> bool:
        """Whether a request of that path is for this endpoint."""
        return path == PREFIX or path.startswith(PREFIX + "/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request. Every path out of here has written an audit record, but for a plain 405."""
        if scope["method"] != "POST":
            await respond(send, 405, headers=((b"allow", b"POST"),))
            return
        call_id = str(uuid.uuid4())
        headers = Headers(scope["headers"])
        server = scope["path"][len(PREFIX) + 1 :] or self._default_server
        message: Message | None = None
        try:
            self._guard.check(headers)
            credentials = parse_authorization(headers.all(b"authorization"))
            check_media_types(headers)
            body = await read_body(receive, headers, limit=self._max_body_bytes)
            message = read_message(headers, parse(body))
            result = await self._dispatch(message, server, call_id, credentials)
        except ClientGone:
            return
        except CountersignError as error:
            # The walk and the listing write their own records; what ended before them is recorded here.
            if message is None or message.method not in ("tools/call", "tools/list") or _not_walked(error):
                await self._house.books.rejected(
                    call_id=call_id, server=server, error=error, method=_method(message)
                )
            await self._refuse(send, error, message, call_id)
            return
        except Exception:  # noqa: BLE001 - the last line of defence: a defect is answered, not leaked
            # A defect of ours. The caller learns the call id and nothing else; the log has the rest.
            _LOG.exception("internal error in call %s", call_id)
            internal = CountersignError("The gateway failed; the operator finds this call id in the log.")
            await self._house.books.rejected(
                call_id=call_id, server=server, error=internal, method=_method(message)
            )
            await self._refuse(send, internal, message, call_id)
            return
        if result is None:
            await respond(send, 202)
            return
        await respond(send, 200, _ENCODER.encode({"jsonrpc": "2.0", "id": _rpc_id(message), **result}))

    async def _dispatch(
        self, message: Message, server: str, call_id: str, credentials: Credentials
    ) -> dict[str, Any] | None:
        """One message -> ``{"result": ...}`` or ``{"error": ...}``, or None where nothing is answered."""
        if message.method == "tools/call" and message.wants_answer:
            return await self._call(message, server, call_id, credentials)
        if message.method == "tools/list" and message.wants_answer:
            return {"result": await self._list(message, server, call_id, credentials)}
        await self._house.identity.identify(credentials)
        if server not in self._house.catalog.servers():
            raise UnknownTool(
                f"There is no server {server[:64]!r} behind this gateway.", code="catalog.unknown_server"
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

    async def _call(
        self, message: Message, server: str, call_id: str, credentials: Credentials
    ) -> dict[str, Any]:
        call = read_tool_call(
            message, server=server, call_id=call_id, received_at=self._now(), credentials=credentials
        )
        answer = await walk(call, self._house)
        if isinstance(answer, Executed) and answer.result is None:
            return {"error": answer.error}
        return {"result": result_of(answer, message.era, version=self._version)}

    async def _list(
        self, message: Message, server: str, call_id: str, credentials: Credentials
    ) -> dict[str, Any]:
        tools = await list_tools(
            self._house,
            call_id=call_id,
            server=server,
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

    async def _refuse(
        self, send: Send, error: CountersignError, message: Message | None, call_id: str
    ) -> None:
        status = error.http_status
        headers: tuple[tuple[bytes, bytes], ...] = ()
        if isinstance(error, Unauthenticated):
            challenge = www_authenticate(_oauth_error(error), resource_metadata=self._resource_metadata)
            headers = ((b"www-authenticate", challenge.encode("latin-1")),)
        elif message is not None and message.era is Era.LEGACY and status in (400, 404):
            # Older hosts read a JSON-RPC error only from a 200; the request was a fine HTTP request.
            status = 200 if message.wants_answer else status
        body = {
            "jsonrpc": "2.0",
            "id": _rpc_id(message),
            "error": {
                "code": error.rpc_code,
                "message": error.message,
                "data": {**error.data, "call_id": call_id},
            },
        }
        await respond(send, status, _ENCODER.encode(body), headers=headers)


def _rpc_id(message: Message | None) -> str | int | None:
    return message.rpc_id if message is not None else None


def _method(message: Message | None) -> str | None:
    return message.method if message is not None else None


def _not_walked(error: CountersignError) -> bool:
    """A ``tools/call`` that was no proper call ended before the walk opened its record."""
    return isinstance(error, MalformedRequest) and error.code == "door.params"


def _oauth_error(error: Unauthenticated) -> ChallengeError | None:
    match error.oauth_error if isinstance(error, CredentialRefused) else "invalid_token":
        case "invalid_request":
            return "invalid_request"
        case None:
            return None
        case _:
            return "invalid_token"
