"""What about a question could be different, so that an explanation can say what that would bring about. Pure.

A change is something that somebody can do: come back with a handshake, confirm, approve a definition, lower an amount,
ask with another role. What nobody may do about a call (another data class, another definition) is none.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from gateway.workbench.questions import NEVER, Document

MAX_CONFIRMATIONS = 3
"""Second signatures that are tried, one more each time."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """``says`` completes "it would be different if ...". Of those that have the same ``about``, one can be true."""

    says: str
    about: str
    made: Callable[[Document], Document]


def changes(question: Document, data: Document) -> list[Change]:
    """Those that make sense for this question, the cheapest first. ``data``: ``data.gateway`` of the policy."""
    return [*_signed(question), *_by_an_operator(question), *_of_the_call(question, data)]


def _signed(question: Document) -> Iterator[Change]:
    consent = _member(question, "consent")
    if _member(consent, "handshake").get("satisfied") is not True:
        yield Change(says="the call came again with its handshake token", about="handshake", made=_handshaken)
    for number in range(1, MAX_CONFIRMATIONS + 1):
        people = "one person" if number == 1 else f"{number} people"
        yield Change(
            says=f"{people} other than the caller confirmed it in the console",
            about="confirmations",
            made=_confirmed(number),
        )


def _by_an_operator(question: Document) -> Iterator[Change]:
    if not question.get("approval") or _member(question, "approval") != _approval(question):
        yield Change(
            says="an operator approved the tool's definition as it is now",
            about="approval",
            made=lambda document: {**document, "approval": _approval(document)},
        )
    if _member(_member(question, "tool"), "etdi").get("status") != "verified":
        yield Change(
            says="the tool's origin were verified",
            about="origin",
            made=lambda document: _with(
                document, ("tool", "etdi"), {"status": "verified", "evidence": "token", "error": None}
            ),
        )
    if _member(question, "env").get("state") != "ok":
        yield Change(
            says="all parts of the gateway were well",
            about="state",
            made=lambda document: _with(document, ("env", "state"), "ok"),
        )


def _of_the_call(question: Document, data: Document) -> Iterator[Change]:
    if _member(question, "schema").get("valid") is not True:
        yield Change(
            says="the arguments fitted the tool's input schema",
            about="schema",
            made=lambda document: _with(document, ("schema",), {"valid": True, "errors": []}),
        )
    for role in _roles(data):
        if role not in (_member(question, "caller").get("roles") or []):
            yield Change(says=f"the caller had the role {role!r}", about="role", made=_with_role(role))
    usage = _member(question, "usage")
    if any(any(_member(usage, kind).values()) for kind in ("calls", "failures")):
        yield Change(
            says="the caller had not had this tool called for a day",
            about="usage",
            made=lambda document: _with(
                document,
                ("usage",),
                {**_member(document, "usage"), "calls": dict(NEVER), "failures": dict(NEVER)},
            ),
        )
    money = question.get("money")
    if isinstance(money, dict):
        limits = _member(_member(_member(data, "limits"), "currencies"), str(money.get("currency")))
        for name in ("soft", "hard"):
            limit = limits.get(name)
            if isinstance(limit, str) and limit != money.get("amount"):
                yield Change(
                    about="amount",
                    says=f"the amount were {limit} {money.get('currency')} (the {name} limit)",
                    made=_with_amount(limit),
                )


def _handshaken(document: Document) -> Document:
    return _with(document, ("consent", "handshake"), {"satisfied": True, "age_s": 1})


def _confirmed(number: int) -> Callable[[Document], Document]:
    def made(document: Document) -> Document:
        now = _member(document, "env").get("now")
        at = now - 1 if isinstance(now, int) else 0
        said = [
            {
                "by": "human",
                "who": f"explanation|person-{one}",
                "assurance": "oidc",
                "at": at,
                "view_hash": "0" * 64,
            }
            for one in range(1, number + 1)
        ]
        return _with(document, ("consent", "confirmations"), said)

    return made


def _approval(document: Document) -> Document:
    tool = _member(document, "tool")
    now = _member(document, "env").get("now")
    return {
        "version": tool.get("version"),
        "definition_hash": tool.get("definition_hash"),
        "provider": tool.get("provider"),
        "requested": tool.get("permissions", []),
        "approved": tool.get("permissions", []),
        "by": "explanation",
        "at": now if isinstance(now, int) else 0,
        "expires": None,
        "revoked": False,
    }


def _with_role(role: str) -> Callable[[Document], Document]:
    def made(document: Document) -> Document:
        roles = _member(document, "caller").get("roles")
        return _with(document, ("caller", "roles"), [*(roles if isinstance(roles, list) else []), role])

    return made


def _with_amount(amount: str) -> Callable[[Document], Document]:
    return lambda document: _with(document, ("money", "amount"), amount)


def _roles(data: Document) -> list[str]:
    """Every role that ``identity/data.yaml`` names."""
    found: dict[str, None] = {}
    for value in _member(_member(data, "identity"), "roles").values():
        for role in value if isinstance(value, list) else []:
            if isinstance(role, str):
                found[role] = None
    return list(found)


def _with(document: Document, path: tuple[str, ...], value: Any) -> Document:
    """A copy with another value at a path; the place is made."""
    made = copy.deepcopy(document)
    here = made
    for step in path[:-1]:
        if not isinstance(here.get(step), dict):
            here[step] = {}
        here = here[step]
    here[path[-1]] = value
    return made


def _member(value: Any, key: str) -> Document:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
