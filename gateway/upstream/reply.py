"""An upstream's JSON-RPC response -> :class:`~gateway.upstream.target.Reply`. Pure.

Only the head of a result is looked at; the result itself stays encoded and passes on as it came.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.errors import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNSUPPORTED_PROTOCOL_VERSION,
)
from gateway.upstream.target import OUTCOME_META_KEY, Effect, Reply

_REFUSALS = frozenset(
    {
        PARSE_ERROR,
        INVALID_REQUEST,
        METHOD_NOT_FOUND,
        INVALID_PARAMS,
        HEADER_MISMATCH,
        UNSUPPORTED_PROTOCOL_VERSION,
        -32021,  # MISSING_REQUIRED_CLIENT_CAPABILITY (2026-07-28)
    }
)
"""Errors by which a server says that it did not begin. Any other error may have come half-way."""
COMPLETE = "complete"
INPUT_REQUIRED = "input_required"
"""The two ``resultType`` (2026-07-28/basic/index) that are understood. A server that answers in another one was not
told that anybody here speaks it; what it did is not known."""


class _Response(msgspec.Struct):
    jsonrpc: str
    id: Any = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET


class _Head(msgspec.Struct, rename="camel"):
    is_error: bool = False
    result_type: str | None = None


class _Outcome(msgspec.Struct):
    outcome: Effect
    status: int | None = None
    debug_id: str | None = None
    request_id: str | None = None


_RESPONSE = msgspec.json.Decoder(_Response)
_HEAD = msgspec.json.Decoder(_Head)


def read_response(body: bytes | msgspec.Raw, *, rpc_id: str | int, status: int | None = None) -> Reply | None:
    """The reply of a foreign server, or None when the bytes are no answer to this request. Never raises.

    ``status`` is HTTP's, and goes into the reply as it is.
    A result that asks for input (2026-07-28/basic/patterns/mrtr) is *waiting*, whoever may be asked.
    An ``isError`` result counts as executed: the server ran and says it failed, and nobody knows how far it got.
    A response with both a result and an error says two things and so nothing (JSON-RPC 2.0 section 5).
    """
    try:
        # A result that passes on as it came must be text: msgspec skips over broken UTF-8 in what it leaves encoded.
        memoryview(body).tobytes().decode()
        response = _RESPONSE.decode(body)
        if response.jsonrpc != "2.0" or response.id != rpc_id or type(response.id) is not type(rpc_id):
            return None
        if isinstance(response.error, dict):
            return None if response.result is not msgspec.UNSET else _error_reply(response.error, status)
        if response.result is msgspec.UNSET:
            return None
        head = _HEAD.decode(response.result)
    except (ValueError, RecursionError):
        # Of msgspec all but two are ValueErrors of its own: broken UTF-8 and depth are Python's.
        return None
    if head.result_type not in (None, COMPLETE, INPUT_REQUIRED):
        return None
    return Reply(
        effect=Effect.WAITING if head.result_type == INPUT_REQUIRED else Effect.EXECUTED,
        result=response.result,
        is_error=head.is_error,
        result_type=head.result_type,
        status=status,
    )


def _error_reply(error: dict[str, Any], status: int | None) -> Reply:
    code = error.get("code")
    refused = isinstance(code, int) and code in _REFUSALS
    return Reply(
        effect=Effect.REFUSED if refused else Effect.UNKNOWN, error=error, is_error=True, status=status
    )


def own_reply(result: dict[str, Any]) -> Reply:
    """The reply of a server of our own, which says in ``_meta`` how the call ended.

    That block is taken off the result: a caller learns it from the gateway's words, not from a spoofable copy.
    Without a readable block the outcome is unknown.
    """
    meta = dict(result.get("_meta") or {})
    try:
        said = msgspec.convert(meta.pop(OUTCOME_META_KEY, None), _Outcome)
    except msgspec.ValidationError:
        said = _Outcome(outcome=Effect.UNKNOWN)
    kept = {key: value for key, value in result.items() if key != "_meta"}
    if meta:
        kept["_meta"] = meta
    return Reply(
        effect=said.outcome,
        result=msgspec.Raw(msgspec.json.encode(kept)),
        is_error=bool(result.get("isError")),
        result_type=result.get("resultType"),
        status=said.status,
        debug_id=said.debug_id,
        request_id=said.request_id,
    )
