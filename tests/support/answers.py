"""How a host reads what the gateway answers: status, reason codes, token. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Answer = Mapping[str, Any]
DECISION = "dev.countersign/decision"


def said(answer: Answer) -> dict[str, Any]:
    """What the gateway says about its decision; empty where an upstream's answer passes through."""
    if "error" in answer:
        data = answer["error"].get("data", {})
        return dict(data) if isinstance(data, Mapping) else {}
    return dict(answer["result"].get("_meta", {}).get(DECISION, {}))


def status_of(answer: Answer) -> str:
    """``executed``, ``failed`` (the upstream says so), ``refused``, ``unknown``, ``handshake_required``,
    ``confirmation_required``, or ``error`` for a JSON-RPC error."""
    if "error" in answer:
        return "error"
    status = said(answer).get("status")
    if status is not None:
        return str(status)
    return "failed" if answer["result"].get("isError") else "executed"


def codes_of(answer: Answer) -> list[str]:
    """The reason codes, or the one code of a JSON-RPC error."""
    facts = said(answer)
    if "reasons" in facts:
        return [reason["code"] for reason in facts["reasons"]]
    return [facts["code"]] if "code" in facts else []


def token_of(answer: Answer) -> str:
    """The handshake token of the first phase."""
    assert answer["result"]["resultType"] == "input_required", answer
    token = answer["result"]["requestState"]
    assert isinstance(token, str)
    return token


def approve_url_of(answer: Answer) -> str:
    """Where a person decides."""
    url = said(answer)["approve_url"]
    assert isinstance(url, str)
    return url


def text_of(answer: Answer) -> str:
    """All the words of the answer that a model gets to read."""
    if "error" in answer:
        return str(answer["error"]["message"])
    return "\n".join(block.get("text", "") for block in answer["result"]["content"])
