"""Answers -> JSON-RPC results, in the dialect of the request. Pure.

A refusal is a tool result with ``isError: true``, so that the model can read it and react (MCP server/tools, error
handling); protocol errors are for what was no proper call. What waits is ``input_required`` where the host speaks
2026-07-28 and a plain result everywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.door.call import OWN_META_PREFIX, Era
from gateway.door.protocol import META_SERVER, server_info
from gateway.errors import INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR
from gateway.outcome.answer import About, Again, Answer, Executed, Refused, Unknown
from gateway.outcome.consent import ELICITATION_KEY
from gateway.outcome.view import Line, View

DECISION_META_KEY = "dev.countersign/decision"
"""``_meta`` key under which every answer that is not a plain pass-through says how it came to be."""


MAX_FORM_LINES = 40
"""Values shown in a form inside the host. What does not fit is confirmed where all of it can be seen."""
MAX_ERROR_CHARS = 1_000
"""Characters kept of an upstream's message, where its error is rewritten."""
JSON_RPC_CODES = frozenset({PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR})
"""Of the codes that JSON-RPC 2.0 reserves, those that mean the same from every server."""
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def error_of(error: Mapping[str, Any]) -> dict[str, Any]:
    """An upstream's JSON-RPC ``error`` as this door's own.

    Codes that MCP gives a meaning between host and *this* server (-32020 .. -32099: "you sent the wrong header,
    another version") would have the host mend its talk with us; -32002 and -32042 may not be sent at 2026-07-28.
    """
    code, message = error.get("code"), error.get("message")
    if isinstance(message, str) and _means_the_same(code):
        return dict(error)
    shown = message[:MAX_ERROR_CHARS] if isinstance(message, str) else "The upstream answered with an error."
    return {
        "code": INTERNAL_ERROR,
        "message": shown,
        "data": {"code": "upstream.error", "upstream": dict(error)},
    }


def _means_the_same(code: Any) -> bool:
    if not isinstance(code, int) or isinstance(code, bool):
        return False
    return code in JSON_RPC_CODES or not -32768 <= code <= -32000


def result_of(answer: Answer, era: Era, *, version: str) -> msgspec.Raw | dict[str, Any]:
    """The JSON-RPC ``result`` for an answer (never called for an upstream's JSON-RPC error)."""
    match answer:
        case Executed():
            return _executed(answer, era, version)
        case Again() if answer.token is not None and era is Era.MODERN:
            return _stamped(_input_required(answer), version)
        case Again():
            body = {
                "status": answer.status,
                "expires_in_s": answer.expires_in_s,
                **({"approve_url": answer.approve_url} if answer.approve_url else {}),
                **_said(answer.about),
            }
            return _tool_result(answer.message, body, answer.about, era, version, is_error=False)
        case Refused():
            reasons = answer.about.reasons
            text = "Refused by policy, nothing was executed. " + " ".join(
                f"[{one.code}] {one.message} {one.remedy}" for one in reasons
            )
            return _tool_result(
                text, {"status": "refused", **_said(answer.about)}, answer.about, era, version, is_error=True
            )
        case Unknown():
            body = {"status": "unknown", **_said(answer.about)}
            return _tool_result(answer.message, body, answer.about, era, version, is_error=True)


def _executed(answer: Executed, era: Era, version: str) -> msgspec.Raw | dict[str, Any]:
    """The upstream's members as they came, byte for byte; only ``_meta`` and ``resultType`` are ours to touch.

    Attack: an upstream that writes the gateway's own ``_meta`` keys, and so speaks with the gateway's authority.
    """
    assert answer.result is not None
    members: dict[str, Any] = dict(_MEMBERS.decode(answer.result))
    meta, forged = _meta_of(members)
    touched = forged
    if era is Era.MODERN and answer.result_type is None:
        # An older upstream's result without resultType means "complete" (2026-07-28/basic/index).
        members["resultType"] = "complete"
        meta = {META_SERVER: server_info(version), **meta}
        touched = True
    if answer.warn:
        meta[DECISION_META_KEY] = {**_said(answer.about), "warn": list(answer.warn)}
        touched = True
    if not touched:
        return answer.result
    members["_meta"] = meta
    return members


