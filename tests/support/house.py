"""A whole gateway on real sockets: simulator, engine, store, audit; for tests that send what a host would send."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from gateway.app import Gateway, open_gateway
from gateway.console.login import mint_login
from gateway.identity.static import StaticToken, hash_static_token
from gateway.serving import serving
from gateway.settings import Settings
from gateway.settings.model import (
    ApprovalSettings,
    AuditSettings,
    ConfirmSettings,
    Hidden,
    IdentitySettings,
    PayPalSettings,
    PolicySettings,
    RateSettings,
    StateSettings,
    UpstreamSettings,
)
from gateway.upstream.paypal.simulator.exchange import RecordedCall
from gateway.upstream.paypal.simulator.paypal import PayPalSimulator
from gateway.upstream.paypal.simulator.serve import serve_simulator
from tests.support.ports import free_port

AGENT_TOKEN = "unsafe-test-token-of-the-agent-0001"
OTHER_TOKEN = "unsafe-test-token-of-another-agent-2"
MODERN = "2026-07-28"
MODERN_META: dict[str, Any] = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test-host", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
CAPTURES, ORDERS = "/v2/payments/captures/", "/v2/checkout/orders/"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class ShiftedClock:
    """The real time, and what a test adds to it: nobody waits for a token to expire."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Time passes for the gateway, not for its store (whose own expiry comes on top)."""
        self._ahead += seconds


def without_lookups(calls: Sequence[RecordedCall]) -> list[RecordedCall]:
    """Without the reads by which the gateway learns, before anything is judged, who would get a refund: a capture,
    which no tool reads, and its order. Reads that tell an amount are in: each has a test of its own."""
    seen = []
    for before, call in zip([None, *calls], calls, strict=False):
        follows = before is not None and before.path.startswith(CAPTURES) and call.path.startswith(ORDERS)
        if call.method != "GET" or not (call.path.startswith(CAPTURES) or follows):
            seen.append(call)
    return seen


@dataclass(kw_only=True)
class House:
    """One running gateway and what stands around it."""

    url: str
    gateway: Gateway
    simulator: PayPalSimulator
    audit_path: Path
    settings: Settings
    clock: ShiftedClock
    http: httpx.AsyncClient = field(repr=False)
    ids: int = 0

    async def rpc(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        token: str | None = AGENT_TOKEN,
        era: str = "modern",
        server: str = "",
        headers: Mapping[str, str] | None = None,
        capabilities: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """One well-formed JSON-RPC request of an era, as a host would send it."""
        self.ids += 1
        sent = dict(params or {})
        fields = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
        if token is not None:
            fields["authorization"] = f"Bearer {token}"
        if era == "modern":
            meta = {**MODERN_META, **sent.pop("_meta", {})}
            if capabilities is not None:
                meta["io.modelcontextprotocol/clientCapabilities"] = dict(capabilities)
            sent["_meta"] = meta
            fields |= {"mcp-protocol-version": MODERN, "mcp-method": method}
            if method == "tools/call":
                fields["mcp-name"] = str(sent.get("name"))
        else:
            fields["mcp-protocol-version"] = "2025-11-25"
        fields |= dict(headers or {})
        body = {"jsonrpc": "2.0", "id": self.ids, "method": method, "params": sent}
        path = f"/mcp/{server}" if server else "/mcp"
        return await self.http.post(path, content=msgspec.json.encode(body), headers=fields)

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, state: str | None = None, **how: Any
    ) -> dict[str, Any]:
        """One ``tools/call``; the whole JSON-RPC response."""
        params: dict[str, Any] = {"name": tool, "arguments": dict(arguments)}
        if state is not None:
            params["requestState"] = state
        params |= how.pop("more", {})
        response = await self.rpc("tools/call", params, **how)
        answer: dict[str, Any] = response.json()
        return answer

    @property
    def paypal_writes(self) -> list[str]:
        """What reached PayPal and could have changed something, in order (the token endpoint is not counted)."""
        return [f"{one.method} {one.path}" for one in self.simulator.calls if one.method in WRITES]

    @property
    def paypal_calls(self) -> int:
        """Everything that reached PayPal's API, but for what :func:`without_lookups` leaves out."""
        return len(self.paypal_seen)

    @property
    def paypal_seen(self) -> list[RecordedCall]:
        """The same, in order."""
        return without_lookups(self.simulator.calls)

    def records(self, phase: str = "call") -> list[dict[str, Any]]:
        """Audit records of a phase, in order, the ``opened`` ones included."""
        lines = [msgspec.json.decode(line) for line in self.audit_path.read_bytes().splitlines()]
        bodies = [line.get("record", line) for line in lines]
        return [one for one in bodies if one.get("phase") == phase]

    async def login(self, subject: str = "approver-one", roles: tuple[str, ...] = ("approver",)) -> str:
        """A one-time link to the console."""
        token = await mint_login(self.gateway.store, subject=subject, roles=roles, now=self.clock)
        return f"{self.url}/console/login/{token}"


