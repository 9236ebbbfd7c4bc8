"""Any MCP server over streamable HTTP, as an upstream. Raw JSON over the lean client: no SDK objects, no httpx.

The server's era is found out once: ``server/discover`` (2026-07-28), else ``initialize`` (legacy, with its session).
The caller's token never goes there; the target's own credential, if any, is the only Authorization that leaves.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl as tls
from collections.abc import Mapping
from typing import Any

import msgspec
from mcp.shared.inbound import encode_header_value

from gateway.door.call import Era
from gateway.door.protocol import LEGACY, META_CAPABILITIES, META_CLIENT, META_PROTOCOL, MODERN
from gateway.errors import UpstreamUnavailable
from gateway.http1.client import Http1Client
from gateway.http1.endpoint import Endpoint
from gateway.http1.errors import Http1Error, NotSent
from gateway.http1.message import Limits, Response
from gateway.upstream.reply import read_response
from gateway.upstream.sse import last_response
from gateway.upstream.target import TRANSACTION_META_KEY, Effect, Reply

MAX_PAGES = 50
"""Pages of one listing; a cursor that never ends is an attack on whoever follows it."""
_ENCODER = msgspec.json.Encoder()
_SESSION = b"mcp-session-id"
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
        self._fixed: list[tuple[bytes, bytes]] = [
            (b"content-type", b"application/json"),
            (b"accept", b"application/json, text/event-stream"),
        ]
        if bearer:
            self._fixed.append((b"authorization", b"Bearer " + bearer.encode("ascii")))
        self._ids = itertools.count(1)
        self._era: Era | None = None
        self._protocol = ""
        self._session: bytes | None = None
        self._opening = asyncio.Lock()

    async def definitions(self) -> list[dict[str, Any]]:
        """All pages of ``tools/list``."""
        await self._open()
        tools: list[dict[str, Any]] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            result = await self._ask("tools/list", {"cursor": cursor} if cursor else {})
            page = result.get("tools")
            if not isinstance(page, list):
                break
            tools += [one for one in page if isinstance(one, dict)]
            cursor = result.get("nextCursor")
            if not isinstance(cursor, str):
                return tools
        raise UpstreamUnavailable(f"The server {self.name!r} gave no usable list of tools.")

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, transaction_id: str, meta: Mapping[str, Any]
    ) -> Reply:
        """One ``tools/call``, sent at most once. What is not an answer after sending is *unknown*."""
        await self._open()
        params: dict[str, Any] = {
            "name": tool,
            "arguments": arguments,
            "_meta": {**_passed_on(meta), TRANSACTION_META_KEY: transaction_id},
        }
        rpc_id = next(self._ids)
        try:
            response = await self._post("tools/call", params, rpc_id, name=tool)
        except NotSent as problem:
            raise UpstreamUnavailable(
                f"The server {self.name!r} cannot be reached.", code="upstream.not_sent"
            ) from problem
        except Http1Error:
            return Reply(effect=Effect.UNKNOWN)
        reply = read_response(_json_of(response, rpc_id), rpc_id=rpc_id)
        if reply is not None:
            return msgspec.structs.replace(reply, status=response.status)
        if response.status == _SESSION_GONE and self._session is not None:
            # The session ended before this request: by the spec the server did not look at it.
            self._era = None
            raise UpstreamUnavailable(f"The server {self.name!r} ended our session; try again.")
        return Reply(effect=Effect.UNKNOWN, status=response.status)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _is_open(self) -> bool:
        return self._era is not None

    async def _open(self) -> None:
        if self._is_open():
            return
        async with self._opening:
            if self._is_open():
                return
            self._session = None
            self._era, self._protocol = Era.MODERN, MODERN[0]
            try:
                if "supportedVersions" in await self._ask("server/discover", {}):
                    return
            except UpstreamUnavailable as problem:
                if problem.code == "upstream.not_sent":
                    self._era = None
                    raise
            self._era, self._protocol = Era.LEGACY, LEGACY[0]
            try:
                result = await self._ask(
                    "initialize",
                    {"protocolVersion": LEGACY[0], "capabilities": {}, "clientInfo": self._info},
                )
                agreed = result.get("protocolVersion")
                if agreed not in LEGACY:
                    raise UpstreamUnavailable(
                        f"The server {self.name!r} speaks no version that this gateway speaks."
                    )
                self._protocol = agreed
                await self._post("notifications/initialized", {}, None)
            except BaseException as problem:
                self._era = None
                if isinstance(problem, Http1Error):
                    raise UpstreamUnavailable(f"The server {self.name!r} did not answer.") from problem
                raise

    async def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """A request whose answer is read whole. :raises UpstreamUnavailable: no result came."""
        rpc_id = next(self._ids)
        try:
            response = await self._post(method, params, rpc_id)
        except NotSent as problem:
            raise UpstreamUnavailable(
                f"The server {self.name!r} cannot be reached.", code="upstream.not_sent"
            ) from problem
        except Http1Error as problem:
            raise UpstreamUnavailable(f"The server {self.name!r} did not answer.") from problem
        if method == "initialize":
            self._session = response.header(_SESSION)
        reply = read_response(_json_of(response, rpc_id), rpc_id=rpc_id)
        if reply is None or reply.result is None:
            if response.status == _SESSION_GONE and self._session is not None:
                self._era = None
            raise UpstreamUnavailable(f"The server {self.name!r} did not answer {method}.")
        result = msgspec.json.decode(reply.result)
        return result if isinstance(result, dict) else {}

    async def _post(
        self, method: str, params: dict[str, Any], rpc_id: int | None, *, name: str | None = None
    ) -> Response:
        headers = list(self._fixed)
        if self._era is Era.MODERN:
            params["_meta"] = {
                META_CAPABILITIES: {},
                META_CLIENT: self._info,
                **params.get("_meta", {}),
                META_PROTOCOL: self._protocol,
            }
            headers.append((b"mcp-method", method.encode()))
            if name is not None:
                headers.append((b"mcp-name", encode_header_value(name).encode("ascii")))
        if method != "initialize":
            headers.append((b"mcp-protocol-version", self._protocol.encode()))
        if self._session is not None:
            headers.append((_SESSION, self._session))
        body: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
        if rpc_id is not None:
            body["id"] = rpc_id
        return await self._client.request(
            b"POST", self._target, headers, _ENCODER.encode(body), timeout_s=self._timeout_s
        )


def _json_of(response: Response, rpc_id: int) -> bytes:
    kind = (response.header(b"content-type") or b"").split(b";", 1)[0].strip().lower()
    return last_response(response.body, rpc_id) if kind == b"text/event-stream" else response.body


_OURS_UPSTREAM = frozenset({META_PROTOCOL, META_CLIENT, META_CAPABILITIES})


def _passed_on(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The host's ``_meta`` less what describes the host's own connection: we are the client of this one.

    Passing the host's capabilities on would let the upstream ask for what only the host could answer.
    """
    return {key: value for key, value in meta.items() if key not in _OURS_UPSTREAM and key != "progressToken"}
