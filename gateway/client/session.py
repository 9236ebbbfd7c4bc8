"""The older era's session (2025-11-25/basic/transports): what has to be sent along, and how it is opened anew."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import httpx

from gateway.client.errors import BridgeError
from gateway.client.exchange import Gateway, answered
from gateway.client.message import Kind, Message, members_of, read_message, value_of, with_id

_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,512}")
_VERSION: Final = re.compile(r"[\x21-\x7e]{1,32}")
INITIALIZED: Final = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'


class LegacySession:
    """At most one session, the host's. A session id is a handle, never a credential."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._opening = asyncio.Lock()
        self._initialize: Message | None = None
        self._protocol: str | None = None
        self._id: str | None = None
        self.opened = 0
        """How many sessions there have been; a request notes it and learns whether the session has changed."""

    @property
    def has_id(self) -> bool:
        """Whether the gateway keeps a session at all."""
        return self._id is not None

    def headers(self) -> dict[str, str]:
        """What every request after ``initialize`` carries."""
        made = {}
        if self._protocol is not None:
            made["mcp-protocol-version"] = self._protocol
        if self._id is not None:
            made["mcp-session-id"] = self._id
        return made

    def begin(self, initialize: Message) -> None:
        """The host opens a session; what was before is over."""
        self._initialize = initialize
        self._protocol = self._id = None

    def note(self, response: httpx.Response, answer: Message) -> None:
        """Keep what the answer to ``initialize`` says."""
        if answer.result is None:
            return
        version = value_of(members_of(answer.result).get("protocolVersion"))
        self._protocol = version if isinstance(version, str) and _VERSION.fullmatch(version) else None
        ident = response.headers.get("mcp-session-id", "")
        self._id = ident if _VISIBLE.fullmatch(ident) else None
        self.opened += 1

    async def reopen(self, seen: int) -> bool:
        """The gateway no longer knows the session (404): open another, unless somebody has since ``seen``.

        The host is not asked: it said the same a moment ago. False: there is nothing to open, or it was refused.
        """
        async with self._opening:
            if self.opened != seen:
                return True
            if self._initialize is None:
                return False
            self._protocol = self._id = None
            body = with_id(self._initialize.body, f"countersign:reopen:{seen}")
            async with self._gateway.request("POST", {}, body) as response:
                async for event in answered(response):
                    if not event.data:
                        continue
                    try:
                        answer = read_message(event.data)
                    except ValueError:
                        return False
                    if answer.kind is Kind.RESPONSE:
                        self.note(response, answer)
                        break
            if self.opened == seen:
                return False
            async with self._gateway.request("POST", self.headers(), INITIALIZED):
                return True

    async def end(self) -> None:
        """Tell the gateway that the session is over; it may say 405, and it may be gone."""
        if self._id is None:
            return
        try:
            async with self._gateway.request("DELETE", self.headers()):
                self._id = None
        except BridgeError:
            pass
