"""One JSON-RPC message -> what is answered, by method. The walk, the listing and the passage do the judging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from gateway.door.answers import more_input, result_of
from gateway.door.call import Era
from gateway.door.exchange import Exchange
from gateway.door.message import Message
from gateway.door.pages import page_of
from gateway.door.passing import error_of, pass_on
from gateway.door.protocol import (
    LIST_TTL_MS,
    META_SERVER,
    agreed_version,
    discover_result,
    initialize_result,
    server_info,
)
from gateway.door.session import Session, Sessions
from gateway.door.step_up import step_up
from gateway.door.tool_call import read_round, read_tool_call
from gateway.errors import MalformedRequest, UnknownMethod
from gateway.identity.challenge import Access
from gateway.listing import list_tools
from gateway.outcome.answer import Executed
from gateway.passage import GONE_IN_MODERN, LISTEN, PASSED, Request, pass_request, upstream_of
from gateway.upstream.target import Upstream
from gateway.walk import House, walk

CANCELLED: Final = "notifications/cancelled"
_FOR_US: Final = frozenset({"notifications/initialized", "notifications/progress"})
"""Notifications that end here: the one opens our own session, the other speaks of requests that we made."""

Answered = dict[str, Any]
"""``{"result": ...}`` or ``{"error": ...}``."""


class Dispatch:
    """The methods of this door."""

    def __init__(
        self,
        house: House,
        sessions: Sessions,
        *,
        access: Access,
        version: str,
        now: Callable[[], float],
    ) -> None:
        self._access = access
        self._house = house
        self._sessions = sessions
        self._version = version
        self._now = now

    async def request(self, exchange: Exchange, message: Message) -> Answered:
        """One request that is answered once. (``subscriptions/listen`` is not: ``endpoint.py``.)"""
        method, modern = message.method, message.era is Era.MODERN
        if method == "tools/call":
            return await self._call(exchange, message)
        if method == "tools/list":
            return {"result": await self._list(exchange, message)}
        if method in PASSED and not (modern and method in GONE_IN_MODERN):
            return await self._pass(exchange, message)
        caller = await self._house.identity.identify(exchange.credentials)
        upstream = upstream_of(self._house, exchange.server)
        if method == "server/discover" and modern:
            about = await upstream.about()
            return {"result": discover_result(self._version, about.capabilities, about.instructions)}
        if method == "initialize" and not modern:
            return {"result": await self._initialize(exchange, message, upstream, caller.principal)}
        if method == "ping" and not modern:
            return {"result": {}}
        raise UnknownMethod(f"The method {str(method)[:64]!r} is not served here.")

    async def notification(self, exchange: Exchange, message: Message) -> None:
        """One notification. What concerns no request of ours and no server is accepted and forgotten."""
        await self._house.identity.identify(exchange.credentials)
        upstream = upstream_of(self._house, exchange.server)
        session = exchange.session
        if session is None or message.method is None or message.method in _FOR_US:
            return
        if message.method == CANCELLED:
            session.cancel(message.params.get("requestId"))
            return
        assert exchange.channel is not None
        await upstream.tell(message.method, message.params, host=exchange.channel)

    def response(self, exchange: Exchange, message: Message) -> None:
        """The host's answer to a question of its server. :raises MalformedRequest: to nothing that was asked."""
        if exchange.session is None:
            raise MalformedRequest(
                "A response belongs to a session; send Mcp-Session-Id.", code="door.response_unknown"
            )
        exchange.session.answered(message.rpc_id, message.response)

    def passage(self, exchange: Exchange, message: Message, method: str) -> Request:
        """The message as a request that the policy judges as such."""
        token, responses = read_round(message.params) if message.era is Era.MODERN else (None, {})
        return Request(
            call_id=exchange.call_id,
            received_at=self._now(),
            server=exchange.server,
            method=method,
            params={
                key: value
                for key, value in message.params.items()
                if key not in ("requestState", "inputResponses")
            },
            era=message.era,
            protocol=message.protocol,
            client=exchange.client,
            credentials=exchange.credentials,
            token=token,
            input_responses=responses,
        )

    async def _call(self, exchange: Exchange, message: Message) -> Answered:
        channel = exchange.channel
        assert channel is not None
        call = read_tool_call(
            message,
            server=exchange.server,
            call_id=exchange.call_id,
            received_at=self._now(),
            credentials=exchange.credentials,
            client=exchange.client,
            param_headers=channel.param_headers,
        )
        exchange.recorded = True
        answer = await walk(call, self._house, channel)
        missing = step_up(answer, self._access)
        if missing is not None:
            raise missing
        if isinstance(answer, Executed) and answer.result is None:
            error = error_of(answer.error or {}, message.era, receipt=answer.about.receipt)
            return {"error": error}
        return {"result": result_of(answer, message.era, version=self._version)}

    async def _list(self, exchange: Exchange, message: Message) -> dict[str, Any]:
        exchange.recorded = True
        tools = await list_tools(
            self._house,
            call_id=exchange.call_id,
            server=exchange.server,
            era=message.era,
            protocol=message.protocol,
            credentials=exchange.credentials,
        )
        page = page_of(tools, message.params.get("cursor"))
        if message.era is not Era.MODERN:
            return page
        return {
            "resultType": "complete",
            **page,
            "ttlMs": LIST_TTL_MS,
            # What a caller may see depends on who it is: never shared between access tokens.
            "cacheScope": "private",
            "_meta": {META_SERVER: server_info(self._version)},
        }

    async def _pass(self, exchange: Exchange, message: Message) -> Answered:
        request = self.passage(exchange, message, str(message.method))
        assert exchange.channel is not None
        exchange.recorded = True
        passed = await pass_request(request, self._house, exchange.channel)
        reply = passed.reply
        if reply.result is None:
            return {"error": error_of(reply.error or {}, message.era)}
        if passed.token is not None:
            return {"result": more_input(reply.result, passed.token, version=self._version)}
        return {
            "result": pass_on(
                reply.result,
                message.era,
                complete=reply.result_type is None,
                version=self._version,
                decision=None,
                private=True,
            )
        }

    async def _initialize(
        self, exchange: Exchange, message: Message, upstream: Upstream, principal: str
    ) -> dict[str, Any]:
        about = await upstream.about()
        agreed = agreed_version(message.params.get("protocolVersion"))
        capabilities = message.params.get("capabilities")
        exchange.opened = self._sessions.open(
            Session(
                principal=principal,
                server=exchange.server,
                protocol=agreed,
                client=message.client,
                capabilities=capabilities if isinstance(capabilities, dict) else {},
                now=self._now(),
            )
        )
        return initialize_result(agreed, self._version, about.capabilities, about.instructions)


def listens(message: Message) -> bool:
    """Whether this is the one request whose answer is a stream without end."""
    return message.method == LISTEN and message.era is Era.MODERN and message.wants_answer


def encoded(rpc_id: str | int | None, answered: Answered) -> bytes:
    """The JSON-RPC response."""
    return _ENCODER.encode({"jsonrpc": "2.0", "id": rpc_id, **answered})


_ENCODER = msgspec.json.Encoder()
