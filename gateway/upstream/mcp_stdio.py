"""Any MCP server over stdio, as an upstream: a supervised child process, or a few.

One process serves all who need none of their own; in the older era each key gets its own, for a pipe does not say whom
it asks. Processes start with the first request that needs them and are never restarted for nobody: the next request
starts one that died, after a pause that grows with each failure in a row.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from gateway.door.call import Era
from gateway.door.host import Host
from gateway.door.protocol import LEGACY
from gateway.upstream.backoff import Backoff
from gateway.upstream.delivery import Changed, Delivery, unheard
from gateway.upstream.http_wire import Patience
from gateway.upstream.line import Line, Unsent
from gateway.upstream.lines import Lines
from gateway.upstream.mcp import Mcp
from gateway.upstream.opening import Says, open_line
from gateway.upstream.stdio_line import StdioLine
from gateway.upstream.stdio_process import GRACE_S, Command

MAX_PROCESSES = 8
"""Processes of one (legacy) server beside the shared one; of more, the one that was not used for longest is ended."""
PROCESS_IDLE_S = 300.0
"""Seconds after which a process of one key is ended."""
PROBE_S = 5.0
"""Seconds for a server to say that it is of the new era; many of the older one do not answer at all before
``initialize`` (2026-07-28/basic/transports/stdio, backward compatibility)."""
_LOG = logging.getLogger("countersign.upstream.stdio")


class McpStdio(Mcp):
    """One configured command."""

    def __init__(
        self,
        name: str,
        command: Command,
        *,
        version: str,
        timeout_s: float = 30.0,
        changed: Changed = unheard,
        says: Says | None = None,
        patience: Patience | None = None,
        max_processes: int = MAX_PROCESSES,
        process_idle_s: float = PROCESS_IDLE_S,
        probe_s: float = PROBE_S,
        grace_s: float = GRACE_S,
    ) -> None:
        self._command = command
        self._client = {"name": "countersign", "version": version}
        self._delivery = Delivery(name, changed)
        self._says = says
        self._patience = patience or Patience(silence_s=timeout_s)
        self._probe_s = min(probe_s, self._patience.silence_s)
        self._grace_s = grace_s
        self._backoff = Backoff()
        self._running: set[StdioLine] = set()
        super().__init__(name, Lines(self._opened, limit=max_processes, idle_s=process_idle_s, mirrors=False))

    @property
    def pids(self) -> set[int]:
        """The processes that run, or are being ended."""
        return {line.pid for line in self._running if line.pid is not None}

    async def aclose(self) -> None:
        """End all processes, and wait until they are gone."""
        await super().aclose()
        await asyncio.gather(*(line.aclose() for line in self._running))
        self._running.clear()

    async def _opened(self, host: Host, *, declared: Mapping[str, Any], era: Era | None) -> Line:
        wait_s = self._backoff.wait_s(asyncio.get_running_loop().time())
        if wait_s:
            raise Unsent(f"died and starts again in {wait_s:.1f} s", code="upstream.restarting")
        line = StdioLine(
            self.name,
            self._delivery,
            client=self._client,
            declared=declared,
            own=host.key is not None,
            patience=self._patience,
            era=Era.LEGACY,
            protocol=LEGACY[0],
            ended=self._ended,
        )
        try:
            await line.start(self._command, grace_s=self._grace_s)
            self._running.add(line)
            await open_line(line, host, client=self._client, era=era, probe_s=self._probe_s, says=self._says)
        except BaseException as problem:
            if isinstance(problem, Exception) and not line.failed:
                self._failed(line)
            await line.aclose()
            self._running.discard(line)
            raise
        return line

    def _ended(self, line: StdioLine) -> None:
        """Its output ended. If that was not our doing, it died."""
        if not line.closed:
            _LOG.warning("%s: the server ended by itself", self.name)
            self._failed(line)
            # It is over; what is left of its process group is ended in the background, and waited for at the latest
            # when the upstream is closed.
            task = asyncio.ensure_future(line.aclose())
            task.add_done_callback(lambda _: self._running.discard(line))

    def _failed(self, line: StdioLine) -> None:
        line.failed = True
        now = asyncio.get_running_loop().time()
        self._backoff.failed(now, lived_s=now - line.started_at)
