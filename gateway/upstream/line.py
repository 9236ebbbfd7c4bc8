"""One conversation with one MCP server, whatever carries it: a session over HTTP, or a process on a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from gateway.door.call import Era
from gateway.door.host import Host
from gateway.upstream.mcp_request import NOTHING, Talk
from gateway.upstream.target import About, Reply


class Unsent(Exception):
    """Certain: the server did not act on the request. ``code`` is the public one of ``UpstreamUnavailable``."""

    def __init__(self, what: str, *, code: str = "upstream.not_sent") -> None:
        super().__init__(what)
        self.what = what
        self.code = code


class Unanswered(Exception):
    """The request left, and no usable answer came: nobody knows what it did. ``status`` is HTTP's, where one came."""

    def __init__(self, what: str, *, status: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.status = status


class SessionEnded(Unsent):
    """The server ended the session before this request, and did not look at it (2025-11-25/basic/transports)."""

    def __init__(self) -> None:
        super().__init__("ended our session; try again", code="upstream.session_ended")


class Line(Protocol):
    """A conversation. ``declared`` is what it was opened with: the server may ask no more. ``used_at`` is loop time."""

    talk: Talk
    about: About | None
    declared: Mapping[str, Any]
    used_at: float
    level: str | None
    """The log level that this (legacy) session was set to."""

    def propose(self, era: Era, protocol: str) -> None:
        """Talk like this until :meth:`agree`."""
        ...

    def agree(self, about: About) -> None:
        """From here on: as the server answered."""
        ...

    @property
    def alive(self) -> bool:
        """Whether anything can still be said through it."""
        ...

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer on it, or listens."""
        ...

    async def exchange(
        self,
        method: str,
        params: Mapping[str, Any],
        host: Host,
        *,
        headers: Mapping[str, str] = NOTHING,
        timeout_s: float | None = None,
    ) -> Reply:
        """One request and its answer; what is said in between goes to ``host``, what is asked too.

        An answer is whatever ``read_response`` takes for one. ``headers`` are ``Mcp-Param-*`` ones. Cancelled, it
        cancels the request at the server.
        :raises Unsent: :raises Unanswered: :raises UpstreamUnavailable: of the credential; nothing was sent.
        """
        ...

    async def tell(self, method: str, params: Mapping[str, Any], host: Host) -> None:
        """One notification. :raises Unsent: :raises Unanswered:"""
        ...

    async def listen(self, params: Mapping[str, Any], host: Host) -> None:
        """What the server says on its own account, until it ends that. :raises Unsent: there is no such stream."""
        ...

    async def aclose(self) -> None:
        """End it at the server, too. Never raises."""
        ...
