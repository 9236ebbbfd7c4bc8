"""Questions that nobody asked yet: every classified tool, at each step of its consent, below and above its limits.

What a change of the policy means, before anything runs, is the difference of the answers to these. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from gateway.workbench.questions import NOW, Document, Tools, completed

_PERSON = {"by": "human", "assurance": "oidc", "at": NOW - 1, "view_hash": "0" * 64}
_STEPS: dict[str, Document] = {
    "first": {"handshake": {"satisfied": False, "age_s": None}, "confirmations": []},
    "handshaken": {"handshake": {"satisfied": True, "age_s": 1}, "confirmations": []},
    "one person": {
        "handshake": {"satisfied": True, "age_s": 1},
        "confirmations": [{**_PERSON, "who": "person-1"}],
    },
    "two people": {
        "handshake": {"satisfied": True, "age_s": 1},
        "confirmations": [{**_PERSON, "who": "person-1"}, {**_PERSON, "who": "person-2"}],
    },
    "an agent": {
        "handshake": {"satisfied": True, "age_s": 1},
        "confirmations": [{**_PERSON, "by": "agent", "who": "agent-1"}],
    },
}


def matrix(before: Document, after: Document, tools: Mapping[str, Tools]) -> Iterator[Document]:
    """The questions, about all that the data of either policy (``data.gateway``) names: tools, roles, currencies."""
    names = sorted({*_names(before), *_names(after)})
    roles = sorted({*_roles(before), *_roles(after)}) or ["agent"]
    amounts = _money(before, after)
    movers = {*_movers(before), *_movers(after)}
    for server, tool in names:
        known = tools.get(server)
        a_mover = not movers.isdisjoint({tool, f"{server}/{tool}"})
        moves = a_mover or (known is not None and known.money_of(tool, {}) is not None)
        money = [None, *amounts] if moves else [None]
        for paypal in ("sandbox", "production"):
            for role in roles:
                for amount in money:
                    for step, consent in _STEPS.items():
                        yield _question(before, tools, server, tool, paypal, role, amount, step, consent)
        for id_, strange in _strange(server, tool).items():
            named: Document = {"tool": {"name": tool}, "call": {"server": server, "id": id_}, "arguments": {}}
            yield completed({**named, **strange}, before, tools)


def _strange(server: str, tool: str) -> dict[str, Document]:
    """What is not in good order, and what it is called."""
    unverified = {"status": "unverified", "evidence": None, "error": None}
    return {
        "not approved": {"approval": None},
        "without a role": {"caller": {"roles": []}},
        "misfitting arguments": {"schema": {"valid": False, "errors": ["/"]}},
        "unverified": {"tool": {"name": tool, "etdi": unverified}},
        "another version": {"tool": {"name": tool, "version": "9.9.9"}},
        "degraded": {"env": {"state": "degraded"}},
        "over plain HTTP": {"call": {"id": "over plain HTTP", "server": server, "era": "rest"}},
    }


def _question(
    data: Document,
    tools: Mapping[str, Tools],
    server: str,
    tool: str,
    paypal: str,
    role: str,
    money: Document | None,
    step: str,
    consent: Document,
) -> Document:
    amount = "" if money is None else f", {money['amount']} {money['currency']}"
    return completed(
        {
            "call": {"id": f"{role} in {paypal}, {step}{amount}", "server": server},
            "caller": {"roles": [role], "subject": role},
            "tool": {"name": tool},
            "schema": {"valid": True, "errors": []},
            "arguments": {},
            "money": money,
            "consent": consent,
            "env": {"paypal": paypal},
        },
        data,
        tools,
    )


def _names(data: Document) -> Iterator[tuple[str, str]]:
    classes = _object(data, "classes")
    for table in ("tools", "aliases"):
        for name in _object(classes, table):
            yield "paypal", name
    for server, table in _object(classes, "servers").items():
        for name in table if isinstance(table, dict) else ():
            yield server, name


def _movers(data: Document) -> list[str]:
    listed = _object(data, "limits").get("amount_required")
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []


def _roles(data: Document) -> Iterator[str]:
    for listed in _object(_object(data, "identity"), "roles").values():
        for role in listed if isinstance(listed, list) else ():
            if isinstance(role, str):
                yield role


def _money(*trees: Document) -> list[Document]:
    """On both sides of every limit that either policy has, in the currencies where they differ, and in dollars."""
    tables = [_object(_object(tree, "limits"), "currencies") for tree in trees]
    found: dict[tuple[str, str], Document] = {}
    for currency in sorted({code for table in tables for code in table}):
        entries = [table.get(currency) for table in tables]
        if currency != "USD" and entries[0] == entries[1]:
            continue
        for entry in entries:
            for limit in (entry.get("soft"), entry.get("hard")) if isinstance(entry, dict) else ():
                for amount in _around(limit):
                    found[(amount, currency)] = {
                        "amount": amount,
                        "currency": currency,
                        "payee": None,
                        "source": "arguments",
                    }
    return list(found.values())


def _around(limit: Any) -> list[str]:
    if not isinstance(limit, str) or not limit.replace(".", "", 1).isdigit():
        return []
    decimals = len(limit.partition(".")[2])
    return [limit, str(Decimal(limit) + Decimal(1).scaleb(-decimals))]


def _object(value: Document, key: str) -> Document:
    found = value.get(key)
    return found if isinstance(found, dict) else {}
