"""An MCP server in our own process, as an upstream: the PayPal adapter. One path with every other upstream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from gateway.errors import UpstreamUnavailable
from gateway.upstream.reply import own_reply
from gateway.upstream.target import TRANSACTION_META_KEY, Effect, Reply

_LEGACY_ID = 1
"""One message at a time goes through ``handle``: ids have nothing to tell apart."""


class MessageServer(Protocol):
    """What an in-process server must be able to do."""

    async def handle(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """One JSON-RPC message in, its response out."""
        ...

    async def aclose(self) -> None:
        """Close what is open."""
        ...


class InProcess:
    """An upstream that is called, not connected to."""

    def __init__(self, name: str, server: MessageServer) -> None:
        self.name = name
        self._server = server

    async def definitions(self) -> list[dict[str, Any]]:
        """The server's ``tools/list``."""
        response = await self._server.handle(_request("tools/list", {}))
        tools = (response or {}).get("result", {}).get("tools")
        if not isinstance(tools, list):
            raise UpstreamUnavailable(f"The server {self.name!r} gave no list of tools.")
        return tools

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, transaction_id: str, meta: Mapping[str, Any]
    ) -> Reply:
        """One ``tools/call``; the transaction id rides in ``_meta`` and becomes the target's idempotency key."""
        del meta  # what the host attached means nothing to a server that speaks REST behind
        response = await self._server.handle(
            _request(
                "tools/call",
                {
                    "name": tool,
                    "arguments": dict(arguments),
                    "_meta": {TRANSACTION_META_KEY: transaction_id},
                },
            )
        )
        if response is None:
            return Reply(effect=Effect.UNKNOWN)
        if "error" in response:
            return Reply(effect=Effect.REFUSED, error=response["error"], is_error=True)
        return own_reply(response["result"])

    async def aclose(self) -> None:
        """Close the server."""
        await self._server.aclose()


def _request(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": _LEGACY_ID, "method": method, "params": params}
