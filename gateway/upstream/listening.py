"""What a server says on its own account, in the dialect of the host that listens: the older era's one stream for a
session, or a subscription that names what it wants (2026-07-28/basic/patterns/subscriptions).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.door.call import Era
from gateway.door.host import Host
from gateway.identity.credentials import Secret
from gateway.upstream.frames import ACKNOWLEDGED, notification, read_frame
from gateway.upstream.line import Line, Unanswered, Unsent

MAX_SUBSCRIPTIONS = 100
"""Resources of one subscription that are subscribed to at an older server, one request each."""
_EVERYTHING = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}
_FILTERED = {
    "notifications/tools/list_changed": "toolsListChanged",
    "notifications/prompts/list_changed": "promptsListChanged",
    "notifications/resources/list_changed": "resourcesListChanged",
}
_UPDATED = "notifications/resources/updated"


async def listen(line: Line, params: Mapping[str, Any], host: Host) -> None:
    """Hand over until the server ends it. :raises Unsent: there is no such stream. :raises Unanswered:"""
    wanted = params.get("notifications")
    asks_newer = isinstance(wanted, Mapping)
    if line.talk.era is Era.MODERN:
        if asks_newer:
            await line.listen(params, host)
        else:
            await line.listen({**params, "notifications": _EVERYTHING}, _Older(host))
        return
    if host.key is None:
        # The shared session's stream would tell one host what belongs to another.
        raise Unsent("has no stream without a session", code="upstream.no_stream")
    if not isinstance(wanted, Mapping):
        await line.listen({}, host)
        return
    agreed = await _subscribed(line, wanted, host)
    await host.notify(msgspec.Raw(notification(ACKNOWLEDGED, {"notifications": agreed})))
    await line.listen({}, _Newer(host, agreed))


async def _subscribed(line: Line, wanted: Mapping[str, Any], host: Host) -> dict[str, Any]:
    """Subscribe at an older server to what is wanted; what it agreed to. It ends with the session, not before."""
    agreed: dict[str, Any] = {name: True for name in _FILTERED.values() if wanted.get(name) is True}
    uris = wanted.get("resourceSubscriptions")
    done = []
    for uri in uris[:MAX_SUBSCRIPTIONS] if isinstance(uris, list) else []:
        if not isinstance(uri, str):
            continue
        try:
            reply = await line.exchange("resources/subscribe", {"uri": uri}, host)
        except Unanswered:
            continue
        if reply.result is not None:
            done.append(uri)
    return {**agreed, "resourceSubscriptions": done} if done else agreed


class _Wrapped:
    """A host, but for what it is told."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def key(self) -> str | None:
        return self._host.key

    @property
    def capabilities(self) -> Mapping[str, Any]:
        return self._host.capabilities

    @property
    def asks_in_band(self) -> bool:
        return self._host.asks_in_band

    @property
    def subject_token(self) -> Secret | None:
        return self._host.subject_token

    async def ask(self, method: str, params: msgspec.Raw) -> msgspec.Raw:
        return await self._host.ask(method, params)


class _Older(_Wrapped):
    """Does not know that anything was agreed to."""

    async def notify(self, message: msgspec.Raw) -> None:
        frame = read_frame(bytes(message))
        if frame is not None and frame.method != ACKNOWLEDGED:
            await self._host.notify(message)


class _Newer(_Wrapped):
    """Is told what it asked for and nothing else: a server must not send more (subscriptions, opening a stream)."""

    def __init__(self, host: Host, agreed: Mapping[str, Any]) -> None:
        super().__init__(host)
        self._agreed = agreed

    async def notify(self, message: msgspec.Raw) -> None:
        frame = read_frame(bytes(message))
        method = frame.method if frame is not None else None
        wanted = _FILTERED.get(method or "")
        if (
            (wanted in self._agreed)
            if wanted
            else (method == _UPDATED and "resourceSubscriptions" in self._agreed)
        ):
            await self._host.notify(message)
