"""Gateways as real processes: ``countersign serve`` with a config file, several over one store."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import msgspec
import yaml

from gateway.identity.static import hash_static_token
from gateway.state.open import open_store
from gateway.state.store import Store
from gateway.upstream.paypal.simulator.paypal import PayPalSimulator
from gateway.upstream.paypal.simulator.serve import serve_simulator
from tests.support.house import AGENT_TOKEN, MODERN, MODERN_META
from tests.support.ports import free_port
from tests.support.until import until_answered

STOP_DEADLINE_S = 15


@dataclass(kw_only=True)
class GatewayProcess:
    """One running ``countersign serve``."""

    url: str
    process: subprocess.Popen[bytes] = field(repr=False)
    http: httpx.AsyncClient = field(repr=False)

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, state: str | None = None, legacy: bool = False
    ) -> dict[str, Any]:
        """One ``tools/call`` of the agent."""
        headers, body = request_of(tool, arguments, state=state, legacy=legacy)
        answer = await self.http.post(f"{self.url}/mcp", content=body, headers=headers)
        found: dict[str, Any] = answer.json()
        return found

    def kill(self) -> None:
        """SIGKILL: it does nothing more, not even say so."""
        self.process.kill()
        self.process.wait()

    async def ready(self) -> bool:
        """Whether it could do its job now. :raises AssertionError: it has ended."""
        assert self.process.poll() is None, f"the gateway at {self.url} ended"
        try:
            return (await self.http.get(f"{self.url}/readyz")).status_code == 200
        except httpx.TransportError:
            return False


class Start(Protocol):
    """Starts a further gateway; it is not ready yet."""

    def __call__(self, state: str = ..., paypal: int = ...) -> GatewayProcess:
        """``state``: a store's URL; ``paypal``: a port of loopback."""
        ...


@dataclass(kw_only=True)
class Gateways:
    """Gateways over one store, the PayPal that all of them reach, and a further handle on the store."""

    all: list[GatewayProcess]
    simulator: PayPalSimulator
    store: Store
    paypal_port: int
    folder: Path
    start: Start = field(repr=False)
    """One more, in the background: its state URL and its way to PayPal may lead through a gate."""


def request_of(
    tool: str, arguments: Mapping[str, Any], *, state: str | None = None, legacy: bool = False
) -> tuple[dict[str, str], bytes]:
    """Headers and body of one ``tools/call`` of the agent."""
    params: dict[str, Any] = {"name": tool, "arguments": dict(arguments)}
    headers = {"authorization": f"Bearer {AGENT_TOKEN}", "content-type": "application/json"}
    if legacy:
        headers["mcp-protocol-version"] = "2025-11-25"
    else:
        params["_meta"] = MODERN_META
        headers |= {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": tool}
    if state is not None:
        params["requestState"] = state
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return headers, msgspec.json.encode(body)


@asynccontextmanager
async def gateways(folder: Path, state_url: str, count: int = 2, **sections: Any) -> AsyncIterator[Gateways]:
    """``count`` gateways with the default policy, started together; all of it gone afterwards.

    ``sections`` are top-level settings.
    """
    async with AsyncExitStack() as stack:
        simulator = PayPalSimulator()
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.ensure_future(serve_simulator("127.0.0.1", 0, simulator=simulator, started=started))
        stack.push_async_callback(_cancelled, serving)
        limits = httpx.Limits(max_connections=200)
        numbers = itertools.count()
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=60, trust_env=False, limits=limits))
        port = await started

        def start(state: str = state_url, paypal: int = port) -> GatewayProcess:
            return _start(stack, folder, next(numbers), state, paypal, http, sections)

        running = [start() for _ in range(count)]
        for one in running:
            await until_answered(one.ready)
        store = open_store(state_url)
        stack.push_async_callback(store.aclose)
        yield Gateways(
            all=running, simulator=simulator, store=store, paypal_port=port, folder=folder, start=start
        )


def _start(
    stack: AsyncExitStack,
    folder: Path,
    number: int,
    state_url: str,
    paypal: int,
    http: httpx.AsyncClient,
    sections: Mapping[str, Any],
) -> GatewayProcess:
    url = f"http://127.0.0.1:{free_port()}"
    config = folder / f"gateway-{number}.yaml"
    token = {"sha256": hash_static_token(AGENT_TOKEN), "subject": "agent-one", "roles": ["agent"]}
    settings = {
        "listen": url.removeprefix("http://"),
        "public_url": url,
        "paypal": {
            "client_id": "simulator-client",
            "client_secret": "simulator-secret",
            "base_url": f"http://127.0.0.1:{paypal}",
        },
        "state": {"url": state_url},
        "policy": {"timeout_s": 10},
        "audit": {"path": str(folder / "audit.jsonl")},
        "confirm": {"hold_seconds": 0},
        # Tests ask as often as they like; those about limits set their own.
        "rates": {"requests_per_minute": 0, "sensitive_per_minute": 0},
        "identity": {"tokens": [token]},
        **sections,
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    log = stack.enter_context((folder / f"gateway-{number}.log").open("wb"))
    command = [str(Path(sys.executable).with_name("countersign")), "serve", "--config", str(config)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    stack.callback(_ended, process)
    return GatewayProcess(url=url, process=process, http=http)


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
