"""What an answer of PayPal's own toolkit means. It says ``isError: false`` whatever PayPal said; the text tells. Pure.

====================================================  ==============================================
the text is JSON                                      what is known
====================================================  ==============================================
``{"ok": false, "status": 4xx, ...}``                 refused; 408 and 409 of a write: unknown
``{"ok": false, "status": 5xx}``, or without status   of a write unknown, of a read refused
``{"error": {"type": "paypal_error", ...}}``          of a write unknown, of a read refused
``{"errors": [...]}`` of a shipment                   refused, though PayPal said 200
anything else                                         as the reply says
====================================================  ==============================================
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.target import Effect, Reply

WRAPPED = frozenset({"pay_order"})
"""Tools that answer ``{status, response}``. What their REST operation would answer is given as
``structuredContent`` and as the only text: so the places that the policy masks are where it names them."""
LOOKED_UP = frozenset({"get_dispute", "get_invoice", "get_order", "show_subscription_plan_details"})
"""Reads that tell the amount of another call; their document is given as ``structuredContent``, too."""
_DOUBTFUL = frozenset({408, 409})
_UNKNOWN_CODE = -32603
_MOST_CHARS = 300


def judged(tool: str, reply: Reply) -> Reply:
    """The reply with the outcome that its text tells. Never raises."""
    if reply.effect is not Effect.EXECUTED or reply.result is None or reply.is_error:
        return reply
    try:
        result = msgspec.json.decode(reply.result)
        document = _document(result)
    except (ValueError, RecursionError):
        return reply
    if not isinstance(document, dict):
        return reply
    if document.get("ok") is False:
        return _failed(tool, reply, result, document, document.get("status"))
    error = document.get("error")
    if isinstance(error, dict) and (error.get("type") == "paypal_error" or len(document) == 1):
        return _failed(tool, reply, result, error, None)
    if tool == "create_shipment_tracking" and document.get("errors"):
        return _refused(reply, result, None)
    if tool in WRAPPED and isinstance(inner := document.get("response"), dict):
        text = msgspec.json.encode(inner).decode()
        shown = {**result, "structuredContent": inner, "content": [{"type": "text", "text": text}]}
        return msgspec.structs.replace(reply, result=msgspec.Raw(msgspec.json.encode(shown)))
    if tool in LOOKED_UP and "structuredContent" not in result:
        shown = {**result, "structuredContent": document}
        return msgspec.structs.replace(reply, result=msgspec.Raw(msgspec.json.encode(shown)))
    return reply


def _document(result: Any) -> Any:
    """The one text of a result, decoded. :raises ValueError:"""
    content = result.get("content") if isinstance(result, dict) else None
    if not isinstance(content, list) or len(content) != 1 or not isinstance(content[0], dict):
        return None
    text = content[0].get("text")
    return msgspec.json.decode(text) if isinstance(text, str) else None


def _failed(tool: str, reply: Reply, result: dict[str, Any], said: dict[str, Any], status: Any) -> Reply:
    known = status if isinstance(status, int) and not isinstance(status, bool) else None
    certain = known is not None and 400 <= known < 500 and known not in _DOUBTFUL
    if certain or TOOLS[tool].operation.effect == "read":
        return _refused(reply, result, known)
    message = said.get("message")
    text = message[:_MOST_CHARS] if isinstance(message, str) else "no usable answer"
    return Reply(
        effect=Effect.UNKNOWN,
        error={"code": _UNKNOWN_CODE, "message": text},
        is_error=True,
        status=known,
    )


def _refused(reply: Reply, result: dict[str, Any], status: int | None) -> Reply:
    """The same words, marked as the error that they are."""
    return msgspec.structs.replace(
        reply,
        effect=Effect.REFUSED,
        result=msgspec.Raw(msgspec.json.encode({**result, "isError": True})),
        is_error=True,
        status=status if status is not None else reply.status,
    )
