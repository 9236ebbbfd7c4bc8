"""An MCP server in our own process, as an upstream: the PayPal adapter. One path with every other upstream.

A defect in the server is met here: before it, nobody could say whether it had sent something, so the outcome of a
call that broke is unknown (invariant 4), never an exception that looks like a failure.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from gateway.door.call import Era
from gateway.door.host import NOBODY, Host
from gateway.door.protocol import LEGACY
from gateway.errors import UpstreamUnavailable
from gateway.upstream.reply import own_reply
from gateway.upstream.target import TRANSACTION_META_KEY, About, Effect, Reply, Resumed

_INFO = {"name": "countersign", "version": "0"}
_RPC_ID = 1
"""One message at a time goes through ``handle``: ids have nothing to tell apart."""
_LOG = logging.getLogger("countersign.upstream")


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

    async def about(self) -> About:
        """Tools, and nothing else."""
        params = {"protocolVersion": LEGACY[0], "capabilities": {}, "clientInfo": _INFO}
        result = ((await self._handled("initialize", params)) or {}).get("result")
        if not isinstance(result, dict):
            raise UpstreamUnavailable(f"The server {self.name!r} did not answer initialize.")
        return About(
            era=Era.LEGACY,
            protocol=LEGACY[0],
            capabilities=result.get("capabilities") or {},
            instructions=result.get("instructions"),
        )

    async def definitions(self) -> list[dict[str, Any]]:
        """The server's ``tools/list``."""
        response = await self._handled("tools/list", {})
        result = response.get("result") if response is not None else None
        tools = result.get("tools") if isinstance(result, dict) else None
        if not isinstance(tools, list):
            raise UpstreamUnavailable(f"The server {self.name!r} gave no list of tools.")
        return tools

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        transaction_id: str,
        meta: Mapping[str, Any],
        host: Host = NOBODY,
        resumed: Resumed | None = None,
    ) -> Reply:
        """One ``tools/call``; the transaction id rides in ``_meta`` and becomes the target's idempotency key."""
        # What the host attached means nothing to a server that speaks REST behind; it says and asks nothing either.
        del meta, host, resumed
        response = await self._handled(
            "tools/call",
            {
                "name": tool,
                "arguments": dict(arguments),
                "_meta": {TRANSACTION_META_KEY: transaction_id},
            },
        )
        if response is None:
            return Reply(effect=Effect.UNKNOWN)
        error, result = response.get("error"), response.get("result")
        if isinstance(error, dict):
            return Reply(effect=Effect.REFUSED, error=error, is_error=True)
        return own_reply(result) if isinstance(result, dict) else Reply(effect=Effect.UNKNOWN)

    async def request(
        self, method: str, params: Mapping[str, Any], *, host: Host = NOBODY, resumed: Resumed | None = None
    ) -> Reply:
        """Any other request; a server of ours has tools and nothing else, and says so itself."""
        del host, resumed
        sent = {key: value for key, value in params.items() if key != "_meta"}
        response = await self._handled(method, sent)
        error, result = (response or {}).get("error"), (response or {}).get("result")
        if isinstance(error, dict):
            return Reply(effect=Effect.REFUSED, error=error, is_error=True)
        if not isinstance(result, dict):
            raise UpstreamUnavailable(f"The server {self.name!r} did not answer {method}.")
        return Reply(effect=Effect.EXECUTED, result=msgspec.Raw(msgspec.json.encode(result)))

    async def tell(self, method: str, params: Mapping[str, Any], *, host: Host) -> None:
        """A server without state has nothing to learn of a host."""

    async def listen(self, params: Mapping[str, Any], *, host: Host) -> None:
        """It says nothing on its own account: its tools change with a release."""
        del params, host
        raise UpstreamUnavailable(f"The server {self.name!r} has no stream.", code="upstream.no_stream")

    async def forget(self, key: str) -> None:
        """Nothing was kept."""

    async def _handled(self, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        """The server's response; None: it gave none, or broke on the way to one."""
        request = {"jsonrpc": "2.0", "id": _RPC_ID, "method": method, "params": params}
        try:
            return await self._server.handle(request)
        except Exception:  # noqa: BLE001 - nobody can say how far it got: not "nothing happened"
            _LOG.exception("the server %r broke in %s", self.name, method)
            return None

    async def aclose(self) -> None:
        """Close the server."""
        await self._server.aclose()