@asynccontextmanager
async def running_house(
    folder: Path,
    *,
    policy: PolicySettings | None = None,
    state_url: str | None = None,
    upstreams: Mapping[str, str | UpstreamSettings] | None = None,
    hold_s: float = 0.0,
    port: int | None = None,
    **overrides: Any,
) -> AsyncIterator[House]:
    """A gateway on a free port (or this one), PayPal simulated, all of it gone afterwards.

    ``overrides`` are top-level settings.
    """
    async with AsyncExitStack() as stack:
        simulator = PayPalSimulator()
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        await _background(stack, serve_simulator("127.0.0.1", 0, simulator=simulator, started=started))
        simulator_url = f"http://127.0.0.1:{await started}"
        port = port or free_port()
        audit_path = folder / "audit.jsonl"
        settings = Settings(
            **{
                "listen": f"127.0.0.1:{port}",
                "public_url": f"http://127.0.0.1:{port}",
                "paypal": PayPalSettings(
                    client_id="simulator-client",
                    client_secret=Hidden("simulator-secret"),
                    base_url=simulator_url,
                ),
                "policy": policy or PolicySettings(reload=False, timeout_s=5),
                "upstreams": {
                    name: UpstreamSettings(url=one) if isinstance(one, str) else one
                    for name, one in (upstreams or {}).items()
                },
                "state": StateSettings(url=state_url or f"sqlite:///{folder / 'state.sqlite3'}"),
                "audit": AuditSettings(path=str(audit_path)),
                "confirm": ConfirmSettings(hold_seconds=hold_s),
                # Tests ask as often as they like, and approve through the store alone; those about limits and about
                # seals set their own.
                "approvals": ApprovalSettings(seal=False),
                "rates": RateSettings(
                    requests_per_minute=0,
                    sensitive_per_minute=0,
                    logins_per_minute=0,
                    strangers_per_minute=0,
                ),
                "identity": IdentitySettings(
                    tokens=(
                        agent(AGENT_TOKEN, "agent-one"),
                        agent(OTHER_TOKEN, "agent-two"),
                    )
                ),
                **overrides,
            }
        )
        clock = ShiftedClock()
        gateway = await stack.enter_async_context(open_gateway(settings, now=clock))
        await stack.enter_async_context(serving(gateway, port=port))
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=settings.public_url, timeout=30, trust_env=False)
        )
        yield House(
            url=settings.public_url,
            gateway=gateway,
            simulator=simulator,
            audit_path=audit_path,
            settings=settings,
            clock=clock,
            http=http,
        )


def agent(raw: str, subject: str) -> StaticToken:
    """A caller with a fixed token and the role that the default policy asks for."""
    return StaticToken(sha256=hash_static_token(raw), subject=subject, roles=("agent",))


async def _background(stack: AsyncExitStack, running: Any) -> None:
    task = asyncio.ensure_future(running)

    async def stop() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(stop)