def _meta_of(members: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The ``_meta`` an upstream may write, and whether it wrote more than that.

    One that is no object is dropped: the money has moved, and an error now would invite a second try.
    """
    try:
        came = _MEMBERS.decode(members.get("_meta", b"{}"))
    except msgspec.DecodeError:
        return {}, True
    kept: dict[str, Any] = {key: value for key, value in came.items() if not key.startswith(OWN_META_PREFIX)}
    return kept, len(kept) != len(came)


def _input_required(answer: Again) -> dict[str, Any]:
    """MRTR (2026-07-28/basic/patterns/mrtr). A ``requestState`` alone is repeated by the host on its own."""
    result: dict[str, Any] = {"resultType": "input_required", "requestState": answer.token}
    # A form that shows a part would have a person sign the rest unseen (invariant 8); the page shows all of it.
    fits = answer.view is not None and (answer.elicit == "url" or len(answer.view.lines) <= MAX_FORM_LINES)
    if answer.view is not None and answer.elicit is not None and fits:
        result["inputRequests"] = {ELICITATION_KEY: _elicitation(answer, answer.view)}
    result["_meta"] = {
        DECISION_META_KEY: {
            "status": answer.status,
            "expires_in_s": answer.expires_in_s,
            **({"approve_url": answer.approve_url} if answer.approve_url else {}),
            **_said(answer.about),
        }
    }
    return result


def _elicitation(answer: Again, view: View) -> dict[str, Any]:
    if answer.elicit == "url":
        params: dict[str, Any] = {
            "mode": "url",
            "url": answer.approve_url,
            "message": f"Confirm {view.tool}: {view.money} to {view.payee}.",
        }
    else:
        lines = "\n".join(_line(line) for line in view.lines)
        params = {
            "mode": "form",
            "message": f"Confirm {view.tool}\n{view.money}\nPayee: {view.payee}\nAsked by {view.asked_by}\n\n{lines}",
            "requestedSchema": {
                "type": "object",
                "properties": {
                    "approve": {
                        "type": "boolean",
                        "title": "Carry this out",
                        "description": "Cannot be undone.",
                    }
                },
                "required": ["approve"],
            },
        }
    return {"method": "elicitation/create", "params": params}


def _line(line: Line) -> str:
    flags = f"  [look twice: {', '.join(line.flags)}]" if line.flags else ""
    return f"{line.path}: {line.value}{flags}"


def _tool_result(
    text: str, body: dict[str, Any], about: About, era: Era, version: str, *, is_error: bool
) -> dict[str, Any]:
    is_error = is_error or about.error_result_only
    result: dict[str, Any] = {
        "content": [{"type": "text", "text": text}],
        "isError": is_error,
        "_meta": {DECISION_META_KEY: body},
    }
    if not is_error:
        # Some hosts validate structuredContent against the tool's output schema even where isError is true; ours
        # would not fit it. A refusal says the same in its text and in _meta.
        result["structuredContent"] = body
    if era is Era.MODERN:
        result["resultType"] = "complete"
        return _stamped(result, version)
    return result


def _stamped(result: dict[str, Any], version: str) -> dict[str, Any]:
    result["_meta"] = {META_SERVER: server_info(version), **result.get("_meta", {})}
    return result


def _said(about: About) -> dict[str, Any]:
    return {
        "call_id": about.call_id,
        "transaction_id": about.transaction_id,
        "tool": about.tool,
        "data_class": about.data_class,
        "tier": about.tier,
        "reasons": [msgspec.to_builtins(one) for one in about.reasons],
    }
