"""The streams without a call: a session's GET stream, what a host missed of one, and ``subscriptions/listen``."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

from gateway.door.call import Era
from gateway.door.channel import Channel
from gateway.door.dispatch import Dispatch, encoded
from gateway.door.event_stream import KEEP_ALIVE_S, KeptStream
from gateway.door.exchange import Exchange
from gateway.door.host import Host
from gateway.door.http import Receive
from gateway.door.listen import SUBSCRIPTION_META_KEY, Listener
from gateway.door.protocol import META_SERVER, server_info
from gateway.door.session import Session, SessionGone
from gateway.door.watch import until_gone
from gateway.errors import INVALID_PARAMS, MalformedRequest, Unavailable, UpstreamUnavailable
from gateway.passage import LISTEN, Request, open_stream
from gateway.upstream.target import Upstream
from gateway.walk import House

AGAIN_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before a server's stream that ended is opened again; the last one from then on."""
LONGEST_S: Final = 900.0
"""Seconds after which a stream is ended and its host comes back for another: whoever lost its token or its rights since
then is not let in again."""
NO_STREAM: Final = "upstream.no_stream"
MAX_STREAMS_OF_ONE: Final = 32
"""Of one caller at one server. Each may hold a conversation of its own there, and those of a server are few: who opens
stream after stream must not take them from everybody else."""
_LOG = logging.getLogger("countersign.door")


class Streams:
    """Holds streams open for as long as the host does."""

    def __init__(self, house: House, dispatch: Dispatch, *, version: str) -> None:
        self._house = house
        self._dispatch = dispatch
        self._version = version
        self._open: Counter[tuple[str, str]] = Counter()

    async def of_session(
        self, exchange: Exchange, session: Session, channel: Channel, receive: Receive
    ) -> None:
        """The GET stream: first what the host missed, if it says where it was, then what comes.

        A session has one: a second takes the place of the first, which its host has lost without our noticing. It is
        never ended by us while the session lasts: hosts that find it ended open it again and again.
        """
        missed = _missed(session, exchange.headers.one(b"last-event-id"))
        if missed is not None and not missed[0].standing:
            with self._place(session.principal, session.server):
                await _held(channel, receive, _told(channel, *missed))
                await channel.finish(b"")
            return
        exchange.recorded = True
        upstream, caller = await open_stream(_request(exchange, session), self._house)
        while session.stream is not None:
            session.stream()
            await session.silent.wait()  # its place is free by then
        if session.ended:
            # It was closed while the policy thought, or the stream before ended; nobody would ever end this one.
            raise SessionGone("The session has ended; send initialize again.")
        session.stream = exchange.canceller()
        session.silent.clear()
        try:
            with self._place(caller.principal, upstream.name):
                await channel.open(standing=True)
                if missed is not None:
                    await channel.repeat(missed[0].after(missed[1]))
                await _held(channel, receive, _fed(upstream, {}, channel))
                await channel.finish(b"")
        finally:
            session.stream = None
            session.silent.set()

    async def listen(self, exchange: Exchange, channel: Channel, receive: Receive) -> None:
        """``subscriptions/listen``: a stream until the host closes it, or its server does."""
        message = exchange.message
        assert message is not None
        assert message.rpc_id is not None
        wanted = message.params.get("notifications")
        if not isinstance(wanted, dict):
            raise MalformedRequest(
                "params.notifications says what to listen for.", code="door.params", rpc_code=INVALID_PARAMS
            )
        request = self._dispatch.passage(exchange, message, LISTEN)
        exchange.recorded = True
        upstream, caller = await open_stream(request, self._house)
        listener = Listener(channel, message.rpc_id)
        with self._place(caller.principal, upstream.name):
            await channel.open()
            try:
                await _held(channel, receive, _once(upstream, message.params, listener))
            finally:
                await upstream.forget(listener.conversation)
        meta = {META_SERVER: server_info(self._version), SUBSCRIPTION_META_KEY: message.rpc_id}
        await channel.finish(encoded(message.rpc_id, {"result": {"resultType": "complete", "_meta": meta}}))

    @contextmanager
    def _place(self, principal: str, server: str) -> Iterator[None]:
        """One of the caller's streams, while it stands. :raises Unavailable: it has too many."""
        key = principal, server
        if self._open[key] >= MAX_STREAMS_OF_ONE:
            raise Unavailable("Too many streams are open; close one first.", code="door.streams_full")
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


def _request(exchange: Exchange, session: Session) -> Request:
    return Request(
        call_id=exchange.call_id,
        received_at=session.touched,
        server=exchange.server,
        method=LISTEN,
        params={},
        era=Era.LEGACY,
        protocol=session.protocol,
        client=session.client,
        credentials=exchange.credentials,
    )


def _missed(session: Session, event_id: str | None) -> tuple[KeptStream, int] | None:
    """:raises MalformedRequest: what came after that event is not here any more."""
    if event_id is None:
        return None
    found = session.events.find(event_id)
    if found is None:
        raise MalformedRequest(
            "What followed that Last-Event-ID is gone; send the request again.", code="door.event_unknown"
        )
    return found


async def _held(channel: Channel, receive: Receive, feeding: Coroutine[Any, Any, None]) -> None:
    """Feed a stream until the feeding ends, the host hangs up or its time is over, with a comment in every silence."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_S
    fed = asyncio.create_task(feeding)
    gone = asyncio.create_task(until_gone(receive))
    try:
        while (
            loop.time() < until
            and not (
                await asyncio.wait({fed, gone}, timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED)
            )[0]
        ):
            await channel.keep_alive()
        if fed.done():
            fed.result()
    finally:
        fed.cancel()
        gone.cancel()
        await asyncio.wait({fed, gone})


async def _told(channel: Channel, stream: KeptStream, after: int) -> None:
    """Tell again what came after that event, and go on with the stream to its end."""
    await channel.open(primed=False)
    while True:
        events = stream.after(after)
        await channel.repeat(events)
        after = events[-1].number if events else after
        if stream.ended and not stream.after(after):
            return
        if not stream.after(after):
            await stream.more()


async def _fed(upstream: Upstream, params: dict[str, Any], host: Host) -> None:
    """What a server says, its stream opened again whenever it ends. A server without one is silent."""
    tries = 0
    while True:
        try:
            await upstream.listen(params, host=host)
            tries = 0
        except UpstreamUnavailable as problem:
            if problem.code == NO_STREAM:
                await asyncio.get_running_loop().create_future()  # until cancelled
            _LOG.info("the stream of the server %r: %s", upstream.name, problem.message)
        await asyncio.sleep(AGAIN_S[min(tries, len(AGAIN_S) - 1)])
        tries += 1


async def _once(upstream: Upstream, params: dict[str, Any], host: Listener) -> None:
    """What a server says, until it ends it: the host is told so and may subscribe anew."""
    try:
        await upstream.listen(params, host=host)
    except UpstreamUnavailable as problem:
        if problem.code == NO_STREAM:
            await host.acknowledge_nothing()
            await asyncio.get_running_loop().create_future()  # until cancelled
        _LOG.info("the stream of the server %r: %s", upstream.name, problem.message)
