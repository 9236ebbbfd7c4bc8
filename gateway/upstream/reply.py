"""An upstream's JSON-RPC response -> :class:`~gateway.upstream.target.Reply`. Pure.

Only the head of a result is looked at; the result itself stays encoded and passes on as it came.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.errors import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR
from gateway.upstream.target import OUTCOME_META_KEY, Effect, Reply

_REFUSALS = frozenset({PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS})
"""JSON-RPC errors by which a server says that it did not begin. Any other error may have come half-way."""


class _Response(msgspec.Struct):
    jsonrpc: str
    id: Any = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


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


def read_response(body: bytes | msgspec.Raw, *, rpc_id: str | int) -> Reply | None:
    """The reply of a foreign server, or None when the bytes are no answer to this request.

    An ``isError`` result counts as executed: the server ran and says it failed, and nobody knows how far it got.
    """
    try:
        response = _RESPONSE.decode(body)
        if response.jsonrpc != "2.0" or response.id != rpc_id or type(response.id) is not type(rpc_id):
            return None
        if isinstance(response.error, dict):
            effect = Effect.REFUSED if response.error.get("code") in _REFUSALS else Effect.UNKNOWN
            return Reply(effect=effect, error=response.error, is_error=True)
        if response.result is msgspec.UNSET:
            return None
        head = _HEAD.decode(response.result)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None
    return Reply(
        effect=Effect.EXECUTED,
        result=response.result,
        is_error=head.is_error,
        result_type=head.result_type,
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
