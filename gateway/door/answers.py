"""Answers -> JSON-RPC results, in the dialect of the request. Pure.

A refusal is a tool result with ``isError: true``, so that the model can read it and react (MCP server/tools, error
handling); protocol errors are for what was no proper call. What waits is ``input_required`` where the host speaks
2026-07-28 and a plain result everywhere else.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.door.call import Era
from gateway.door.passing import DECISION_META_KEY, RECEIPT_META_KEY, pass_on
from gateway.door.protocol import META_SERVER, server_info
from gateway.outcome.answer import About, Again, Answer, Executed, MoreInput, Refused, Unknown
from gateway.outcome.elicitation import ELICITATION_KEY, fits_a_form, form, link
from gateway.outcome.view import View
from gateway.policy.decision import Outcome


def result_of(answer: Answer, era: Era, *, version: str) -> msgspec.Raw | dict[str, Any]:
    """The JSON-RPC ``result`` for an answer (never called for an upstream's JSON-RPC error)."""
    match answer:
        case Executed():
            return _executed(answer, era, version)
        case MoreInput():
            return more_input(answer.result, answer.token, version=version)
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
            # Only what forbids: a model that reads "nothing to do" beside a refusal goes astray.
            reasons = [one for one in answer.about.reasons if one.outcome is Outcome.DENY]
            etdi = answer.about.etdi
            text = f"{etdi.text}. " if etdi is not None else ""
            text += "Refused by policy, nothing was executed. " + " ".join(
                f"[{one.code}] {one.message} {one.remedy}" for one in reasons
            )
            if answer.about.faults:
                text += " Faults: " + "; ".join(answer.about.faults)
            return _tool_result(
                text, {"status": "refused", **_said(answer.about)}, answer.about, era, version, is_error=True
            )
        case Unknown():
            body = {"status": "unknown", **_said(answer.about)}
            return _tool_result(answer.message, body, answer.about, era, version, is_error=True)


def more_input(result: msgspec.Raw, token: str, *, version: str) -> dict[str, Any]:
    """What a server asks of its host, with our token where its own state stood: that stays here.

    Its own words in ``_meta`` pass as for any result, less what only the gateway may say.
    """
    passed = pass_on(result, Era.MODERN, complete=True, version=version, decision=None)
    members: dict[str, Any] = dict(passed) if isinstance(passed, dict) else {}
    return {**members, "resultType": "input_required", "requestState": token}


def _executed(answer: Executed, era: Era, version: str) -> msgspec.Raw | dict[str, Any]:
    assert answer.result is not None
    told = answer.warn or answer.about.duplicate_of is not None
    decision = {**_said(answer.about), "warn": list(answer.warn)} if told else None
    return pass_on(
        answer.result,
        era,
        complete=answer.result_type is None,
        version=version,
        decision=decision,
        receipt=answer.about.receipt,
    )


def _input_required(answer: Again) -> dict[str, Any]:
    """MRTR (2026-07-28/basic/patterns/mrtr). A ``requestState`` alone is repeated by the host on its own."""
    result: dict[str, Any] = {"resultType": "input_required", "requestState": answer.token}
    fits = answer.view is not None and (answer.elicit == "url" or fits_a_form(answer.view))
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
    by_link = answer.elicit == "url"
    shown = link(view, answer.approve_url) if by_link else form(view, expires_in_s=answer.expires_in_s)
    return {"method": "elicitation/create", "params": shown}


def _tool_result(
    text: str, body: dict[str, Any], about: About, era: Era, version: str, *, is_error: bool
) -> dict[str, Any]:
    is_error = is_error or about.error_result_only
    result: dict[str, Any] = {
        "content": [{"type": "text", "text": text}],
        "isError": is_error,
        "_meta": {DECISION_META_KEY: body},
    }
    if about.receipt is not None:
        result["_meta"][RECEIPT_META_KEY] = about.receipt
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
        **({"faults": list(about.faults)} if about.faults else {}),
        **({"etdi": about.etdi.error} if about.etdi is not None else {}),
        **({"duplicate_of": about.duplicate_of} if about.duplicate_of is not None else {}),
    }
