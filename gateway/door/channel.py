"""The way back to one host for one request: one JSON body, or an event stream once there is something to say first.

Which of the two it is, is decided by what happens: most calls are answered at once and cost no stream. This is the
:class:`~gateway.door.host.Host` that the rooms behind the door see.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gateway.door.call import OWN_META_PREFIX
from gateway.door.event_stream import (
    KEEP_ALIVE,
    KEEP_ALIVE_S,
    RETRY_MS,
    STREAM_HEADERS,
    KeptEvent,
    KeptStream,
    event,
)
from gateway.door.host import ASKED_OF_HOSTS, HostCannot
from gateway.door.http import Send, respond
from gateway.door.session import Session
from gateway.identity.credentials import Credentials, Secret

PRIMED_SINCE = "2025-11-25"
"""The version since which a stream begins with an empty event, so that a host has an id to come back with
(2025-11-25/basic/transports, sending messages, point 6)."""
_OWN = OWN_META_PREFIX.encode()
_ENCODER = msgspec.json.Encoder()
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Channel:
    """One request's way back. Not for two requests, and finished once."""

    __slots__ = (
        "_credentials",
        "_kept",
        "_send",
        "_session",
        "_streams",
        "_writing",
        "capabilities",
        "param_headers",
        "started",
    )

    def __init__(
        self,
        send: Send,
        *,
        streams: bool,
        session: Session | None,
        capabilities: Mapping[str, Any],
        credentials: Credentials,
        param_headers: Mapping[str, str],
    ) -> None:
        self._send = send
        self._streams = streams
        self._session = session
        self._credentials = credentials
        self._kept: KeptStream | None = None
        self._writing: asyncio.Lock | None = None
        self.capabilities = capabilities
        self.param_headers = param_headers
        self.started = False
        """Whether the answer is an event stream by now."""

    # -- Host -------------------------------------------------------------------------------------------------

    @property
    def key(self) -> str | None:
        """The session's, or, for a host of 2026-07-28 that can be asked something, its token's."""
        if self._session is not None:
            return self._session.key
        bearer = self._credentials.bearer
        if bearer is None or not any(one in self.capabilities for one in ASKED_OF_HOSTS.values()):
            return None
        # Not the hash by which a token is looked up: this one travels as a name.
        return "token:" + hashlib.sha256(b"conversation:" + bearer.sha256()).hexdigest()[:32]

    @property
    def subject_token(self) -> Secret | None:
        """The caller's own token, to be exchanged and sent nowhere else."""
        return self._credentials.bearer

    @property
    def asks_in_band(self) -> bool:
        """A session can be asked on the open stream of its call."""
        return self._session is not None and self._streams

    async def notify(self, message: msgspec.Raw) -> None:
        """Tell the host, if it reads streams."""
        if self._streams:
            passed = _without_own_words(bytes(memoryview(message)))
            if passed is not None:
                await self.write(passed)

    async def ask(self, method: str, params: msgspec.Raw) -> msgspec.Raw:
        """Ask on this stream, and wait for the session to bring the answer. Never a mode that was not declared."""
        capability = ASKED_OF_HOSTS.get(method)
        session = self._session
        if session is None or not self._streams or capability is None or capability not in self.capabilities:
            raise HostCannot(f"This host did not declare that it answers {method}.")
        rpc_id, answer = session.question()
        try:
            request = {"jsonrpc": "2.0", "id": rpc_id, "method": method, "params": params}
            await self.write(_ENCODER.encode(request))
            while not (await asyncio.wait({answer}, timeout=KEEP_ALIVE_S))[0]:
                await self.keep_alive()  # a person thinks longer than a proxy waits
            return answer.result()
        except asyncio.CancelledError:
            # Whoever asked has given up: a dialog that stays open invites an answer that answers nothing.
            taken_back = {"method": "notifications/cancelled", "params": {"requestId": rpc_id}}
            await self.write(_ENCODER.encode({"jsonrpc": "2.0", **taken_back}))
            raise
        finally:
            session.withdraw(rpc_id)
            if answer.done() and not answer.cancelled():
                answer.exception()  # the session may have ended in the moment of our own cancellation

    # -- the door's side --------------------------------------------------------------------------------------

    async def open(self, *, standing: bool = False, primed: bool = True) -> None:
        """Make it an event stream now, whether or not there is something to say yet.

        ``standing``: it answers no request. Not ``primed``: it tells another stream's events, under their own ids.
        """
        async with self._lock():
            await self._open(standing=standing, primed=primed)

    async def repeat(self, events: Iterable[KeptEvent]) -> None:
        """Events of another stream, as they were told before."""
        async with self._lock():
            for one in events:
                await self._send({"type": "http.response.body", "body": one.encoded, "more_body": True})

    async def write(self, message: bytes) -> None:
        """One message as an event."""
        async with self._lock():
            await self._open()
            await self._put(message)

    async def keep_alive(self) -> None:
        """A comment, so that nobody in between takes silence for the end."""
        async with self._lock():
            await self._send({"type": "http.response.body", "body": KEEP_ALIVE, "more_body": True})

    async def finish(
        self, message: bytes, *, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        """The last message. A status can only be said where no stream has begun."""
        if not self.started:
            await respond(self._send, status, message, headers=headers)
            return
        async with self._lock():
            if message:
                await self._put(message)
            if self._kept is not None:
                self._kept.end()
            await self._send({"type": "http.response.body", "body": b""})

    def _lock(self) -> asyncio.Lock:
        if self._writing is None:
            self._writing = asyncio.Lock()
        return self._writing

    async def _open(self, *, standing: bool = False, primed: bool = True) -> None:
        if self.started:
            return
        self.started = True
        await self._send({"type": "http.response.start", "status": 200, "headers": list(STREAM_HEADERS)})
        session = self._session
        if session is None or not primed:
            return
        self._kept = session.events.open(standing=standing)
        if session.protocol >= PRIMED_SINCE:
            body = self._kept.add(b"", retry_ms=RETRY_MS)
            await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def _put(self, message: bytes) -> None:
        body = event(message) if self._kept is None else self._kept.add(message)
        await self._send({"type": "http.response.body", "body": body, "more_body": True})


def _without_own_words(message: bytes) -> bytes | None:
    """A server's notification less what only the gateway may say; None: it cannot be read. Attack: a server that speaks
    with its authority, and spells the name with escapes.

    The rest stays as it was written. Raised here, a line that is too deep would cost the answer that comes after it.
    """
    if _OWN not in message and b"\\" not in message:
        return message
    try:
        document: dict[str, Any] = dict(_MEMBERS.decode(message))
        params = members_of(document.get("params"))
        meta = members_of(params.get("_meta"))
    except (ValueError, RecursionError):
        return None
    kept = {key: value for key, value in meta.items() if not key.startswith(OWN_META_PREFIX)}
    if len(kept) == len(meta):
        return message
    document["params"] = {**params, "_meta": kept}
    return _ENCODER.encode(document)


def members_of(value: msgspec.Raw | None) -> dict[str, Any]:
    """The members of an object, encoded; none of anything else. :raises ValueError: :raises RecursionError:"""
    if value is None or not bytes(value).lstrip().startswith(b"{"):
        return {}
    return dict(_MEMBERS.decode(value))
