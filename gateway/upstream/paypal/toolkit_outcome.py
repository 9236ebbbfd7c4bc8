"""What an answer of PayPal's own toolkit means. It says ``isError: false`` whatever PayPal said; the text tells. Pure.

====================================================  ==============================================
the text is JSON                                      what is known
====================================================  ==============================================
``{"ok": false, "status": 4xx, ...}``                 refused; 408 and 409 of a write: unknown
``{"ok": false, "status": 5xx}``, or without status   of a write unknown, of a read refused
``{"error": {"type": "paypal_error", ...}}``          of a write unknown, of a read refused
``{"errors": [...]}`` of a shipment                   refused, though PayPal said 200
``{"status": "error", "response": ...}``              of a write unknown, of a read refused
``{"status": "success", "response": {...}}``          as the reply says; the response is the document
anything else                                         as the reply says
====================================================  ==============================================
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.target import Effect, Reply

LOOKED_UP = frozenset(
    {
        "get_dispute",
        "get_invoice",
        "get_order",
        "show_subscription_details",
        "show_subscription_plan_details",
    }
)
"""Reads that tell the amount of another call; their document is given as ``structuredContent``, too."""
_ENVELOPE = frozenset({"status", "response"})
"""What ``pay_order`` puts PayPal's answer into."""
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
    if document.keys() == _ENVELOPE:
        if document["status"] != "success" or not isinstance(document["response"], dict):
            return _failed(tool, reply, result, document, None)
        return _shown(reply, result, document["response"])
    if tool in LOOKED_UP and "structuredContent" not in result:
        shown = {**result, "structuredContent": document}
        return msgspec.structs.replace(reply, result=msgspec.Raw(msgspec.json.encode(shown)))
    return reply


def _shown(reply: Reply, result: dict[str, Any], document: dict[str, Any]) -> Reply:
    """Without its envelope. In there no pointer of the policy would find the payer, and nothing would be masked."""
    text = msgspec.json.encode(document).decode()
    shown = {**result, "content": [{"type": "text", "text": text}], "structuredContent": document}
    return msgspec.structs.replace(reply, result=msgspec.Raw(msgspec.json.encode(shown)))


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
