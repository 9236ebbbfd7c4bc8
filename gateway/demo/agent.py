"""The scripted agent: a real MCP client (the Python SDK, 2026-07-28 over streamable HTTP) and a scripted approver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import httpx2
import msgspec
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Implementation, InputRequiredResult

from gateway.demo.story import Step

AGENT = Implementation(name="countersign-demo-agent", version="1")


class Approver(Protocol):
    """The second party of the demo."""

    async def approve(self, url: str) -> None:
        """Log in to the console, look at the call behind ``url``, confirm it."""
        ...


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a step ended: ``status`` executed or refused, and the reason codes that the agent was told."""

    status: str
    rounds: tuple[str, ...]
    codes: tuple[str, ...] = ()


@asynccontextmanager
async def connect(url: str, token: str) -> AsyncIterator[Client]:
    """A client of the modern era with a bearer token."""
    async with (
        httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=30, trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http), mode="2026-07-28", client_info=AGENT) as client,
    ):
        yield client


class Agent:
    """Plays one step after another. ``clients`` are by server name."""

    def __init__(self, clients: Mapping[str, Client], approver: Approver) -> None:
        self._clients = clients
        self._approver = approver
        self._acts: dict[str, Callable[[Step], Awaitable[Ending]]] = {
            "call": self._call,
            "handshake": self._handshake,
            "confirm": self._confirm,
            "tamper": self._tamper,
            "replay": self._replay,
        }

    async def play(self, step: Step) -> Ending:
        """Do what the step says. A refusal is an ending, not an exception."""
        try:
            return await self._acts[step.act](step)
        except MCPError as refusal:
            return Ending(status="refused", rounds=("refused",), codes=_codes(refusal.error.data))

    async def _call(self, step: Step) -> Ending:
        return _ending(await self._send(step, step.arguments), ())

    async def _handshake(self, step: Step) -> Ending:
        first = await self._send(step, step.arguments)
        if not isinstance(first, InputRequiredResult):
            return _ending(first, ())
        second = await self._send(step, step.arguments, state=first.request_state)
        return _ending(second, (_status(first),))

    async def _confirm(self, step: Step) -> Ending:
        rounds: list[str] = []
        asked = False
        result = await self._send(step, step.arguments)
        while isinstance(result, InputRequiredResult) and len(rounds) < 10:
            if not rounds or rounds[-1] != _status(result):
                rounds.append(_status(result))
            url = _said(result).get("approve_url")
            again = self._send(step, step.arguments, state=result.request_state)
            if url is None or asked:
                result = await again
            else:
                # The host repeats by itself while a person decides; here both happen at once.
                asked = True
                result, _ = await asyncio.gather(again, self._approver.approve(url))
        return _ending(result, tuple(rounds))

    async def _tamper(self, step: Step) -> Ending:
        first = await self._send(step, step.arguments)
        if not isinstance(first, InputRequiredResult):
            return _ending(first, ())
        changed = {**step.arguments, "amount": {"currency_code": "USD", "value": "99.00"}}
        return await self._last_try(step, changed, first.request_state, (_status(first),))

    async def _replay(self, step: Step) -> Ending:
        first = await self._send(step, step.arguments)
        if not isinstance(first, InputRequiredResult):
            return _ending(first, ())
        second = await self._send(step, step.arguments, state=first.request_state)
        rounds = (_status(first), _ending(second, ()).status)
        return await self._last_try(step, step.arguments, first.request_state, rounds)

    async def _last_try(
        self, step: Step, arguments: dict[str, Any], state: str | None, rounds: tuple[str, ...]
    ) -> Ending:
        try:
            return _ending(await self._send(step, arguments, state=state), rounds)
        except MCPError as refusal:
            return Ending(status="refused", rounds=(*rounds, "refused"), codes=_codes(refusal.error.data))

    async def _send(
        self, step: Step, arguments: dict[str, Any], *, state: str | None = None
    ) -> CallToolResult | InputRequiredResult:
        result = await self._clients[step.server].session.call_tool(
            step.tool, arguments, request_state=state, allow_input_required=True
        )
        assert isinstance(result, CallToolResult | InputRequiredResult)
        return result


def _said(result: CallToolResult | InputRequiredResult) -> dict[str, Any]:
    said = (result.meta or {}).get("dev.countersign/decision", {})
    return said if isinstance(said, dict) else {}


def _status(result: InputRequiredResult) -> str:
    return str(_said(result).get("status", "input_required"))


def _ending(result: CallToolResult | InputRequiredResult, rounds: tuple[str, ...]) -> Ending:
    if isinstance(result, InputRequiredResult):
        return Ending(status="waiting", rounds=(*rounds, "waiting"), codes=_codes(_said(result)))
    status = "refused" if result.is_error else "executed"
    return Ending(status=status, rounds=(*rounds, status), codes=_codes(_said(result)))


def _codes(data: Any) -> tuple[str, ...]:
    if not isinstance(data, dict):
        return ()
    reasons = data.get("reasons")
    if isinstance(reasons, list):
        return tuple(str(one.get("code")) for one in reasons if isinstance(one, dict))
    return (str(data["code"]),) if "code" in data else ()
