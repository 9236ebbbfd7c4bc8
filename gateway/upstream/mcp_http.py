"""Any MCP server over streamable HTTP, as an upstream. Raw JSON over the lean client: no SDK objects, no httpx.

``Mcp`` is the upstream; this module puts the HTTP under it.
"""

from __future__ import annotations

import ssl as tls
from collections.abc import Mapping
from typing import Any

from gateway.door.call import Era
from gateway.door.host import Host
from gateway.door.protocol import LEGACY
from gateway.upstream.credential import Credential, StaticBearer
from gateway.upstream.delivery import Changed, Delivery, unheard
from gateway.upstream.http_line import HttpLine
from gateway.upstream.http_wire import HttpWire, Patience
from gateway.upstream.line import Line
from gateway.upstream.lines import Lines
from gateway.upstream.mcp import Mcp
from gateway.upstream.opening import Says, open_line

MAX_SESSIONS = 1_000
"""Sessions at one (legacy) server; of more, the one that was not used for longest is ended."""
SESSION_IDLE_S = 1_800.0
"""Seconds after which an unused session is ended: the SDKs' servers end it then, too."""


class McpHttp(Mcp):
    """One configured server. ``credential`` is the gateway's own at that server; ``changed`` hears of new tools."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        version: str,
        credential: Credential | None = None,
        timeout_s: float = 30.0,
        max_connections: int = 64,
        ssl: tls.SSLContext | None = None,
        changed: Changed = unheard,
        says: Says | None = None,
        patience: Patience | None = None,
        max_sessions: int = MAX_SESSIONS,
        session_idle_s: float = SESSION_IDLE_S,
    ) -> None:
        self._client = {"name": "countersign", "version": version}
        self._delivery = Delivery(name, changed)
        self._says = says
        shown = credential or StaticBearer(None)
        self._wire = HttpWire(
            url,
            client=self._client,
            credential=shown,
            patience=patience or Patience(silence_s=timeout_s),
            max_connections=max_connections,
            ssl=ssl,
        )
        super().__init__(
            name,
            Lines(
                self._opened,
                limit=max_sessions,
                idle_s=session_idle_s,
                mirrors=True,
                per_caller=shown.per_caller,
            ),
        )

    async def aclose(self) -> None:
        """End all sessions, and close all connections."""
        await super().aclose()
        await self._wire.aclose()

    async def _opened(self, host: Host, *, declared: Mapping[str, Any], era: Era | None) -> Line:
        line = HttpLine(self._wire, self._delivery, declared=declared, era=Era.LEGACY, protocol=LEGACY[0])
        await open_line(line, host, client=self._client, era=era, says=self._says)
        return line
