"""uvicorn as this gateway wants it (perf.md: uvloop, httptools, no access log, no proxy headers, no server header)."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal, TypeVar

import uvicorn
from starlette.types import ASGIApp

from gateway.http_head import BoundedHead

T = TypeVar("T")

KEEP_ALIVE_S = 30
"""Idle seconds before a client's connection is closed."""
MAX_CONCURRENCY = 2_000
"""Requests in flight; beyond it the answer is 503 at once instead of a queue that outlives every deadline."""


@asynccontextmanager
async def serving(
    app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0, lifespan: bool = False
) -> AsyncIterator[int]:
    """Serve a part of this process for as long as the block runs; gives the port that was bound.

    Signals stay with whoever owns the process. Leaving the block waits for requests in flight (bounded).
    """
    server = _QuietServer(_config(app, host, port, lifespan="on" if lifespan else "off"))
    task = asyncio.create_task(server.run_quietly())
    task.add_done_callback(server.give_up)
    try:
        yield await server.bound
    finally:
        server.should_exit = True
        with suppress(OSError):  # told already, through ``bound``
            await task


def _config(app: ASGIApp, host: str, port: int, *, lifespan: Literal["on", "off"] = "off") -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedHead,
        ws="none",
        lifespan=lifespan,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
        limit_concurrency=MAX_CONCURRENCY,
    )


class _QuietServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._why = _BindProblem()

    async def startup(self, sockets: Any = None) -> None:
        logger = logging.getLogger("uvicorn.error")
        logger.addFilter(self._why)
        try:
            await super().startup(sockets)
        finally:
            logger.removeFilter(self._why)
        if self.servers and not self.bound.done():
            self.bound.set_result(self.servers[0].sockets[0].getsockname()[1])

    def give_up(self, task: asyncio.Future[None]) -> None:
        """The server ended: whoever waits for its port learns why."""
        if not self.bound.done():
            self.bound.set_exception(task.exception() or OSError("the server ended before it listened"))

    async def run_quietly(self) -> None:
        """Serve without touching signal handlers. A port that is taken is an error of ours, not an exit."""
        try:
            await self._serve()
        except SystemExit as problem:
            where = f"{self.config.host}:{self.config.port}"
            raise OSError(f"cannot listen on {where}: {self._why.said}") from problem


class _BindProblem(logging.Filter):
    """Keeps what uvicorn logs before it gives up, to be said once and with the rest."""

    said = "uvicorn gave up"

    def filter(self, record: logging.LogRecord) -> bool:
        if not isinstance(record.msg, OSError):
            return True
        self.said = os.strerror(record.msg.errno) if record.msg.errno else str(record.msg)
        return False


def settled() -> None:
    """Call this once everything is open: what lives as long as the process is looked at by the collector no more.

    A quarter of a call's processor time is otherwise spent on walking through modules and compiled schemas again.
    """
    gc.collect()
    gc.freeze()


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
