"""Questions that a person writes by hand: a tool and its arguments are enough, the rest is in good order. Pure.

What is filled in is what the gateway would establish about an approved tool of a caller with the right role; the
arguments are judged by the tool's own schema where it is known, and the amount is read from them. What is written is
laid over that, member by member, so that a recorded question stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from gateway.canonical import canonical_hash
from gateway.catalog.schema import InputSchema
from gateway.policy.money import Money
from gateway.policy.payees import payees_of

Document = dict[str, Any]
NOW = 1_795_224_000
"""When an example is asked, unless the question says otherwise."""
NEVER: Mapping[str, int] = {"ten_minutes": 0, "hour": 0, "day": 0}
"""How often a caller called who never did."""


class Tools(Protocol):
    """What is known of the tools of one server."""

    def wire(self, tool: str) -> Mapping[str, Any] | None:
        """The definition, as the server lists it."""
        ...

    def money_of(self, tool: str, arguments: Mapping[str, Any]) -> Money | None:
        """See ``gateway.policy.amounts.MoneyRules``."""
        ...


def completed(written: Document, data: Document, tools: Mapping[str, Tools]) -> Document:
    """The whole question. ``data`` is ``data.gateway``; ``tools`` by server.

    :raises ValueError: no tool is named, or a part is no object.
    """
    tool = _object(written, "tool").get("name")
    if not isinstance(tool, str) or not tool:
        raise ValueError(
            'the question names no tool: {"tool": {"name": "create_refund"}, "arguments": {...}}'
        )
    server = _object(written, "call").get("server", "paypal")
    arguments = _object(written, "arguments")
    return counted(_laid_over(_good(str(server), tool, arguments, data, tools.get(str(server))), written))


def counted(question: Document) -> Document:
    """With every count that it lacks: as of a caller who never called, before the budgets are counted. Older versions
    recorded no ``usage`` without money, and none of calls; no rule of theirs looked at it. The input is left untouched.
    """
    usage = question.get("usage")
    known = usage if isinstance(usage, dict) else {}
    return {**question, "usage": _laid_over(_usage(question.get("money")), known)}


def _usage(money: object) -> Document:
    payee = money.get("payee") if isinstance(money, dict) else None
    payees = payees_of(Money(payee=payee)) if isinstance(payee, str) else ()
    return {"calls": dict(NEVER), "failures": dict(NEVER), "payees": list(payees), "budgets": None}


def _good(server: str, tool: str, arguments: Document, data: Document, known: Tools | None) -> Document:
    definition_hash = "0" * 64
    schema: Document = {"valid": True, "errors": []}
    money = None
    if known is not None:
        wire = known.wire(tool)
        if wire is not None:
            verdict = InputSchema(dict(wire["inputSchema"])).judge(arguments)
            schema = {"valid": verdict.valid, "errors": list(verdict.errors)}
            if verdict.valid:
                money = msgspec.json.decode(msgspec.json.encode(known.money_of(tool, arguments)))
    return {
        "call": {
            "id": "00000000-0000-4000-8000-000000000000",
            "time": NOW,
            "server": server,
            "method": "tools/call",
            "protocol": "2026-07-28",
            "era": "modern",
            "client": {"name": "example", "version": "1", "can_elicit": [], "can_input_required": True},
            "proof": {"present": False, "valid": False},
        },
        "caller": {
            "issuer": "https://issuer.example",
            "subject": "agent",
            "client_id": None,
            "scopes": [],
            "roles": _a_role(data),
            "key_thumbprint": None,
            "proof": {"present": False, "valid": False},
        },
        "tool": {
            "name": tool,
            "version": "1.0.0",
            "definition_hash": definition_hash,
            "provider": server,
            "permissions": [],
            "annotations": {},
            "etdi": {"status": "verified", "evidence": "release", "error": None},
            "first_seen": NOW - 86_400,
            "content": {"severity": "NONE", "codes": []},
        },
        "approval": {
            "version": "1.0.0",
            "definition_hash": definition_hash,
            "provider": server,
            "requested": [],
            "approved": [],
            "by": "operator",
            "at": NOW - 3_600,
            "expires": None,
            "revoked": False,
        },
        "arguments": arguments,
        "arguments_hash": canonical_hash(arguments),
        "schema": schema,
        "money": money,
        "consent": {"handshake": {"satisfied": False, "age_s": None}, "confirmations": []},
        "env": {"paypal": "sandbox", "now": NOW, "state": "ok"},
    }


def _a_role(data: Document) -> list[str]:
    """The first that ``identity/data.yaml`` names: most places have one."""
    roles = _object(_object(data, "identity"), "roles")
    named = [role for listed in roles.values() if isinstance(listed, list) for role in listed]
    return [role for role in named if isinstance(role, str)][:1]


def _laid_over(below: Document, above: Document) -> Document:
    laid = dict(below)
    for key, value in above.items():
        under = below.get(key)
        if isinstance(value, dict) and isinstance(under, dict) and key != "arguments":
            laid[key] = _laid_over(under, value)
        else:
            laid[key] = value
    return laid


def _object(value: Document, key: str) -> Document:
    found = value.get(key, {})
    if not isinstance(found, dict):
        raise ValueError(f"`{key}` of the question is no object")
    return found
