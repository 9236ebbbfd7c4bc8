"""What one era has and the other lacks, and how a host of the one gets it from a server of the other. No I/O but for
the log level of an older session.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from gateway.door.call import Era
from gateway.door.host import Host
from gateway.errors import INVALID_PARAMS, METHOD_NOT_FOUND, UpstreamUnavailable
from gateway.upstream.line import Line, Unanswered, Unsent
from gateway.upstream.mcp_request import META_LOG_LEVEL, meta_of
from gateway.upstream.target import Effect, Reply

LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""RFC 5424 severities, as ``LoggingLevel`` has them in both eras."""
MAX_LEVELS = 4_096
"""Keys whose log level is remembered; of more, the longest unused is forgotten and logs nothing again."""
STATEFUL = frozenset({"logging/setLevel", "resources/subscribe", "resources/unsubscribe"})
"""What changes an older session: not for those who share one, or one host would turn another's logs on and off."""
OLDER_NOTIFICATIONS = frozenset(
    {
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/roots/list_changed",
    }
)
"""What a host of the older era says and a modern server knows no use for (2026-07-28/changelog)."""
_DONE = Reply(effect=Effect.EXECUTED, result=msgspec.Raw(b"{}"))


class Bridge:
    """Per server. Remembers the log levels of hosts that set them once, for a server that wants them each time."""

    def __init__(self) -> None:
        self._levels: OrderedDict[str, str] = OrderedDict()

    def params(self, line: Line, params: Mapping[str, Any], host: Host) -> dict[str, Any]:
        """A host's parameters as this server gets them: the same, with the ``_meta`` that is meant for it."""
        meta = self.meta(line, meta_of(params.get("_meta"), line.talk.era), host)
        sent = {key: value for key, value in params.items() if key != "_meta"}
        return {**sent, "_meta": meta} if meta else sent

    def meta(self, line: Line, meta: dict[str, Any], host: Host) -> dict[str, Any]:
        """``_meta`` with the log level that this host set in its own era (2026-07-28/server/utilities/logging)."""
        if not self._levels or host.key is None or line.talk.era is not Era.MODERN or META_LOG_LEVEL in meta:
            return meta
        level = self._levels.get(host.key)
        if level is None:
            return meta
        self._levels.move_to_end(host.key)
        return {**meta, META_LOG_LEVEL: level}

    async def level(self, line: Line, meta: Any, host: Host) -> None:
        """The log level of a modern request, set in the older session of that host. Best effort: it is but logs."""
        level = meta.get(META_LOG_LEVEL) if isinstance(meta, Mapping) else None
        if level is None or host.key is None or level == line.level or level not in LEVELS:
            return
        if line.about is None or "logging" not in line.about.capabilities:
            return
        line.level = level
        with suppress(Unsent, Unanswered, UpstreamUnavailable):
            await line.exchange("logging/setLevel", {"level": level}, host)

    def answer(self, line: Line, method: str, params: Mapping[str, Any], host: Host) -> Reply | None:
        """The answer to what this server need not, or must not, be asked; None: it is for the server."""
        if method == "ping":
            return _DONE
        if method not in STATEFUL:
            return None
        if host.key is None:
            return _refused("This needs a session.")
        if line.talk.era is Era.LEGACY:
            return None
        if method != "logging/setLevel":
            # Its counterpart is a stream that names what it wants (subscriptions/listen), not a request.
            return _refused("This server has no such method.")
        level = params.get("level")
        if level not in LEVELS:
            return _refused("There is no such log level.", code=INVALID_PARAMS)
        self._levels[host.key] = level
        self._levels.move_to_end(host.key)
        if len(self._levels) > MAX_LEVELS:
            self._levels.popitem(last=False)
        return _DONE

    def heard(self, line: Line, method: str, params: Mapping[str, Any], reply: Reply) -> None:
        """A server answered: remember what its session is set to."""
        if method == "logging/setLevel" and reply.result is not None:
            line.level = params.get("level")

    def forget(self, key: str) -> None:
        """The key is gone."""
        self._levels.pop(key, None)


def _refused(message: str, *, code: int = METHOD_NOT_FOUND) -> Reply:
    return Reply(effect=Effect.REFUSED, error={"code": code, "message": message}, is_error=True)
