"""One round: a request goes to the gateway, what the gateway says meanwhile goes to the host, its answer comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import httpx

from gateway.client.errors import AnswerLost, BridgeError, GatewayUnreachable
from gateway.client.exchange import EVENT_STREAM, LOST, Body, Gateway, answered
from gateway.client.headers import Mirror
from gateway.client.message import Kind, Message, RpcId, one_line, read_message
from gateway.client.session import LegacySession

MAX_RESUMES: Final = 20
"""Times a broken stream is picked up again for one request (Last-Event-ID, 2025-11-25 only)."""
RESUME_PAUSE_MS: Final = 500

Forward = Callable[[bytes], Awaitable[None]]


@dataclass(slots=True)
class _Mark:
    """How far a stream that can be picked up again has come."""

    last: str | None = None
    pause_ms: int = RESUME_PAUSE_MS
    resumed: int = 0


class Rounds:
    """Sends messages of both eras. ``forward`` takes what is for the host besides answers."""

    def __init__(self, gateway: Gateway, session: LegacySession, mirror: Mirror, forward: Forward) -> None:
        self._gateway = gateway
        self._session = session
        self._mirror = mirror
        self._forward = forward

    async def ask(self, message: Message, body: bytes | Body, ident: RpcId) -> Message:
        """The response to a request, whose bytes and id in this round are ``body`` and ``ident``.

        :raises BridgeError: there is none.
        """
        modern = message.protocol is not None
        for again in (False, True):
            seen = self._session.opened
            carries_session = not modern and self._session.has_id and message.method != "initialize"
            headers = self._mirror.headers(message) if modern else self._session.headers()
            endless = message.method == "subscriptions/listen"
            async with self._gateway.request("POST", headers, body, endless=endless) as response:
                # 404 to a request with a session: the session is over, and nothing was looked at.
                lost = response.status_code == 404 and carries_session and not again
                if not lost:
                    answer = await self._read(response, ident, resumable=not modern)
                    if message.method == "initialize":
                        self._session.note(response, answer)
                    return answer
            if not await self._session.reopen(seen):
                break
        raise BridgeError("The gateway ended the session, and would not open another.")

    async def tell(self, message: Message) -> None:
        """Post what wants no answer: a notification, or the host's answer to a question of the server."""
        seen = self._session.opened
        for again in (False, True):
            headers = self._mirror.headers(message) or self._session.headers()
            async with self._gateway.request("POST", headers, message.body) as response:
                gone = response.status_code == 404 and self._session.has_id
            # An answer belongs to a question of the session that is gone; a new one has not asked it.
            if not gone or again or message.kind is Kind.RESPONSE:
                return
            if not await self._session.reopen(seen):
                return

    async def _read(self, response: httpx.Response, ident: RpcId, *, resumable: bool) -> Message:
        mark = _Mark()
        answer = await self._take(response, ident, mark)
        while answer is None and resumable and mark.last is not None and mark.resumed < MAX_RESUMES:
            mark.resumed += 1
            await asyncio.sleep(mark.pause_ms / 1000)
            headers = {**self._session.headers(), "last-event-id": mark.last}
            try:
                async with self._gateway.request("GET", headers) as stream:
                    if not is_stream(stream):
                        break
                    answer = await self._take(stream, ident, mark)
            except GatewayUnreachable:
                continue  # it may be starting again; "nothing was sent" would be said of the wrong request
        if answer is None:
            raise _unanswered(response)
        return answer

    async def _take(self, stream: httpx.Response, ident: RpcId, mark: _Mark) -> Message | None:
        alone = not is_stream(stream)
        try:
            async for event in answered(stream):
                mark.last = event.id or mark.last
                mark.pause_ms = event.retry_ms if event.retry_ms is not None else mark.pause_ms
                answer = await self.heard(event.data, ident, alone=alone)
                if answer is not None:
                    return answer
        except AnswerLost:
            pass  # said by the caller, unless the stream can be picked up again
        return None

    async def heard(self, data: bytes, ident: RpcId | None, *, alone: bool) -> Message | None:
        """Sort one message of the gateway: the answer to ``ident`` is returned, what is for the host is forwarded.

        ``alone``: it is the whole body, so that an error without an id is the answer too. Answers to anything else
        are dropped: nobody asked.
        """
        if not data.strip():
            return None
        try:
            message = read_message(data)
        except ValueError:
            raise BridgeError("The gateway answered with something that is no JSON-RPC message.") from None
        if message.kind is not Kind.RESPONSE:
            await self._forward(one_line(data))
            return None
        mine = message.id == ident and type(message.id) is type(ident)
        return message if ident is not None and (mine or (alone and message.id is None)) else None


def is_stream(response: httpx.Response) -> bool:
    """Whether a response is an event stream."""
    return response.status_code == 200 and response.headers.get("content-type", "").lower().startswith(
        EVENT_STREAM
    )


def _unanswered(response: httpx.Response) -> BridgeError:
    status = response.status_code
    match status:
        case 401:
            return BridgeError("The gateway does not accept this token (HTTP 401).", code="client.refused")
        case 403:
            return BridgeError("The gateway refuses this caller (HTTP 403).", code="client.refused")
        case _ if 300 <= status < 400:
            said = f"The URL of the gateway leads elsewhere (HTTP {status}), and redirects are not followed."
            return BridgeError(said)
        case _ if status >= 400:
            return BridgeError(f"The gateway answered HTTP {status} without a message.")
        case _:
            return AnswerLost(LOST)
