"""Sessions of the older era (2025-11-25/basic/transports, session management): one host, one conversation.

A session is never a right: each request in it is identified and judged on its own, and a session of somebody else is
one that does not exist. It holds what the host declared when it opened, the questions it was asked, its calls that
are under way, and the events it may have missed. All of it is this process's: after a restart, or at another process,
a host is told 404 and opens anew, as it must be able to.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.door.call import Client
from gateway.door.event_stream import KeptStreams
from gateway.door.host import HostCannot
from gateway.errors import INTERNAL_ERROR, MalformedRequest, Unavailable

SESSION = b"mcp-session-id"
IDLE_S = 1_800.0
"""Seconds without a request after which a session without an open stream is over."""
MAX_SESSIONS = 10_000
"""Sessions of one process; each is some kilobytes."""
MAX_SESSIONS_OF_ONE = 200
"""Of one caller. A host that opens and never closes loses its own oldest one, and nobody else's."""
MAX_ASKED = 64
"""Questions to one host that are open at once."""
SWEEP_S = 60.0
"""Seconds between two looks for idle sessions."""


class SessionGone(MalformedRequest):
    """No such session, or not the caller's (which must not be told apart): the host initializes anew."""

    code = "door.session_unknown"
    http_status = 404


class Session:
    """One host, from its ``initialize`` to its end."""

    def __init__(
        self,
        *,
        principal: str,
        server: str,
        protocol: str,
        client: Client,
        capabilities: Mapping[str, Any],
        now: float,
    ) -> None:
        # 256 bits: visible ASCII, and nothing to guess (2025-11-25/basic/transports, session management).
        self.id = secrets.token_urlsafe(32)
        self.key = f"session:{secrets.token_hex(16)}"
        self.principal = principal
        self.server = server
        self.protocol = protocol
        self.client = client
        self.capabilities = capabilities
        self.touched = now
        self.events = KeptStreams()
        self.running: dict[str | int, Callable[[], None]] = {}
        """What cancels a request under way, by the host's own id."""
        self.stream: Callable[[], None] | None = None
        """What ends the host's one GET stream."""
        self.silent = asyncio.Event()
        """Set while it has none."""
        self.silent.set()
        self.ended = False
        self._asked: dict[str, asyncio.Future[msgspec.Raw]] = {}
        self._count = 0

    @property
    def busy(self) -> bool:
        """Whether something of it is open."""
        return bool(self.running) or self.stream is not None

    def question(self) -> tuple[str, asyncio.Future[msgspec.Raw]]:
        """The id of a new question to the host, and where its answer arrives. :raises HostCannot: too many are open."""
        if len(self._asked) >= MAX_ASKED:
            raise HostCannot("Too many questions are open; answer them first.", code=INTERNAL_ERROR)
        self._count += 1
        rpc_id = f"countersign-{self._count}"
        answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self._asked[rpc_id] = answer
        return rpc_id, answer

    def answered(self, rpc_id: str | int | None, response: Mapping[str, Any]) -> None:
        """A response of the host. :raises MalformedRequest: to nothing that it was asked, or a second one."""
        answer = self._asked.pop(rpc_id, None) if isinstance(rpc_id, str) else None
        if answer is None or answer.done():
            raise MalformedRequest(
                "That answers nothing this gateway asked in this session.", code="door.response_unknown"
            )
        if "result" in response and "error" not in response:
            answer.set_result(msgspec.Raw(msgspec.json.encode(response["result"])))
            return
        error = response.get("error")
        answer.set_exception(_host_error(error if isinstance(error, dict) else {}))

    def cancel(self, rpc_id: Any) -> None:
        """The host takes a request back. Any JSON value: what names none that is under way changes nothing."""
        # As dictionary keys, true and 1.0 would be the id 1, and a list would be a defect of ours.
        if isinstance(rpc_id, str | int) and not isinstance(rpc_id, bool) and rpc_id in self.running:
            self.running[rpc_id]()

    def withdraw(self, rpc_id: str) -> None:
        """Nobody waits for that answer any more."""
        self._asked.pop(rpc_id, None)

    def end(self) -> None:
        """Cancel what runs, close what is open, answer what was asked."""
        self.ended = True
        for cancel in list(self.running.values()):
            cancel()
        if self.stream is not None:
            self.stream()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(HostCannot("The host ended its session.", code=INTERNAL_ERROR))
        self._asked.clear()


class Sessions:
    """The open sessions of this process. ``ended`` hears of each that is over."""

    def __init__(self, *, now: Callable[[], float], ended: Callable[[Session], None]) -> None:
        self._now = now
        self._ended = ended
        self._sessions: dict[str, Session] = {}
        self._of: dict[str, dict[str, Session]] = {}
        """By their callers, so that whoever opens one after the other has nobody else's looked through."""
        self._swept_at = now()

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, session: Session) -> Session:
        """Keep a new one, and end what had to go for it. :raises Unavailable: every place is taken and in use."""
        self._sweep()
        own = self._of.get(session.principal, {})
        if len(own) >= MAX_SESSIONS_OF_ONE:
            self.close(next(iter(own.values())))
        elif len(self._sessions) >= MAX_SESSIONS:
            idle = next((one for one in self._sessions.values() if not one.busy), None)
            if idle is None:
                raise Unavailable("Too many sessions are open; try again later.", code="door.sessions_full")
            self.close(idle)
        self._sessions[session.id] = session
        self._of.setdefault(session.principal, {})[session.id] = session
        return session

    def find(self, session_id: str, *, principal: str, server: str) -> Session:
        """The caller's own session at that server. :raises SessionGone:"""
        session = self._sessions.get(session_id)
        if session is None or session.principal != principal or session.server != server:
            raise SessionGone("There is no such session; send initialize again.")
        now = self._now()
        if self._idle(session, now):
            self.close(session)
            raise SessionGone("The session was idle for too long; send initialize again.")
        session.touched = now
        return session

    def close(self, session: Session) -> None:
        """End one. Ending it again does nothing."""
        if self._sessions.pop(session.id, None) is not None:
            own = self._of[session.principal]
            del own[session.id]
            if not own:
                del self._of[session.principal]
            session.end()
            self._ended(session)

    def close_all(self) -> None:
        """The process ends."""
        for session in list(self._sessions.values()):
            self.close(session)

    def _idle(self, session: Session, now: float) -> bool:
        # A clock that was set back makes nothing idle, and the next sweep looks again.
        return not session.busy and now - session.touched > IDLE_S

    def _sweep(self) -> None:
        now = self._now()
        if 0 <= now - self._swept_at < SWEEP_S:
            return
        self._swept_at = now
        for session in list(self._sessions.values()):
            if self._idle(session, now):
                self.close(session)


def _host_error(error: Mapping[str, Any]) -> HostCannot:
    message, code = error.get("message"), error.get("code")
    return HostCannot(
        message if isinstance(message, str) else "The host answered with an error.",
        code=code if isinstance(code, int) and not isinstance(code, bool) else INTERNAL_ERROR,
        data=error.get("data"),
    )
