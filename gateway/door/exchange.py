"""How far one HTTP request has come: what the parts of the door tell each other about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gateway.door.call import Client
from gateway.door.channel import Channel
from gateway.door.headers import Headers
from gateway.door.message import Message
from gateway.door.session import Session
from gateway.identity.credentials import NO_CREDENTIALS, Credentials


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request. Members are set as they become known; later ones are only read once the request was a message."""

    call_id: str
    server: str
    headers: Headers
    method: str = "POST"
    below: str = ""
    """The path after the endpoint's own: the server's name, as a proof of possession names it."""
    credentials: Credentials = NO_CREDENTIALS
    rpc_id: str | int | None = None
    message: Message | None = None
    session: Session | None = None
    opened: Session | None = None
    """A session that this very request opened."""
    channel: Channel | None = None
    body_read: bool = False
    recorded: bool = False
    """The walk, the listing or the passage has taken over, and writes the audit record itself."""
    cancelled: bool = False

    @property
    def client(self) -> Client:
        """What the host declared: in this request, or when it opened its session."""
        assert self.message is not None
        return self.session.client if self.session is not None else self.message.client

    def canceller(self) -> _Canceller:
        """What cancels the work of the current task for this request."""
        task = asyncio.current_task()
        assert task is not None
        return _Canceller(self, task)


class _Canceller:
    __slots__ = ("_exchange", "_task")

    def __init__(self, exchange: Exchange, task: asyncio.Task[object]) -> None:
        self._exchange = exchange
        self._task = task

    def __call__(self) -> None:
        if not self._exchange.cancelled:
            self._exchange.cancelled = True
            self._task.cancel()
