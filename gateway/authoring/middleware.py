"""ETDI around a server of the ``mcp`` SDK, as one middleware for its high-level and its low-level class.

``tools/list`` carries the blocks; ``tools/call`` by a twin's name reaches the tool it stands for; ``initialize`` and
``server/discover`` say that ETDI is spoken, and refuse a client that requires more than there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from mcp_types.version import LATEST_HANDSHAKE_VERSION, MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel

from gateway.authoring.errors import NegotiationFailed
from gateway.authoring.etdi import Etdi
from gateway.authoring.negotiation import Capability, negotiate, read_capability, with_capability

T = TypeVar("T")

NEWEST: Final = frozenset({LATEST_HANDSHAKE_VERSION, *MODERN_PROTOCOL_VERSIONS})
"""The protocol versions that show the whole of a definition."""
_CAPABILITIES_META: Final = "io.modelcontextprotocol/clientCapabilities"


class EtdiMiddleware:
    """See ``mcp.server.context.ServerMiddleware``. One per server."""

    def __init__(self, etdi: Etdi) -> None:
        self._etdi = etdi

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """One request, or a notification, which passes."""
        match ctx.method:
            case "tools/list":
                return await self._list(ctx, call_next)
            case "tools/call":
                return await call_next(await self._meant(ctx, call_next))
            case "initialize" | "server/discover":
                self._check(ctx)
                return self._said(ctx, _members(await call_next(ctx)))
            case _:
                return await call_next(ctx)

    async def _list(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> dict[str, Any]:
        result = _members(await call_next(ctx))
        listed = await self._etdi.listing(result.get("tools") or (), newest=ctx.protocol_version in NEWEST)
        made = {**result, "tools": list(listed.tools)}
        if listed.life_s is not None and isinstance(result.get("ttlMs"), int):
            # A client that keeps the listing must not keep a token beyond its end.
            made["ttlMs"] = min(result["ttlMs"], int(listed.life_s * 1000))
        return made

    async def _meant(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> ServerRequestContext[Any, Any]:
        """The call as the server knows it. After a restart a client may call what an earlier process listed."""
        params = ctx.params or {}
        name = params.get("name")
        if not isinstance(name, str):
            return ctx
        if not self._etdi.was_listed:
            kept = {"_meta": params["_meta"]} if "_meta" in params else {}
            await self._list(replace(ctx, method="tools/list", params=kept), call_next)
        meant = self._etdi.stands_for(name)
        if meant is None:
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {name}")
        return ctx if meant == name else replace(ctx, params={**params, "name": meant})

    def _check(self, ctx: ServerRequestContext[Any, Any]) -> None:
        if not self._etdi.options.capability:
            return
        params = ctx.params or {}
        said = params.get("capabilities")
        if ctx.method == "server/discover":
            said = (params.get("_meta") or {}).get(_CAPABILITIES_META)
        try:
            client = read_capability(said if isinstance(said, Mapping) else None)
            negotiate(client, self._own)
        except NegotiationFailed as problem:
            raise MCPError(code=problem.rpc_code, message=problem.message, data=problem.data) from None

    def _said(self, ctx: ServerRequestContext[Any, Any], result: dict[str, Any]) -> dict[str, Any]:
        if not self._etdi.options.capability or not isinstance(result.get("capabilities"), Mapping):
            return result
        modern = ctx.method == "server/discover"
        said = with_capability(result["capabilities"], self._own, client=False, modern=modern)
        return {**result, "capabilities": said}

    @property
    def _own(self) -> Capability:
        return Capability(providers=(self._etdi.oauth.info.type,))


def _members(result: HandlerResult) -> dict[str, Any]:
    if isinstance(result, BaseModel):
        return result.model_dump(by_alias=True, mode="json", exclude_none=True)
    return dict(result or {})
