"""The PayPal MCP server: one JSON-RPC message in, at most one out. Both eras, raw dicts, no SDK, no state.

Legacy (2024-11-05 to 2025-11-25): ``initialize``, ``ping``, ``tools/list``, ``tools/call``. Modern
(2026-07-28), when ``params._meta`` says so: ``server/discover``, the two tool methods, ``resultType`` and a
server stamp on each result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.errors import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, UNSUPPORTED_PROTOCOL_VERSION
from gateway.upstream.paypal.api import PayPalApi
from gateway.upstream.paypal.call import ToolCaller
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.lookups import LOOKUPS
from gateway.upstream.target import TRANSACTION_META_KEY

MODERN_VERSION = "2026-07-28"
LEGACY_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Newest first; the first is offered to a client that asks for one we do not know."""
VERSION_META_KEY = "io.modelcontextprotocol/protocolVersion"
SERVER_INFO_META_KEY = "io.modelcontextprotocol/serverInfo"
LIST_TTL_MS = 3_600_000
"""One hour: the tools change with a release and never while this runs."""

_INFO = {"name": "countersign-paypal", "title": "PayPal (by Countersign)", "version": "1.0.0"}
_CAPABILITIES: dict[str, Any] = {"tools": {}}
_INSTRUCTIONS = (
    "PayPal's REST API. Amounts are decimal strings. When a result says that the outcome is unknown, "
    "read the resource before you do anything again."
)
_CACHEABLE = {"ttlMs": LIST_TTL_MS, "cacheScope": "public"}


class _Refused(Exception):
    """A protocol error."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **({"data": data} if data else {})}


class PayPalServer:
    """28 PayPal tools as an MCP server. Stateless: calls may run side by side."""

    def __init__(self, api: PayPalApi, *, caller: ToolCaller | None = None) -> None:
        self._api = api
        self._caller = caller or ToolCaller(api)

    async def handle(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """One parsed JSON-RPC message -> its response, or None for a notification or a response.

        A ``tools/call`` without an id is a notification and is not carried out: nobody would learn its
        outcome.
        """
        request_id = message.get("id")
        if "method" not in message and ("result" in message or "error" in message):
            return None
        if "id" not in message and isinstance(message.get("method"), str):
            return None
        if isinstance(request_id, bool) or not isinstance(request_id, str | int):
            return _error_response(
                None, INVALID_REQUEST, "A request has an id that is a string or an integer."
            )
        try:
            result = await self._dispatch(message)
        except _Refused as refusal:
            return {"jsonrpc": "2.0", "id": request_id, "error": refusal.error}
        return {"jsonrpc": "2.0", "id": request_id, "result": result}

    async def aclose(self) -> None:
        """Close the connection to PayPal. Idempotent."""
        await self._api.aclose()

    async def _dispatch(self, message: Mapping[str, Any]) -> dict[str, Any]:
        method = message.get("method")
        params = message.get("params", {})
        if message.get("jsonrpc") != "2.0" or not isinstance(method, str):
            raise _Refused(INVALID_REQUEST, "This is not a JSON-RPC 2.0 request.")
        if not isinstance(params, Mapping):
            raise _Refused(INVALID_PARAMS, "params must be an object.")
        if _is_modern(params):
            return _stamped(await self._modern(method, params))
        return await self._legacy(method, params)

    async def _modern(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        match method:
            case "server/discover":
                about = {"capabilities": _CAPABILITIES, "instructions": _INSTRUCTIONS}
                return {"supportedVersions": [MODERN_VERSION, *LEGACY_VERSIONS], **about, **_CACHEABLE}
            case "tools/list":
                return {**_listed(params), **_CACHEABLE}
            case "tools/call":
                return await self._called(params)
            case _:
                raise _Refused(METHOD_NOT_FOUND, "This server has no such method.")

    async def _legacy(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        match method:
            case "initialize":
                return _initialized(params)
            case "ping":
                return {}
            case "tools/list":
                return _listed(params)
            case "tools/call":
                return await self._called(params)
            case _:
                raise _Refused(METHOD_NOT_FOUND, "This server has no such method.")

    async def _called(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name = params.get("name")
        # A lookup is called and never listed: the gateway's catalog knows nothing by that name, so only it can ask.
        tool = TOOLS.get(name) or LOOKUPS.get(name) if isinstance(name, str) else None
        if tool is None:
            raise _Refused(INVALID_PARAMS, "This server has no such tool.")
        arguments = params.get("arguments", {})
        if not isinstance(arguments, Mapping):
            raise _Refused(INVALID_PARAMS, "arguments must be an object.")
        return await self._caller.call(tool, arguments, _meta(params).get(TRANSACTION_META_KEY))


def _listed(params: Mapping[str, Any]) -> dict[str, Any]:
    if params.get("cursor") is not None:
        raise _Refused(INVALID_PARAMS, "This list has one page and issues no cursor.")
    return {"tools": [tool.wire for tool in TOOLS.values()]}


def _initialized(params: Mapping[str, Any]) -> dict[str, Any]:
    asked = params.get("protocolVersion")
    version = asked if asked in LEGACY_VERSIONS else LEGACY_VERSIONS[0]
    about = {"capabilities": _CAPABILITIES, "serverInfo": _INFO, "instructions": _INSTRUCTIONS}
    return {"protocolVersion": version, **about}


def _is_modern(params: Mapping[str, Any]) -> bool:
    version = _meta(params).get(VERSION_META_KEY)
    if version is None:
        return False
    if version != MODERN_VERSION:
        supported = {
            "supported": [MODERN_VERSION],
            "requested": version if isinstance(version, str) else None,
        }
        raise _Refused(UNSUPPORTED_PROTOCOL_VERSION, "This protocol version is not spoken here.", supported)
    return True


def _meta(params: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = params.get("_meta")
    return meta if isinstance(meta, Mapping) else {}


def _stamped(result: dict[str, Any]) -> dict[str, Any]:
    meta = {**result.get("_meta", {}), SERVER_INFO_META_KEY: _INFO}
    return {**result, "resultType": "complete", "_meta": meta}


def _error_response(request_id: str | int | None, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}
