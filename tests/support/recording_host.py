"""A host that keeps what it was told and asked, and answers as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from gateway.door.host import HostCannot
from gateway.identity.credentials import Secret

FORMS: Mapping[str, Any] = {"elicitation": {}}
ACCEPTED: Mapping[str, Any] = {"action": "accept", "content": {"name": "Ada"}}

Answering = Callable[[str, Any], Awaitable[Any]]


class RecordingHost:
    """``answer`` is what it answers to each question: a value, an exception, or a function of method and params."""

    def __init__(
        self,
        key: str | None = "k",
        capabilities: Mapping[str, Any] = FORMS,
        *,
        in_band: bool = True,
        answer: Any = ACCEPTED,
    ) -> None:
        self.key = key
        self.capabilities = capabilities
        self.asks_in_band = in_band
        self.subject_token: Secret | None = None
        self.answer = answer
        self.said: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.asked: list[tuple[str, Any]] = []
        self.heard = asyncio.Event()
        self.questioned = asyncio.Event()

    async def notify(self, message: msgspec.Raw) -> None:
        """Keep it."""
        self.raw.append(bytes(message))
        self.said.append(msgspec.json.decode(message))
        self.heard.set()

    async def ask(self, method: str, params: msgspec.Raw) -> msgspec.Raw:
        """Keep it, and answer."""
        asked = msgspec.json.decode(params)
        self.asked.append((method, asked))
        self.questioned.set()
        answer = await self.answer(method, asked) if callable(self.answer) else self.answer
        if isinstance(answer, HostCannot):
            raise answer
        return msgspec.Raw(msgspec.json.encode(answer))

    def methods(self) -> list[str]:
        """What it was told, by name."""
        return [one["method"] for one in self.said]
