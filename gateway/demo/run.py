"""The demo's stage: simulator, rogue server and gateway on real sockets in one process, in a folder that goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec

from gateway.app import Gateway, open_gateway
from gateway.console.login import mint_login
from gateway.demo.agent import Agent, connect
from gateway.demo.approver import ScriptedHuman
from gateway.demo.rogue import Rogue
from gateway.demo.story import STEPS, Step
from gateway.demo.table import Row
from gateway.identity.static import StaticToken, hash_static_token
from gateway.serving import serving
from gateway.settings import Settings
from gateway.settings.model import (
    AuditSettings,
    Hidden,
    IdentitySettings,
    PayPalSettings,
    StateSettings,
    UpstreamSettings,
)
from gateway.upstream.paypal.simulator.serve import serve_simulator

UNSAFE_DEMO_TOKEN = "unsafe-demo-token-never-use-outside-the-demo"  # noqa: S105 - its name says it
"""The bearer token of the demo's agent. It is in this file, so it is worth nothing anywhere else."""
HUMAN = "demo-human"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything is: URLs without a trailing slash."""

    gateway_url: str
    simulator_url: str
    token: str
    audit_path: Path


@asynccontextmanager
async def open_stage(folder: Path, *, port: int) -> AsyncIterator[tuple[Stage, Gateway]]:
    """Everything running on loopback. ``port`` 0 picks a free one for the gateway."""
    async with AsyncExitStack() as stack:
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        await _background(stack, serve_simulator("127.0.0.1", 0, started=started))
        simulator_url = f"http://127.0.0.1:{await started}"
        rogue_port = await stack.enter_async_context(serving(Rogue().app(), lifespan=True))
        rogue_url = f"http://127.0.0.1:{rogue_port}/mcp"

        # The gateway's public URL holds its port, so a free one is picked before it is wired.
        port = port or await free_port()
        settings = _settings(folder, port, simulator_url, rogue_url)
        gateway = await stack.enter_async_context(open_gateway(settings))
        await stack.enter_async_context(serving(gateway, port=port))
        yield (
            Stage(
                gateway_url=settings.public_url,
                simulator_url=simulator_url,
                token=UNSAFE_DEMO_TOKEN,
                audit_path=Path(settings.audit.path),
            ),
            gateway,
        )


async def play(
    stage: Stage,
    login_url: str,
    *,
    report: Callable[[Row], None],
    steps: tuple[Step, ...] = STEPS,
) -> list[Row]:
    """Play the story; ``report`` hears of each step as it ends."""
    rows: list[Row] = []
    human = ScriptedHuman(login_url)
    url = f"{stage.gateway_url}/mcp"
    try:
        async with (
            httpx.AsyncClient(base_url=stage.simulator_url, trust_env=False) as simulator,
            connect(url, stage.token) as paypal,
            connect(f"{url}/rogue", stage.token) as rogue,
        ):
            agent = Agent({"paypal": paypal, "rogue": rogue}, human)
            for step in steps:
                seen = len(_audit_lines(stage.audit_path))
                calls = len(await _calls(simulator))
                ending = await agent.play(step)
                made = (await _calls(simulator))[calls:]
                row = Row(
                    step=step,
                    ending=ending,
                    records=tuple(_closing(_audit_lines(stage.audit_path)[seen:])),
                    effects=tuple(_effect(call) for call in made if call["method"] in WRITES),
                    reads=tuple(_effect(call) for call in made if call["method"] not in WRITES),
                )
                rows.append(row)
                report(row)
    finally:
        await human.aclose()
    return rows


async def _calls(simulator: httpx.AsyncClient) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = (await simulator.get("/_simulator/calls")).json()["calls"]
    return calls


async def login_link(gateway: Gateway, stage: Stage) -> str:
    """A one-time link to the console for the demo's approver."""
    token = await mint_login(gateway.store, subject=HUMAN, roles=("approver",))
    return f"{stage.gateway_url}/console/login/{token}"


async def free_port() -> int:
    """A port that was free a moment ago."""
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


def _settings(folder: Path, port: int, simulator_url: str, rogue_url: str) -> Settings:
    return Settings(
        listen=f"127.0.0.1:{port}",
        public_url=f"http://127.0.0.1:{port}",
        paypal=PayPalSettings(
            client_id="simulator-client", client_secret=Hidden("simulator-secret"), base_url=simulator_url
        ),
        upstreams={"rogue": UpstreamSettings(url=rogue_url)},
        state=StateSettings(url=f"sqlite:///{folder / 'state.sqlite3'}"),
        audit=AuditSettings(path=str(folder / "audit.jsonl")),
        identity=IdentitySettings(
            tokens=(
                StaticToken(
                    sha256=hash_static_token(UNSAFE_DEMO_TOKEN), subject="demo-agent", roles=("agent",)
                ),
            )
        ),
    )


async def _background(stack: AsyncExitStack, running: Any) -> None:
    """Run until the stage closes."""
    task = asyncio.ensure_future(running)

    async def stop() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(stop)


def _audit_lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


def _closing(lines: list[bytes]) -> list[dict[str, Any]]:
    """The records of tool calls that say how the call ended."""
    records = [msgspec.json.decode(line) for line in lines]
    inner = [record.get("record", record) for record in records]
    return [one for one in inner if one.get("phase") == "call" and one.get("status") != "opened"]


def _effect(call: dict[str, Any]) -> str:
    return f"{call['method']} {call['path']}"
