"""What an upstream said -> what the host gets: passed on as it came, less what only the gateway may say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.door.call import OWN_META_PREFIX, Era
from gateway.door.protocol import META_SERVER, server_info
from gateway.errors import INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR

DECISION_META_KEY = "dev.countersign/decision"
"""``_meta`` key under which every answer that is not a plain pass-through says how it came to be."""
RECEIPT_META_KEY = "dev.countersign/receipt"
"""``_meta`` key of the signed receipt: a compact JWS (RFC 7515)."""
MISSING_CAPABILITY = -32021
"""2026-07-28/basic/index: what the host would have to declare stands in ``data.requiredCapabilities``."""
MAX_ERROR_CHARS = 1_000
"""Characters kept of an upstream's message, where its error is rewritten."""
JSON_RPC_CODES = frozenset({PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR})
"""Of the codes that JSON-RPC 2.0 reserves, those that mean the same from every server."""
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def pass_on(
    result: msgspec.Raw,
    era: Era,
    *,
    complete: bool,
    version: str,
    decision: Mapping[str, Any] | None,
    private: bool = False,
    receipt: str | None = None,
) -> msgspec.Raw | dict[str, Any]:
    """An upstream's ``result``: its members byte for byte; only ``_meta`` and ``resultType`` are ours to touch.

    ``complete``: the upstream said no ``resultType``; ``decision`` goes into ``_meta``; ``private``: whether this
    caller may read it was judged, so no cache may hand it to another (2026-07-28/server/utilities/caching);
    ``receipt``: likewise goes into ``_meta``.
    Attack: an upstream that writes the gateway's own ``_meta`` keys, and so speaks with the gateway's authority.
    """
    stamp = complete and era is Era.MODERN
    # The members stay encoded: 1 µs per KB, where reading and writing them anew costs ten (and respells numbers).
    members: dict[str, Any] = dict(_MEMBERS.decode(result))
    meta, forged = _meta_of(members)
    if stamp:
        # An older upstream's result without resultType means "complete" (2026-07-28/basic/index).
        members["resultType"] = "complete"
        meta = {META_SERVER: server_info(version), **meta}
    if decision is not None:
        meta[DECISION_META_KEY] = decision
    if receipt is not None:
        meta[RECEIPT_META_KEY] = receipt
    scoped = private and era is Era.MODERN
    if scoped:
        members["cacheScope"] = "private"
        members.setdefault("ttlMs", 0)
    if not (stamp or forged or scoped or decision is not None or receipt is not None):
        return result
    if meta or "_meta" in members:
        members["_meta"] = meta
    return members


def _meta_of(members: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The ``_meta`` an upstream may write, and whether it wrote more than that.

    One that is no object is dropped: the money has moved, and an error now would invite a second try.
    """
    try:
        came = _MEMBERS.decode(members.get("_meta", b"{}"))
    except msgspec.DecodeError:
        return {}, True
    kept: dict[str, Any] = {key: value for key, value in came.items() if not key.startswith(OWN_META_PREFIX)}
    return kept, len(kept) != len(came)


def error_of(error: Mapping[str, Any], era: Era, *, receipt: str | None = None) -> dict[str, Any]:
    """An upstream's JSON-RPC ``error`` as this door's own, with the receipt of the call in its ``data``.

    Attack: a server that writes members of ours into ``data``, and so signs for the gateway. They are dropped.

    Codes that MCP gives a meaning between host and *this* server (-32020 .. -32099: "you sent the wrong header,
    another version") would have the host mend its talk with us; -32002 and -32042 may not be sent at 2026-07-28. That
    a capability is missing is about the host's own declaration, which the server was told as it came.
    """
    code, message = error.get("code"), error.get("message")
    if isinstance(message, str) and (
        _means_the_same(code) or (era is Era.MODERN and code == MISSING_CAPABILITY)
    ):
        return _told(dict(error), error, receipt)
    shown = message[:MAX_ERROR_CHARS] if isinstance(message, str) else "The upstream answered with an error."
    rewritten: dict[str, Any] = {"code": INTERNAL_ERROR, "message": shown}
    return _told(rewritten, {"data": {"code": "upstream.error", "upstream": dict(error)}}, receipt)


def _told(made: dict[str, Any], error: Mapping[str, Any], receipt: str | None) -> dict[str, Any]:
    if "data" not in error and receipt is None:
        return made
    data = error.get("data", {})
    if isinstance(data, dict):
        data = {key: value for key, value in data.items() if not str(key).startswith(OWN_META_PREFIX)}
    if receipt is not None:
        data = {**(data if isinstance(data, dict) else {"upstream": data}), RECEIPT_META_KEY: receipt}
    return {**made, "data": data}


def _means_the_same(code: Any) -> bool:
    if not isinstance(code, int) or isinstance(code, bool):
        return False
    return code in JSON_RPC_CODES or not -32768 <= code <= -32000
