"""The MCP endpoint: one path per server, both eras, raw ASGI ahead of the Starlette router (perf.md section 6).

POST is a message; GET and DELETE are the older era's stream and the end of its session (2025-11-25/basic/transports).
Since 2026-07-28 there are neither (basic/transports/streamable-http): whoever sends no session gets 405.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable

from gateway.door.call import Era
from gateway.door.channel import Channel
from gateway.door.dispatch import Dispatch, encoded, listens
from gateway.door.exchange import Exchange
from gateway.door.headers import Headers
from gateway.door.http import (
    ClientGone,
    Guard,
    Receive,
    Scope,
    Send,
    accepts_streams,
    check_media_types,
    read_body,
    respond,
)
from gateway.door.message import MAX_DECLARED_BYTES, Message, check_declared, read_message, rpc_id_of
from gateway.door.refusal import refusal, status_of
from gateway.door.session import SESSION, Session, Sessions
from gateway.door.streams import Streams
from gateway.door.strict_json import parse
from gateway.door.watch import Watch, Watches
from gateway.errors import CountersignError, MalformedRequest
from gateway.identity.challenge import Access
from gateway.identity.credentials import Credentials, credentials_of
from gateway.walk import House

PREFIX = "/mcp"
STRANGER_BODY_BYTES = 16 * 1024
"""Bytes parsed for somebody who has not been recognised yet. Strict parsing costs up to half a second of processor
time for a megabyte; whoever may cause that has a token that can be revoked."""
_LOG = logging.getLogger("countersign.door")


class McpEndpoint:
    """ASGI application for ``/mcp`` (the first configured server) and ``/mcp/{server}``."""

    def __init__(
        self,
        house: House,
        guard: Guard,
        *,
        default_server: str,
        version: str,
        max_body_bytes: int,
        access: Access,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._house = house
        self._guard = guard
        self._default_server = default_server
        self._max_body_bytes = max_body_bytes
        self._access = access
        self._forgetting: set[asyncio.Task[None]] = set()
        self._sessions = Sessions(now=now, ended=self._forget)
        self._watches = Watches()
        self._dispatch = Dispatch(house, self._sessions, access=access, version=version, now=now)
        self._streams = Streams(house, self._dispatch, version=version)

    def serves(self, path: str) -> bool:
        """Whether a request of that path is for this endpoint."""
        return path == PREFIX or path.startswith(PREFIX + "/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request.

        Every call, listing, passage and refusal has an audit record by then. What moves nothing and tells nothing has
        none: a 405, an accepted notification, ``ping``, ``initialize``, ``server/discover``, a client that hung up.
        """
        headers = Headers(scope["headers"])
        method = scope["method"]
        if method != "POST" and (method not in ("GET", "DELETE") or not headers.all(SESSION)):
            await respond(send, 405, headers=((b"allow", b"POST"),))
            return
        exchange = Exchange(
            call_id=str(uuid.uuid4()),
            server=scope["path"][len(PREFIX) + 1 :] or self._default_server,
            headers=headers,
            method=method,
            below=scope["path"][len(PREFIX) :],
        )
        try:
            if method == "POST":
                await self._post(exchange, receive, send)
            elif method == "GET":
                await self._get(exchange, receive, send)
            else:
                await self._delete(exchange, send)
        except ClientGone:
            return
        except asyncio.CancelledError:
            if not exchange.cancelled:
                raise
            _uncancelled()
            await self._cancelled(exchange, send)
        except CountersignError as error:
            await self._refuse(send, error, exchange)
        except Exception:  # noqa: BLE001 - the last line of defence: a defect is answered, not leaked
            # A defect of ours. The caller learns the call id and nothing else; the log has the rest.
            _LOG.exception("internal error in call %s", exchange.call_id)
            said = "The gateway failed; the operator finds this call id in the log."
            await self._refuse(send, CountersignError(said), exchange)

    async def aclose(self) -> None:
        """End every session, and wait until their servers were told."""
        self._sessions.close_all()
        while self._forgetting:
            await asyncio.gather(*self._forgetting)

    async def _post(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        message = await self._read(exchange, receive)
        channel = exchange.channel = self._channel(exchange, message, send)
        if listens(message):
            await self._streams.listen(exchange, channel, receive)
        elif message.wants_answer:
            await self._request(exchange, message, channel, receive)
        else:
            if message.method is None:
                await self._house.identity.identify(exchange.credentials)
                self._dispatch.response(exchange, message)
            else:
                await self._dispatch.notification(exchange, message)
            await respond(send, 202)

    async def _read(self, exchange: Exchange, receive: Receive) -> Message:
        """The message of a POST. Nothing of it has been judged."""
        headers = exchange.headers
        self._guard.check(headers)
        exchange.credentials = _presented(exchange)
        check_media_types(headers)
        body = await read_body(receive, headers, limit=self._max_body_bytes)
        exchange.body_read = True
        if len(body) > STRANGER_BODY_BYTES:
            await self._house.identity.identify(exchange.credentials)
        document = parse(body)
        exchange.rpc_id = rpc_id_of(document)
        exchange.message = message = read_message(headers, document)
        if len(body) > MAX_DECLARED_BYTES:
            check_declared(message)
        if message.era is Era.LEGACY and message.method != "initialize" and headers.all(SESSION):
            exchange.session = await self._session(exchange)
        return message

    async def _request(
        self, exchange: Exchange, message: Message, channel: Channel, receive: Receive
    ) -> None:
        """One request and its answer, cancelled as its era cancels."""
        upstream = self._house.upstreams.get(exchange.server)
        running = exchange.session.running if exchange.session is not None else None
        watch: Watch | None = None
        rpc_id = message.rpc_id
        assert rpc_id is not None
        if upstream is not None and upstream.cancels:
            if message.era is Era.MODERN:
                watch = self._watches.start(receive, exchange.canceller())
            elif running is not None:
                if rpc_id in running:
                    raise MalformedRequest("A request with this id is under way; ids are used once.")
                running[rpc_id] = exchange.canceller()
        try:
            answered = await self._dispatch.request(exchange, message)
        finally:
            if watch is not None:
                watch.stop()
            if running is not None:
                running.pop(rpc_id, None)
        opened = exchange.opened
        fields = () if opened is None else ((SESSION, opened.id.encode("ascii")),)
        status = status_of(answered) if message.era is Era.MODERN else 200
        await channel.finish(encoded(rpc_id, answered), status=status, headers=fields)

    async def _get(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        """The stream of a session."""
        session = await self._opened(exchange)
        if not accepts_streams(exchange.headers):
            raise MalformedRequest("Accept text/event-stream.", code="door.not_acceptable")
        exchange.channel = Channel(
            send,
            streams=True,
            session=session,
            capabilities=session.capabilities,
            credentials=exchange.credentials,
            param_headers={},
        )
        await self._streams.of_session(exchange, session, exchange.channel, receive)

    async def _delete(self, exchange: Exchange, send: Send) -> None:
        """The host ends its session."""
        self._sessions.close(await self._opened(exchange))
        await respond(send, 204)

    async def _opened(self, exchange: Exchange) -> Session:
        self._guard.check(exchange.headers)
        exchange.credentials = _presented(exchange)
        exchange.body_read = True
        exchange.session = await self._session(exchange)
        return exchange.session

    async def _session(self, exchange: Exchange) -> Session:
        """The session this request names. :raises SessionGone: it has none that is the caller's."""
        caller = await self._house.identity.identify(exchange.credentials)
        named = exchange.headers.one(SESSION) or ""
        return self._sessions.find(named, principal=caller.principal, server=exchange.server)

    def _channel(self, exchange: Exchange, message: Message, send: Send) -> Channel:
        session = exchange.session
        return Channel(
            send,
            streams=accepts_streams(exchange.headers),
            session=session,
            capabilities=session.capabilities if session is not None else message.capabilities,
            credentials=exchange.credentials,
            param_headers=exchange.headers.starting(b"mcp-param-") if message.era is Era.MODERN else {},
        )

    def _forget(self, session: Session) -> None:
        upstream = self._house.upstreams.get(session.server)
        if upstream is not None:
            task = asyncio.create_task(upstream.forget(session.key))
            self._forgetting.add(task)
            task.add_done_callback(self._forgetting.discard)

    async def _cancelled(self, exchange: Exchange, send: Send) -> None:
        """The host took its request back: it wants no answer, and HTTP wants an end."""
        if exchange.channel is not None and exchange.channel.started:
            await exchange.channel.finish(b"")
        else:
            await respond(send, 202)

    async def _refuse(self, send: Send, error: CountersignError, exchange: Exchange) -> None:
        message = exchange.message
        if not exchange.recorded:
            await self._house.books.rejected(
                call_id=exchange.call_id,
                server=exchange.server,
                error=error,
                method=message.method if message is not None else None,
            )
        status, headers, answered = refusal(error, exchange, self._access)
        body = encoded(exchange.rpc_id, answered)
        if exchange.channel is not None and exchange.channel.started:
            await exchange.channel.finish(body)
        else:
            await respond(send, status, body, headers=headers)


def _uncancelled() -> None:
    """Our own cancellation has arrived where it was meant to."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


def _presented(exchange: Exchange) -> Credentials:
    """Read once for each request: a proof of possession is good for one reading."""
    headers = exchange.headers
    return credentials_of(
        headers.all(b"authorization"), headers.all(b"dpop"), method=exchange.method, below=exchange.below
    )
