"""The simulated PayPal on a real socket, able to cut connections like a failing network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.upstream.paypal.simulator.app import ABORT_EXTENSION, create_simulator
from gateway.upstream.paypal.simulator.paypal import PayPalSimulator

_PATIENCE = 1
"""Seconds that answers in the making have when serving ends."""


class _CuttableProtocol(H11Protocol):
    """uvicorn's own protocol; the app additionally gets a way to abort the transport."""

    # uvicorn narrows the parameter in the same way
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        served: Any = self.app

        async def with_abort(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = {**scope.get("extensions", {}), ABORT_EXTENSION: transport.abort}
            await served({**scope, "extensions": extensions}, receive, send)

        self.app = with_abort


async def serve_simulator(
    host: str = "127.0.0.1",
    port: int = 8900,
    *,
    simulator: PayPalSimulator | None = None,
    started: asyncio.Future[int] | None = None,
    unsafe_anywhere: bool = False,
) -> None:
    """Serve until cancelled. ``started`` is given the port that was bound (ask for port 0 to get a free one).

    ``unsafe_anywhere`` is for a container whose network is private: ``/_simulator`` asks for no password.
    :raises ValueError: for a host that is not loopback, without it. :raises OSError: the port is taken.
    """
    if not unsafe_anywhere and host not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("the simulator is served on a loopback address only")
    config = uvicorn.Config(
        create_simulator(simulator),
        host=host,
        port=port,
        http=_CuttableProtocol,
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=_PATIENCE,
    )
    server = _Server(config, started)
    serving = asyncio.ensure_future(server.serve())
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True  # cancelling uvicorn itself would leave its sockets open
        await serving
        raise


class _Server(uvicorn.Server):
    """Tells the port once it listens; leaves signals to whoever owns the process."""

    def __init__(self, config: uvicorn.Config, announced: asyncio.Future[int] | None) -> None:
        super().__init__(config)
        self._announced = announced

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().serve(sockets)
        except SystemExit:  # uvicorn has said why, and would end the process in a way of its own
            raise OSError(f"cannot listen on {self.config.host}:{self.config.port}") from None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._announced is not None and not self._announced.done() and self.servers:
            self._announced.set_result(self.servers[0].sockets[0].getsockname()[1])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
