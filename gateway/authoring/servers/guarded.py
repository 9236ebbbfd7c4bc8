"""The base of the reference servers: every definition signed and versioned, calls limited and recorded (R179).

What a call carries is never in the log: names, outcomes and reasons are.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from math import ceil
from typing import Any, Final

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, InputRequiredResult

from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.etdi import Etdi
from gateway.authoring.profiles import CUSTOM, granted_permissions
from gateway.authoring.server import SecureServer
from gateway.rate.bucket import Buckets

PER_MINUTE: Final = 120
BURST: Final = 30
_NOBODY: Final = "anyone"
_LOG = logging.getLogger("countersign.authoring.security")


class GuardedServer(SecureServer):
    """``per_minute`` calls of one caller, ``burst`` at once. ``monotonic``: seconds of a clock that is never set back.

    Without ``auth`` (the SDK's) all callers are one, as on a host's pipes.

    :raises ConfigInvalid: definitions would not be signed, or there is no limit.
    """

    def __init__(
        self,
        name: str,
        *,
        etdi: Etdi,
        per_minute: int = PER_MINUTE,
        burst: int = BURST,
        monotonic: Callable[[], float] = time.monotonic,
        **members: Any,
    ) -> None:
        if not etdi.signs:
            raise ConfigInvalid(f"{name}: a guarded server signs its definitions; give it a key")
        try:
            self._calls = Buckets(per_minute, burst, monotonic=monotonic)
        except ValueError as problem:
            raise ConfigInvalid(f"{name}: {problem}") from None
        super().__init__(name, etdi=etdi, **members)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """The SDK's, within the limit and recorded. :raises ToolError: too often, or what the tool refuses."""
        caller = caller_id()
        wait = self._calls.take(caller)
        if wait:
            _LOG.warning("refused tool=%r caller=%r reason=rate", name, caller)
            raise ToolError(f"Too many calls; try again in {ceil(wait)} s.")
        try:
            result = await super().call_tool(name, arguments, context)
        except ToolError as problem:
            _LOG.warning("refused tool=%r caller=%r reason=%s", name, caller, type(problem).__name__)
            raise
        _LOG.info("called tool=%r caller=%r", name, caller)
        return result


def caller_id() -> str:
    """Who calls, as the SDK's ``auth`` recognised them."""
    token = get_access_token()
    return _NOBODY if token is None else f"{token.client_id}/{token.subject or ''}"


def granted_to_caller() -> frozenset[str] | None:
    """The permissions in the caller's own token (scopes ``tool:<permission>``); None: callers have no tokens here."""
    token = get_access_token()
    if token is None:
        return None
    return granted_permissions(CUSTOM, {"scope": list(token.scopes)})
