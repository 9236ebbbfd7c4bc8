"""What a server says over HTTP when nothing was asked of it: the GET stream of a session, or the stream that answers
``subscriptions/listen`` (2026-07-28/basic/patterns/subscriptions).
"""

from __future__ import annotations

import asyncio

from gateway.door.host import Host
from gateway.http1.client import ResponseStream
from gateway.http1.errors import BadReply, NoReply, NotSent
from gateway.upstream.delivery import Delivery
from gateway.upstream.frames import read_frame
from gateway.upstream.http_wire import HttpWire, is_events
from gateway.upstream.line import SessionEnded, Unsent
from gateway.upstream.mcp_request import Talk, headers_of, stream_headers_of
from gateway.upstream.questions import Questions
from gateway.upstream.sse import EventReader

LISTEN = "subscriptions/listen"
_OK, _SESSION_GONE = 200, 404
FRUITLESS = 3
"""Streams in a row that end without an event, after which a session's stream is given up."""
FIRST_RETRY_S, LEAST_RETRY_S, LAST_RETRY_S = 1.0, 0.25, 30.0
"""Seconds before a session's stream is opened again: where the server wishes nothing, and what it may wish. Attack: one
that says a word, ends the stream and wants it back at once keeps the gateway connecting, for each host that listens."""


class Listener:
    """Of one host. It waits as long as the server is there: nothing here is silence."""

    def __init__(
        self,
        wire: HttpWire,
        talk: Talk,
        *,
        host: Host,
        delivery: Delivery,
        questions: Questions | None,
        authorization: bytes | None,
    ) -> None:
        self._wire = wire
        self._talk = talk
        self._host = host
        self._delivery = delivery
        self._questions = questions
        self._authorization = authorization
        self._reader = EventReader()
        self._heard = 0

    async def subscribed(self, rpc_id: int, body: bytes) -> None:
        """POST ``subscriptions/listen`` and hand over until the server answers it, which ends it.

        :raises Unsent: the server has no such thing. Errors of the client pass, as does ``Refused``.
        """
        headers = headers_of(self._talk, LISTEN, authorization=self._authorization)
        silence_s = self._wire.patience.silence_s
        async with self._wire.post(headers, body, timeout_s=silence_s, aside=True) as response:
            self._wire.let_in(response, self._authorization)
            if response.status != _OK or not is_events(response):
                raise _no_stream()
            await self._read(response, rpc_id)

    async def session(self) -> None:
        """GET the session's stream, again and again where the server names its events. Errors as of `subscribed`."""
        fruitless = 0
        opened = False
        try:
            while fruitless < FRUITLESS:
                heard = self._heard
                if not await self._got(opened=opened):
                    return
                opened = True
                if self._reader.last_id is None:
                    return
                fruitless = fruitless + 1 if heard == self._heard else 0
                await asyncio.sleep(pause_s(self._reader.retry_ms))
        finally:
            if self._questions is not None:
                self._questions.close()

    async def _got(self, *, opened: bool) -> bool:
        """One GET, read to its end. False: it is over, though it was open once."""
        last_id = self._reader.last_id
        headers = stream_headers_of(self._talk, authorization=self._authorization, last_id=last_id)
        self._reader = EventReader(last_id=last_id)
        try:
            async with self._wire.get(headers) as response:
                self._wire.let_in(response, self._authorization)
                if response.status == _SESSION_GONE and self._talk.session is not None:
                    raise SessionEnded
                if response.status == _OK and is_events(response):
                    await self._read(response, None)
                    return True
        except (BadReply, NoReply, NotSent):
            if last_id is None and self._reader.last_id is None:
                raise
            return True
        if opened:
            return False
        raise _no_stream()

    async def _read(self, response: ResponseStream, rpc_id: int | None) -> None:
        async for part in response:
            for event in self._reader.feed(part):
                self._heard += 1
                frame = read_frame(event.data)
                if frame is None:
                    continue
                if rpc_id is not None and frame.answers(rpc_id):
                    return
                if frame.is_notification:
                    await self._delivery.said(frame, event.data, self._host, self._questions)
                elif frame.is_request and self._questions is not None:
                    await self._questions.answer(frame, self._host)


def pause_s(retry_ms: int | None) -> float:
    """Seconds until the stream is opened again; ``retry_ms`` is the server's wish."""
    if retry_ms is None:
        return FIRST_RETRY_S
    return min(max(retry_ms / 1000, LEAST_RETRY_S), LAST_RETRY_S)


def _no_stream() -> Unsent:
    return Unsent("has no stream of its own", code="upstream.no_stream")
