"""Any MCP server over streamable HTTP, as an upstream. Raw JSON over the lean client: no SDK objects, no httpx.

The server's era is found out once: ``server/discover`` (2026-07-28), else ``initialize`` (legacy, with its session).
Requests and their headers are built in ``mcp_request.py``, which has never seen the caller's token.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl as tls
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.door.call import Era
from gateway.door.protocol import LEGACY, MODERN
from gateway.errors import INTERNAL_ERROR, UpstreamUnavailable
from gateway.http1.client import Http1Client
from gateway.http1.endpoint import Endpoint
from gateway.http1.errors import Http1Error, InvalidRequest, NotSent
from gateway.http1.message import Limits, Response
from gateway.upstream.mcp_request import (
    SESSION,
    ParamHeaders,
    Talk,
    body_of,
    fixed_headers,
    headers_of,
    param_headers_of,
    params_of,
    passed_on,
    session_of,
)
from gateway.upstream.reply import read_response
from gateway.upstream.sse import only_response
from gateway.upstream.target import TRANSACTION_META_KEY, Effect, Reply

MAX_PAGES = 50
"""Pages of one listing; a cursor that never ends is an attack on whoever follows it."""
MAX_LISTED = 5_000
"""Tools of one listing, all pages together; far above what the catalog takes."""
_SESSION_GONE = 404


class McpHttp:
    """One configured server. ``bearer`` is the gateway's own credential at that server."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        version: str,
        bearer: str | None = None,
        timeout_s: float = 30.0,
        max_connections: int = 64,
        ssl: tls.SSLContext | None = None,
    ) -> None:
        self.name = name
        endpoint, target = Endpoint.split(url)
        self._target = (target or "/").encode("ascii")
        self._client = Http1Client(endpoint, limits=Limits(connections=max_connections), ssl=ssl)
        self._timeout_s = timeout_s
        self._info = {"name": "countersign", "version": version}
        self._fixed = fixed_headers(bearer)
        self._ids = itertools.count(1)
        self._talk: Talk | None = None
        self._opening = asyncio.Lock()
        self._params: dict[str, ParamHeaders] = {}

    async def definitions(self) -> list[dict[str, Any]]:
        """All pages of ``tools/list``."""
        talk = await self._opened()
        tools: list[dict[str, Any]] = []
        cursor: Any = None
        for _ in range(MAX_PAGES):
            result = await self._ask(talk, "tools/list", {"cursor": cursor} if cursor else {})
            page = result.get("tools")
            if not isinstance(page, list) or len(tools) + len(page) > MAX_LISTED:
                break
            tools += [one for one in page if isinstance(one, dict)]
            cursor = result.get("nextCursor")
            if not isinstance(cursor, str) or not cursor:
                self._params = _param_headers(tools) if talk.era is Era.MODERN else {}
                return tools
        raise self._unavailable("gave no usable list of tools")

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, transaction_id: str, meta: Mapping[str, Any]
    ) -> Reply:
        """One ``tools/call``, sent at most once. What is not an answer after sending is *unknown*."""
        talk = await self._opened()
        params: dict[str, Any] = {
            "name": tool,
            "arguments": arguments,
            "_meta": {**passed_on(meta), TRANSACTION_META_KEY: transaction_id},
        }
        rpc_id = next(self._ids)
        try:
            response = await self._post(talk, "tools/call", params, rpc_id, name=tool)
        except (NotSent, InvalidRequest) as problem:
            raise self._unavailable("cannot be reached", code="upstream.not_sent") from problem
        except Http1Error:
            return Reply(effect=Effect.UNKNOWN)
        reply = read_response(_json_of(response, rpc_id), rpc_id=rpc_id)
        if reply is not None:
            return _finished(msgspec.structs.replace(reply, status=response.status))
        if self._session_gone(talk, response):
            # The session ended before this request: by the spec the server did not look at it.
            raise self._unavailable("ended our session; try again")
        return Reply(effect=Effect.UNKNOWN, status=response.status)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _opened(self) -> Talk:
        """How this server is talked to. Nobody else's request leaves before that is agreed."""
        if self._talk is not None:
            return self._talk
        async with self._opening:
            if self._talk is None:
                self._talk = await self._discovered() or await self._initialized()
            return self._talk

    async def _discovered(self) -> Talk | None:
        """None: this server does not know the modern era, or not our version of it."""
        talk = Talk(era=Era.MODERN, protocol=MODERN[0])
        try:
            versions = (await self._ask(talk, "server/discover", {})).get("supportedVersions")
        except UpstreamUnavailable as problem:
            if problem.code == "upstream.not_sent":
                raise
            return None
        return talk if isinstance(versions, list) and talk.protocol in versions else None

    async def _initialized(self) -> Talk:
        offer = Talk(era=Era.LEGACY, protocol=LEGACY[0])
        params = {"protocolVersion": offer.protocol, "capabilities": {}, "clientInfo": self._info}
        response, result = await self._asked(offer, "initialize", params)
        agreed = result.get("protocolVersion")
        if agreed not in LEGACY:
            raise self._unavailable("speaks no version that this gateway speaks")
        try:
            talk = Talk(era=Era.LEGACY, protocol=agreed, session=session_of(response.header(SESSION)))
            await self._post(talk, "notifications/initialized", {}, None)
        except (Http1Error, ValueError) as problem:
            raise self._unavailable("did not open a session") from problem
        return talk

    async def _ask(self, talk: Talk, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """A request whose answer is read whole. :raises UpstreamUnavailable: no result came."""
        _, result = await self._asked(talk, method, params)
        return result

    async def _asked(
        self, talk: Talk, method: str, params: dict[str, Any]
    ) -> tuple[Response, dict[str, Any]]:
        rpc_id = next(self._ids)
        try:
            response = await self._post(talk, method, params, rpc_id)
        except (NotSent, InvalidRequest) as problem:
            raise self._unavailable("cannot be reached", code="upstream.not_sent") from problem
        except Http1Error as problem:
            raise self._unavailable("did not answer") from problem
        reply = read_response(_json_of(response, rpc_id), rpc_id=rpc_id)
        if reply is None or reply.result is None:
            self._session_gone(talk, response)
            raise self._unavailable(f"did not answer {method}")
        try:
            result = msgspec.json.decode(reply.result, type=dict[str, Any])
        except (ValueError, RecursionError) as problem:
            raise self._unavailable(f"did not answer {method} in a form that can be read") from problem
        return response, result

    async def _post(
        self, talk: Talk, method: str, params: dict[str, Any], rpc_id: int | None, *, name: str | None = None
    ) -> Response:
        wanted = params_of(self._params.get(name), params["arguments"]) if name is not None else None
        return await self._client.request(
            b"POST",
            self._target,
            headers_of(talk, method, fixed=self._fixed, name=name, params=wanted),
            body_of(talk, method, params, rpc_id=rpc_id, client=self._info),
            timeout_s=self._timeout_s,
        )

    def _session_gone(self, talk: Talk, response: Response) -> bool:
        """Whether the answer says that our session is over. The next request opens another one."""
        if response.status != _SESSION_GONE or talk.session is None:
            return False
        if self._talk is talk:  # and not one that somebody opened in the meantime
            self._talk = None
        return True

    def _unavailable(self, what: str, *, code: str | None = None) -> UpstreamUnavailable:
        return UpstreamUnavailable(f"The server {self.name!r} {what}.", code=code)


def _param_headers(tools: list[dict[str, Any]]) -> dict[str, ParamHeaders]:
    found = {str(tool.get("name")): param_headers_of(tool.get("inputSchema")) for tool in tools}
    return {name: wanted for name, wanted in found.items() if wanted}


def _finished(reply: Reply) -> Reply:
    """A result that says it is not the end (``input_required``, ``task``) is not passed on: the host would bring its
    ``requestState`` back to us, as if it were ours. How far the server went is not known.
    """
    if reply.result_type in (None, "complete"):
        return reply
    said = {
        "code": INTERNAL_ERROR,
        "message": "The server asks for more input, which this gateway does not carry.",
    }
    return Reply(effect=Effect.UNKNOWN, error=said, is_error=True, status=reply.status)


def _json_of(response: Response, rpc_id: int) -> bytes:
    kind = (response.header(b"content-type") or b"").split(b";", 1)[0].strip().lower()
    return only_response(response.body, rpc_id) if kind == b"text/event-stream" else response.body
