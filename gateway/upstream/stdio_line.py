"""A conversation over a pipe (2026-07-28 and 2025-11-25 basic/transports, stdio).

All that is said comes down one channel. Requests get ids and progress tokens of the gateway's own, which are taken back
on the way to the host. What bears neither is attributed like this: in a process of one host, to whoever of that host
listens or asked last; in a shared one, to the one request that is under way, and to nobody where there are several.
A shared process of the older era was opened with no capabilities: whatever it asks is refused here.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from gateway.door.call import Era
from gateway.door.host import Host
from gateway.upstream.delivery import Delivery
from gateway.upstream.frames import CANCELLED, PROGRESS, Frame, cancelled, correlation, read_frame, with_token
from gateway.upstream.http_wire import Patience
from gateway.upstream.line import Unanswered, Unsent
from gateway.upstream.mcp_request import NOTHING, Talk, body_of, capabilities_of
from gateway.upstream.questions import Questions
from gateway.upstream.reply import read_response
from gateway.upstream.stdio_inbox import Inbox
from gateway.upstream.stdio_process import Command, Process
from gateway.upstream.target import About, Reply

LISTEN = "subscriptions/listen"
_LOGGED = "notifications/message"
_OPENING = frozenset({"server/discover", "initialize"})
_MAX_DIGITS = 18
_LOG = logging.getLogger("countersign.upstream.stdio")


class StdioLine:
    """See :class:`~gateway.upstream.line.Line`. ``own`` says that the process serves one key alone."""

    def __init__(
        self,
        name: str,
        delivery: Delivery,
        *,
        client: Mapping[str, str],
        declared: Mapping[str, Any],
        own: bool,
        patience: Patience,
        era: Era,
        protocol: str,
        ended: Callable[[StdioLine], None],
    ) -> None:
        self.talk = Talk(era=era, protocol=protocol)
        self.about: About | None = None
        self.declared = declared
        self.started_at = self.used_at = asyncio.get_running_loop().time()
        self.level: str | None = None
        self.closed = False
        self.failed = False
        self._name = name
        self._delivery = delivery
        self._client = client
        self._own = own
        self._patience = patience
        self._when_ended = ended
        self._ids = itertools.count(1)
        self._inboxes: dict[int, Inbox] = {}
        self._listeners: dict[int, Inbox] = {}
        self._questions = Questions(declared, self._respond)
        self._questions.when_settled(self._wake)
        self._garbage = 0
        self._process: Process | None = None

    async def start(self, command: Command, *, grace_s: float) -> None:
        """:raises Unsent: the command cannot be started."""
        self._process = await Process.start(
            self._name, command, heard=self._heard, ended=self._ended, grace_s=grace_s
        )

    def propose(self, era: Era, protocol: str) -> None:
        """See ``Line.propose``."""
        self.talk = Talk(era=era, protocol=protocol)

    def agree(self, about: About) -> None:
        """See ``Line.agree``."""
        self.about = about
        self.talk = Talk(era=about.era, protocol=about.protocol)

    @property
    def alive(self) -> bool:
        """See ``Line.alive``."""
        return not self.closed and self._process is not None and self._process.alive

    @property
    def busy(self) -> bool:
        """See ``Line.busy``."""
        return bool(self._inboxes or self._listeners)

    @property
    def pid(self) -> int | None:
        """Of the process, once it was started."""
        return None if self._process is None else self._process.pid

    async def exchange(
        self,
        method: str,
        params: Mapping[str, Any],
        host: Host,
        *,
        headers: Mapping[str, str] = NOTHING,
        timeout_s: float | None = None,
    ) -> Reply:
        """See ``Line.exchange``. There are no headers on a pipe."""
        del headers
        rpc_id = next(self._ids)
        meta = params.get("_meta", NOTHING)
        token = meta.get("progressToken")
        if token is not None:
            params = {**params, "_meta": {**meta, "progressToken": rpc_id}}
        inbox = self._inboxes[rpc_id] = Inbox(host, token)
        try:
            self._send(self._body(method, params, rpc_id, host))
            await self._follow(inbox, timeout_s or self._patience.silence_s)
        except TimeoutError as problem:
            self._give_up(method, rpc_id)
            raise Unanswered("did not answer in time") from problem
        except asyncio.CancelledError:
            self._give_up(method, rpc_id)
            raise
        finally:
            self._left(self._inboxes, rpc_id)
        reply = None if inbox.answer is None else read_response(inbox.answer, rpc_id=rpc_id)
        if reply is None:
            raise Unanswered("ended before it answered" if inbox.broken else "did not answer properly")
        return reply

    async def tell(self, method: str, params: Mapping[str, Any], host: Host) -> None:
        """See ``Line.tell``."""
        self._send(self._body(method, params, None, host))

    async def listen(self, params: Mapping[str, Any], host: Host) -> None:
        """See ``Line.listen``. In the older era nothing has to be said for it: what comes unasked is simply heard."""
        rpc_id = next(self._ids)
        inbox = self._listeners[rpc_id] = Inbox(host)
        modern = self.talk.era is Era.MODERN
        try:
            if modern:
                self._send(self._body(LISTEN, params, rpc_id, host))
            await self._follow(inbox, None)
        except asyncio.CancelledError:
            if modern:
                self._give_up(LISTEN, rpc_id)
            raise
        finally:
            self._left(self._listeners, rpc_id)
        reply = None if inbox.answer is None else read_response(inbox.answer, rpc_id=rpc_id)
        if reply is not None and reply.error is not None:
            raise Unsent("has no stream of its own", code="upstream.no_stream")

    async def aclose(self) -> None:
        """End the process and all that it started."""
        self.closed = True
        self._questions.close()
        if self._process is not None:
            await self._process.aclose()

    # What comes up the pipe -----------------------------------------------------------------------------

    def _heard(self, data: bytes) -> None:
        frame = read_frame(data)
        if frame is None:
            self._garbage += 1
            if self._garbage == 1:
                _LOG.warning("%s: writes lines that are no messages; they are passed over", self._name)
        elif frame.is_notification:
            self._attribute(frame, data)
        elif frame.is_request:
            self._asked(frame)
        elif frame.method is None:
            key = frame.key or b""
            number = int(key) if key.isdigit() and len(key) <= _MAX_DIGITS else 0
            inbox = self._inboxes.get(number) or self._listeners.get(number)
            if inbox is not None:  # else: the answer to what was never asked, or is not waited for any more
                inbox.end(data)

    def _asked(self, frame: Frame) -> None:
        if self.talk.era is Era.MODERN:
            return  # it must not ask, and is sent no responses (2026-07-28/basic/transports/stdio)
        inbox = self._nearest(self._inboxes, self._listeners)
        given = self._questions.put(frame, None if inbox is None else inbox.host)
        if given is not None:
            with suppress(Unsent):
                self._send(given)
        self._wake()  # whoever waits here counted the silence of the server: now it is the host that thinks

    def _attribute(self, frame: Frame, data: bytes) -> None:
        token, subscription, request_id = correlation(frame)
        inbox: Inbox | None
        if frame.method == CANCELLED:
            self._taken_back(request_id)
            return
        if frame.method == PROGRESS:
            inbox = self._inboxes.get(token) if type(token) is int else None
            if inbox is not None and inbox.token is not None:
                with suppress(ValueError, KeyError, RecursionError):
                    inbox.say(frame, with_token(data, inbox.token))
            return
        if subscription is not None:
            inbox = self._listeners.get(subscription) if type(subscription) is int else None
        elif frame.method == _LOGGED:
            inbox = self._nearest(self._inboxes, self._listeners)
        else:
            inbox = self._nearest(self._listeners, self._inboxes)
        if inbox is None:
            self._delivery.looked_at(frame)
        else:
            inbox.say(frame, data)

    def _nearest(self, first: Mapping[int, Inbox], second: Mapping[int, Inbox]) -> Inbox | None:
        """Whom something concerns that does not say whom."""
        if self._own:
            every = list((first or second).values())
            return every[-1] if every else None
        return next(iter(self._inboxes.values())) if len(self._inboxes) == 1 else None

    def _taken_back(self, request_id: bytes | None) -> None:
        """A question that is moot, or (2026-07-28, subscriptions) a subscription that the server ends."""
        if not self._questions.take_back(request_id) and request_id is not None and request_id.isdigit():
            inbox = self._listeners.get(int(request_id[:_MAX_DIGITS]))
            if inbox is not None:
                inbox.break_off()

    def _ended(self) -> None:
        for inbox in [*self._inboxes.values(), *self._listeners.values()]:
            inbox.break_off()
        self._questions.close()
        self._when_ended(self)

    # What goes down ------------------------------------------------------------------------------------

    async def _follow(self, inbox: Inbox, silence_s: float | None) -> None:
        """Hand over until it is over. :raises TimeoutError: the server was silent; None: it may be."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._patience.whole_s
        while True:
            while (said := inbox.next()) is not None:
                await self._delivery.said(*said, inbox.host, None)
            if inbox.over:
                return
            if silence_s is None:
                await inbox.change(None)
            elif self._questions.pending:
                await inbox.change(deadline)
            else:
                await inbox.change(min(deadline, clock() + silence_s))

    def _wake(self) -> None:
        for inbox in self._inboxes.values():
            inbox.wake()

    def _left(self, inboxes: dict[int, Inbox], rpc_id: int) -> None:
        inboxes.pop(rpc_id, None)
        self.used_at = asyncio.get_running_loop().time()
        if not self.busy:
            self._questions.close()

    def _give_up(self, method: str, rpc_id: int) -> None:
        """There is no stream to close: both eras are told (stdio, cancellation)."""
        if method not in _OPENING:
            with suppress(Unsent):
                self._send(cancelled(rpc_id))

    def _send(self, message: bytes) -> None:
        if self._process is None:
            raise Unsent("is not running")
        self._process.send(message)

    async def _respond(self, answer: bytes) -> None:
        with suppress(Unsent):
            self._send(answer)

    def _body(self, method: str, params: Mapping[str, Any], rpc_id: int | None, host: Host) -> bytes:
        declared = capabilities_of(host.capabilities) if self.talk.era is Era.MODERN else NOTHING
        return body_of(self.talk, method, params, rpc_id=rpc_id, client=self._client, capabilities=declared)
