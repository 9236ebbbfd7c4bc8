"""What could be different about a question."""

from typing import Any

import pytest

from gateway.workbench.changes import changes

DATA = {
    "identity": {"roles": {"2": ["agent"], "3": ["agent", "finance"]}},
    "limits": {"currencies": {"USD": {"soft": "5.00", "hard": "10.00"}}},
}
GOOD: dict[str, Any] = {
    "tool": {
        "version": "1",
        "definition_hash": "h",
        "provider": "p",
        "permissions": [],
        "etdi": {"status": "verified"},
    },
    "caller": {"roles": ["agent", "finance"]},
    "schema": {"valid": True},
    "env": {"now": 100, "state": "ok"},
    "consent": {"handshake": {"satisfied": True}},
    "money": None,
}


def about(question: dict[str, Any]) -> list[str]:
    """What would be changed."""
    return [change.about for change in changes(question, DATA)]


def test_what_is_in_order_is_not_changed() -> None:
    """But for confirmations, of which there can be more, and for the approval, which is made anew."""
    assert about(GOOD) == ["confirmations"] * 3 + ["approval"]
    approved = changes(GOOD, DATA)[-1].made(GOOD)
    assert about(approved) == ["confirmations"] * 3


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"consent": {}}, "handshake"),
        ({"schema": {"valid": False}}, "schema"),
        ({"caller": {"roles": ["agent"]}}, "role"),
        ({"caller": {}}, "role"),
        ({"env": {"state": "degraded"}}, "state"),
        ({"money": {"amount": "7.00", "currency": "USD"}}, "amount"),
        ({"usage": {"failures": {"hour": 30}}}, "usage"),
        ({"tool": {"etdi": {"status": "unverified"}}}, "origin"),
    ],
)
def test_what_is_not_in_order_can_be(changed: dict[str, Any], wanted: str) -> None:
    """Once it is changed, there is nothing of it left to change."""
    question = {**GOOD, **changed}
    (first, *_) = [change for change in changes(question, DATA) if change.about == wanted]
    after = changes(first.made(question), DATA)
    assert first.says not in [change.says for change in after]


def test_the_question_itself_stays_as_it_is() -> None:
    """Changes are made to copies."""
    question = {**GOOD, "consent": {}, "money": {"amount": "7.00", "currency": "USD"}}
    before = repr(question)
    for change in changes(question, DATA):
        assert change.made(question) != question
    assert repr(question) == before


def test_nothing_that_is_asked_breaks_it() -> None:
    """A question that is none at all is answered by the policy, not here."""
    questions: list[dict[str, Any]] = [
        {},
        {"money": {}},
        {"caller": 3, "env": [], "tool": None, "consent": "x"},
    ]
    for strange in questions:
        for change in changes(strange, {}):
            change.made(strange)
