"""What a server asks before it answers (2025-11-25 and before: server requests), put to the host that may be asked.

A host is asked only what it declared, and what the conversation was opened with; anything else is answered here, and
the host never learns of it (2025-11-25/basic/lifecycle, capability negotiation).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from gateway.door.call import OWN_META_PREFIX
from gateway.door.host import ASKED_OF_HOSTS, Host, HostCannot
from gateway.errors import INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND
from gateway.upstream.frames import Frame, error_for, result_for, without_own

MAX_QUESTIONS = 16
"""Questions of one conversation that are open at once; a server that asks more asks to no purpose."""
_LOG = logging.getLogger("countersign.upstream")
_EMPTY = msgspec.Raw(b"{}")
_NOT_DECLARED = "This client did not declare that it can answer that."
_BUSY = "Too many questions are open."
_UNREADABLE = "The params cannot be read."

Send = Callable[[bytes], Awaitable[None]]


class _Mode(msgspec.Struct):
    mode: str = "form"


_MODE = msgspec.json.Decoder(_Mode)


def may_ask(method: str, params: msgspec.Raw, capabilities: Mapping[str, Any]) -> bool:
    """Whether a host with these capabilities may be asked this.

    ``elicitation: {}`` means forms only; the URL mode wants a declaration of its own
    (2025-11-25/client/elicitation, capabilities).
    """
    needed = ASKED_OF_HOSTS.get(method)
    declared = capabilities.get(needed) if needed is not None else None
    if not isinstance(declared, Mapping):
        return False
    if needed != "elicitation":
        return True
    try:
        mode = _MODE.decode(params).mode
    except (ValueError, RecursionError):
        return False
    return "form" in declared or not declared if mode == "form" else mode in declared


def their_own(params: msgspec.Raw) -> msgspec.Raw:
    """A server's question less what only the gateway may say. Attack: a server asks for a confirmation in its name.

    A name can be spelled with escapes, and a member can stand twice: then it is written anew. :raises ValueError:
    :raises RecursionError: it cannot be read.
    """
    encoded = bytes(memoryview(params))
    if OWN_META_PREFIX.encode() not in encoded and b"\\" not in encoded:
        return params
    return msgspec.Raw(msgspec.json.encode(without_own(params)))


class Questions:
    """The open questions of one conversation. ``send`` carries an answer to the server; it must not raise."""

    def __init__(self, declared: Mapping[str, Any], send: Send) -> None:
        self._declared = declared
        self._send = send
        self._settled: Callable[[], None] | None = None
        self._open: dict[bytes, asyncio.Task[None]] = {}

    @property
    def pending(self) -> bool:
        """Whether somebody else than the server is being waited for."""
        return bool(self._open)

    def when_settled(self, call: Callable[[], None]) -> None:
        """Call this whenever the last open one is answered: from then on it is the server that is silent."""
        self._settled = call

    def put(self, frame: Frame, host: Host | None) -> bytes | None:
        """One request of the server: the answer, where it is given here; None, where the host is asked now, in a task
        of its own that sends what the host answers."""
        key, method = frame.key, frame.method
        if key is None or method is None:
            return None
        params = _EMPTY if frame.params is msgspec.UNSET else frame.params
        if method == "ping":
            return result_for(key, _EMPTY)
        if host is None or not (
            may_ask(method, params, self._declared) and may_ask(method, params, host.capabilities)
        ):
            return error_for(key, METHOD_NOT_FOUND, _NOT_DECLARED)
        if len(self._open) >= MAX_QUESTIONS or key in self._open:
            return error_for(key, INTERNAL_ERROR, _BUSY)
        try:
            asked = their_own(params)
        except (ValueError, RecursionError):
            # Raised here it would end the reading of all that this server says, of which one line is no more than that.
            return error_for(key, INVALID_PARAMS, _UNREADABLE)
        task = self._open[key] = asyncio.create_task(self._asked(key, method, asked, host))
        task.add_done_callback(lambda _: self._closed(key))
        return None

    async def answer(self, frame: Frame, host: Host | None) -> None:
        """The same, and what is given here is sent."""
        given = self.put(frame, host)
        if given is not None:
            await self._send(given)

    def take_back(self, key: bytes | None) -> bool:
        """The server no longer wants that answer. False: it never asked."""
        task = self._open.get(key) if key is not None else None
        if task is None:
            return False
        task.cancel()
        return True

    def close(self) -> None:
        """Nobody waits for any of the answers any more."""
        for task in list(self._open.values()):
            task.cancel()

    def _closed(self, key: bytes) -> None:
        self._open.pop(key, None)
        if not self._open and self._settled is not None:
            self._settled()

    async def _asked(self, key: bytes, method: str, params: msgspec.Raw, host: Host) -> None:
        try:
            answer = result_for(key, await host.ask(method, params))
        except HostCannot as problem:
            answer = error_for(key, problem.code, problem.message, problem.data)
        except Exception:  # noqa: BLE001 - a defect of ours must not leave the server waiting
            _LOG.exception("a host broke in %s", method)
            answer = error_for(key, INTERNAL_ERROR, "The host could not be asked.")
        await self._send(answer)
