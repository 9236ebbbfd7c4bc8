"""What is broken, or was never a proper request -> HTTP status, headers and JSON-RPC error, in the host's era. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.door.call import Era
from gateway.door.exchange import Exchange
from gateway.door.http import CLOSE
from gateway.door.passing import MISSING_CAPABILITY
from gateway.errors import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, CountersignError
from gateway.identity.challenge import Access

_OF_THE_REQUEST = frozenset({INVALID_REQUEST, INVALID_PARAMS, MISSING_CAPABILITY})


def refusal(
    error: CountersignError, exchange: Exchange, access: Access
) -> tuple[int, tuple[tuple[bytes, bytes], ...], dict[str, Any]]:
    """Status, headers, and ``{"error": ...}`` with the call's id, by which the operator finds it in the audit."""
    message, status = exchange.message, error.http_status
    # By the path that was asked: `/mcp` is a resource of its own, whatever server it reaches.
    headers = access.challenge(error, exchange.below[1:])
    if not headers and message is not None and message.era is Era.LEGACY and status in (400, 404):
        # Older hosts read a JSON-RPC error only from a 200; the request was a fine HTTP request. A session that
        # is gone is told by its 404, and by nothing else.
        status = 200 if message.wants_answer and error.code != "door.session_unknown" else status
    if not exchange.body_read:
        # Whatever still comes on this connection was never looked at.
        headers = (*headers, CLOSE)
    data = {**error.data, "call_id": exchange.call_id}
    return status, headers, {"error": {"code": error.rpc_code, "message": error.message, "data": data}}


def status_of(answered: Mapping[str, Any]) -> int:
    """The HTTP status that 2026-07-28 gives a server's error (basic/transports/streamable-http, sending messages)."""
    code = answered["error"].get("code") if "error" in answered else None
    if code == METHOD_NOT_FOUND:
        return 404
    return 400 if code in _OF_THE_REQUEST else 200
