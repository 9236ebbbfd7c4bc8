"""uvicorn as this gateway wants it (perf.md: uvloop, httptools, no access log, no proxy headers, no server header)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

import uvicorn
from starlette.types import ASGIApp

T = TypeVar("T")

KEEP_ALIVE_S = 30
"""Idle seconds before a client's connection is closed."""
MAX_CONCURRENCY = 2_000
"""Requests in flight; beyond it the answer is 503 at once instead of a queue that outlives every deadline."""


def server_for(app: ASGIApp, *, host: str, port: int) -> uvicorn.Server:
    """A server for a process of its own, not started yet; it stops on SIGINT and SIGTERM."""
    return uvicorn.Server(_config(app, host, port))


def quiet_server_for(app: ASGIApp, *, host: str, port: int, lifespan: bool = False) -> QuietServer:
    """A server for a part of a process, not started yet; cancel its ``serve`` to stop it."""
    return QuietServer(_config(app, host, port, lifespan="on" if lifespan else "off"))


def _config(app: ASGIApp, host: str, port: int, *, lifespan: Literal["on", "off"] = "off") -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        lifespan=lifespan,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
        limit_concurrency=MAX_CONCURRENCY,
        # Without it h11 or a slow header sender could keep a connection for ever.
        h11_max_incomplete_event_size=64 * 1024,
    )


class QuietServer(uvicorn.Server):
    """A server inside somebody else's process: signals stay with their owner; ``bound`` tells the port."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def startup(self, sockets: Any = None) -> None:
        """Tell the port once it listens."""
        await super().startup(sockets)
        if self.servers and not self.bound.done():
            self.bound.set_result(self.servers[0].sockets[0].getsockname()[1])

    async def serve(self, sockets: Any = None) -> None:
        """Serve without touching signal handlers."""
        await self._serve(sockets)


def run(main: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` on uvloop where it is installed (everywhere but Windows)."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    try:
        import uvloop
    except ImportError:
        pass
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)
