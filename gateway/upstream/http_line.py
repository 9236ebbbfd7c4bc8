"""A conversation over streamable HTTP: stateless in the new era, a session before (2026-07-28 and 2025-11-25
basic/transports).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gateway.door.call import Era
from gateway.door.host import NOBODY, Host
from gateway.errors import UpstreamUnavailable
from gateway.http1.errors import Http1Error, InvalidRequest, NoReplyTimeout, NotSent
from gateway.http1.message import first
from gateway.upstream.delivery import Delivery
from gateway.upstream.frames import CANCELLED, cancelled
from gateway.upstream.http_answer import Streamed, questions_of
from gateway.upstream.http_listener import LISTEN, Listener
from gateway.upstream.http_wire import HttpWire, Refused, is_events, whole
from gateway.upstream.line import SessionEnded, Unanswered, Unsent
from gateway.upstream.mcp_request import (
    NOTHING,
    SESSION,
    Talk,
    body_of,
    capabilities_of,
    headers_of,
    name_of,
    session_of,
    stream_headers_of,
)
from gateway.upstream.reply import read_response
from gateway.upstream.sse import EventTooLarge
from gateway.upstream.target import About, Reply

_SESSION_GONE = 404


class HttpLine:
    """See :class:`~gateway.upstream.line.Line`."""

    def __init__(
        self, wire: HttpWire, delivery: Delivery, *, declared: Mapping[str, Any], era: Era, protocol: str
    ) -> None:
        self.talk = Talk(era=era, protocol=protocol)
        self.about: About | None = None
        self.declared = declared
        self.used_at = asyncio.get_running_loop().time()
        self.level: str | None = None
        self.alive = True
        self._wire = wire
        self._delivery = delivery
        self._ids = itertools.count(1)
        self._session: bytes | None = None
        self._users = 0

    def propose(self, era: Era, protocol: str) -> None:
        """See ``Line.propose``."""
        self.talk = Talk(era=era, protocol=protocol)

    def agree(self, about: About) -> None:
        """See ``Line.agree``; in the older era with the session that came with the answer."""
        self.about = about
        session = self._session if about.era is Era.LEGACY else None
        self.talk = Talk(era=about.era, protocol=about.protocol, session=session)

    @property
    def busy(self) -> bool:
        """See ``Line.busy``."""
        return self._users > 0

    async def exchange(
        self,
        method: str,
        params: Mapping[str, Any],
        host: Host,
        *,
        headers: Mapping[str, str] = NOTHING,
        timeout_s: float | None = None,
    ) -> Reply:
        """See ``Line.exchange``. A request that met a 401 was not applied (RFC 9110 section 15.5.2), so it leaves once
        more, ``tools/call`` too, where the credential is another one by then."""
        self._users += 1
        try:
            authorization = await self._wire.credential.authorization(host)
            try:
                return await self._once(method, params, host, headers, timeout_s, authorization)
            except Refused:
                pass
            fresh = await self._wire.credential.authorization(host)
            if fresh is None or fresh == authorization:
                raise _unauthorized()
            try:
                return await self._once(method, params, host, headers, timeout_s, fresh)
            except Refused as problem:
                raise _unauthorized() from problem
        finally:
            self._users -= 1
            self.used_at = asyncio.get_running_loop().time()

    async def tell(self, method: str, params: Mapping[str, Any], host: Host) -> None:
        """See ``Line.tell``."""
        await self._short(method, self._body(method, params, None, host), host)

    async def listen(self, params: Mapping[str, Any], host: Host) -> None:
        """See ``Line.listen``."""
        self._users += 1
        try:
            authorization = await self._wire.credential.authorization(host)
            listener = Listener(
                self._wire,
                self.talk,
                host=host,
                delivery=self._delivery,
                questions=questions_of(self._wire, self.talk, self.declared, authorization),
                authorization=authorization,
            )
            if self.talk.era is Era.LEGACY:
                await listener.session()
            else:
                rpc_id = next(self._ids)
                await listener.subscribed(rpc_id, self._body(LISTEN, params, rpc_id, host))
        except Refused as problem:
            raise _unauthorized() from problem
        except (NotSent, InvalidRequest) as problem:
            raise Unsent("cannot be reached") from problem
        except (Http1Error, EventTooLarge) as problem:
            raise Unanswered("broke off its stream") from problem
        finally:
            self._users -= 1
            self.used_at = asyncio.get_running_loop().time()

    async def aclose(self) -> None:
        """End the session at the server (DELETE). One that forbids that (405) ends it on its own."""
        self.alive = False
        talk, self.talk = self.talk, Talk(era=self.talk.era, protocol=self.talk.protocol)
        if talk.session is not None:
            with suppress(Http1Error, InvalidRequest, UpstreamUnavailable):
                authorization = await self._wire.credential.authorization(NOBODY)
                headers = stream_headers_of(talk, authorization=authorization)
                await self._wire.short(b"DELETE", headers)

    async def _once(
        self,
        method: str,
        params: Mapping[str, Any],
        host: Host,
        headers: Mapping[str, str],
        timeout_s: float | None,
        authorization: bytes | None,
    ) -> Reply:
        """:raises Refused: :raises Unsent: :raises Unanswered:"""
        rpc_id = next(self._ids)
        talk, wire = self.talk, self._wire
        silence_s = timeout_s or wire.patience.silence_s
        name = name_of(method, params)
        sent = headers_of(talk, method, authorization=authorization, name=name, params=headers)
        body = self._body(method, params, rpc_id, host)
        data, streamed = b"", None
        try:
            async with wire.post(sent, body, timeout_s=silence_s) as response:
                wire.let_in(response, authorization)
                status = response.status
                if method == "initialize":
                    self._session = session_of(first(response.headers, SESSION))
                if not is_events(response):
                    # Nearly always head and body come in one piece: then nothing is waited for, and nothing timed.
                    now = response.rest()
                    data = await whole(response, timeout_s=silence_s) if now is None else now
                else:
                    streamed = self._streamed(rpc_id, host, authorization)
                    await streamed.first(response)
            if streamed is not None:
                data = await streamed.rest()
        except (NotSent, InvalidRequest) as problem:
            raise Unsent("cannot be reached") from problem
        except (NoReplyTimeout, TimeoutError) as problem:
            self._give_up(method, rpc_id, host)
            raise Unanswered("did not answer in time") from problem
        except (Http1Error, ValueError) as problem:
            raise Unanswered("did not answer properly") from problem
        except asyncio.CancelledError:
            self._give_up(method, rpc_id, host)
            raise
        reply = read_response(data, rpc_id=rpc_id, status=status)
        if reply is not None:
            return reply
        if status == _SESSION_GONE and talk.session is not None:
            raise SessionEnded
        raise Unanswered("did not answer properly", status=status)

    def _streamed(self, rpc_id: int, host: Host, authorization: bytes | None) -> Streamed:
        return Streamed(
            self._wire,
            self.talk,
            rpc_id,
            host=host,
            delivery=self._delivery,
            declared=self.declared,
            authorization=authorization,
        )

    def _give_up(self, method: str, rpc_id: int, host: Host) -> None:
        """Tell an older server that nobody waits (2025-11-25/basic/utilities/cancellation). A newer one knows: the
        stream is closed. ``initialize`` must not be cancelled."""
        if self.talk.era is Era.LEGACY and method != "initialize" and self.alive:
            self._wire.later(self._cancelled(rpc_id, host))

    async def _cancelled(self, rpc_id: int, host: Host) -> None:
        with suppress(Unsent, Unanswered, UpstreamUnavailable):
            await self._short(CANCELLED, cancelled(rpc_id), host)

    async def _short(self, method: str, body: bytes, host: Host) -> None:
        authorization = await self._wire.credential.authorization(host)
        try:
            await self._wire.short(b"POST", headers_of(self.talk, method, authorization=authorization), body)
        except (NotSent, InvalidRequest) as problem:
            raise Unsent("cannot be reached") from problem
        except Http1Error as problem:
            raise Unanswered("did not take a message") from problem

    def _body(self, method: str, params: Mapping[str, Any], rpc_id: int | None, host: Host) -> bytes:
        declared = capabilities_of(host.capabilities) if self.talk.era is Era.MODERN else NOTHING
        return body_of(
            self.talk, method, params, rpc_id=rpc_id, client=self._wire.client, capabilities=declared
        )


def _unauthorized() -> Unsent:
    return Unsent("does not accept the gateway's credential", code="upstream.unauthorized")
