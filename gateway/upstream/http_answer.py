"""One request's answer by event stream, over HTTP: its questions answered, and fetched on where the stream was let go.

Fetching on (2025-11-25/basic/transports, resumability; SEP-1699): a server may close the stream before its answer if it
named the last event, and then wants to be asked again by GET. That is no second sending: the request stays the one that
left. In the new era there is no such thing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gateway.door.call import Era
from gateway.door.host import Host
from gateway.http1.client import ResponseStream
from gateway.http1.errors import BadReply, Http1Error, InvalidRequest, NoReply, NoReplyTimeout
from gateway.upstream.delivery import Delivery
from gateway.upstream.http_stream import Answering
from gateway.upstream.http_wire import HttpWire, Refused, is_events
from gateway.upstream.mcp_request import Talk, headers_of, stream_headers_of
from gateway.upstream.questions import Questions, Send

MAX_RESUMPTIONS = 20
"""Times one answer is fetched on; a server that lets go more often than that does not mean to answer."""
FIRST_RETRY_MS, LAST_RETRY_MS = 1_000, 30_000
"""Milliseconds before an answer is fetched on, where the server says nothing of its own; and the most it may say."""
_RESPONSE = "response"
_OK = 200


class Streamed:
    """Of one request. ``first`` reads the stream that answered it, ``rest`` what has to be fetched besides."""

    def __init__(
        self,
        wire: HttpWire,
        talk: Talk,
        rpc_id: int,
        *,
        host: Host,
        delivery: Delivery,
        declared: Mapping[str, Any],
        authorization: bytes | None,
    ) -> None:
        self._wire = wire
        self._talk = talk
        self._authorization = authorization
        self._questions = questions_of(wire, talk, declared, authorization)
        self._deadline = asyncio.get_running_loop().time() + wire.patience.whole_s
        self._answering = Answering(
            rpc_id, host, delivery, self._questions, wire.patience, deadline=self._deadline
        )

    async def first(self, response: ResponseStream) -> None:
        """:raises TimeoutError: silence. :raises EventTooLarge: Errors of the client pass."""
        try:
            await self._read(response)
        except BaseException:
            self.close()
            raise

    async def rest(self) -> bytes:
        """The answer; empty where there is none, or more than one. :raises TimeoutError: :raises EventTooLarge:"""
        answering = self._answering
        try:
            for _ in range(MAX_RESUMPTIONS):
                if answering.answer is not None or not self._resumable:
                    break
                await self._pause()
                if not await self._fetched_on():
                    break
            return (answering.answer or b"") if answering.answered else b""
        finally:
            self.close()

    def close(self) -> None:
        """Nobody waits for what was asked meanwhile."""
        if self._questions is not None:
            self._questions.close()

    @property
    def _resumable(self) -> bool:
        return self._talk.era is Era.LEGACY and self._answering.resume_from is not None

    async def _read(self, response: ResponseStream) -> None:
        try:
            await self._answering.read(response)
        except NoReplyTimeout:
            raise
        except (BadReply, NoReply):
            # A connection that broke: the same as one that was let go, where the server named its events.
            if self._answering.answer is None and not self._resumable:
                raise

    async def _pause(self) -> None:
        wanted_ms = self._answering.retry_ms
        pause_s = min(FIRST_RETRY_MS if wanted_ms is None else wanted_ms, LAST_RETRY_MS) / 1000
        async with asyncio.timeout_at(self._deadline):
            await asyncio.sleep(pause_s)

    async def _fetched_on(self) -> bool:
        """False: the server gives nothing more."""
        headers = stream_headers_of(
            self._talk, authorization=self._authorization, last_id=self._answering.resume_from
        )
        try:
            async with self._wire.get(headers) as response:
                self._wire.let_in(response, self._authorization)
                if response.status != _OK or not is_events(response):
                    return False
                await self._read(response)
                return True
        except (Http1Error, Refused):
            # Whatever this GET met, the request itself left long ago.
            return False


def questions_of(
    wire: HttpWire, talk: Talk, declared: Mapping[str, Any], authorization: bytes | None
) -> Questions | None:
    """Room for what a server may ask; none in the new era, which knows no requests of servers."""
    if talk.era is not Era.LEGACY:
        return None
    return Questions(declared, responding(wire, talk, authorization))


def responding(wire: HttpWire, talk: Talk, authorization: bytes | None) -> Send:
    """How an answer gets to the server that asked: by a POST of its own. One that is not taken is asked for again, or
    not."""

    async def send(body: bytes) -> None:
        with suppress(Http1Error, InvalidRequest):
            await wire.short(b"POST", headers_of(talk, _RESPONSE, authorization=authorization), body)

    return send
