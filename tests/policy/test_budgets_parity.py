"""Budgets are judged alike by both engines, whatever the question holds; and no question is let go uncounted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from gateway.policy.engine import Entrypoint
from tests.policy.test_parity import FEW, Both, _both
from tests.support.policy_cases import Policy, write_policy_of
from tests.support.questions import IN_ORDER, Question, bent_questions, replaced

LIMITS = {"USD": "100.00", "JPY": "10000"}
BUDGETS: dict[str, Any] = {
    "each": {"caller": "each", "tool": "each", "payee": "any", "window_seconds": 600, "limits": LIMITS},
    "payee": {"caller": "any", "tool": "any", "payee": "each", "window_seconds": 600, "limits": LIMITS},
    "named": {
        "caller": ["agent-7", "x"],
        "tool": ["create_refund", "list_products"],
        "payee": ["shop@example.com"],
        "window_seconds": 86400,
        "limits": {"USD": "50.00"},
    },
}
SUMS = {"currency": "USD", "window_seconds": 600, "limit": 10_000, "spent": 0, "reserved": 0, "amount": 1200}
COUNTED: Question = {
    **IN_ORDER,
    "caller": {**IN_ORDER["caller"], "roles": ["agent"]},
    "usage": {
        **IN_ORDER["usage"],
        "payees": ["shop@example.com"],
        "budgets": {"each": SUMS, "payee": SUMS, "named": {**SUMS, "limit": 5000}},
    },
}


@pytest.fixture(scope="module")
def budgeted(opa_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The policies that ship, with budgets."""
    folder = tmp_path_factory.mktemp("budgeted")
    tree = write_policy_of(Policy(data={"/budgets/budgets": BUDGETS}), folder)
    (tree / ".manifest").rename(folder / ".manifest")
    yield from _both(opa_binary, folder, folder / "opa.sock")


@settings(FEW, max_examples=120)
@given(bent_questions(("create_refund", "list_products", "create_invoice"), COUNTED))
def test_both_engines_count_alike(budgeted: Both, question: Question) -> None:
    """Facts dropped, of another type, or out of any bounds."""
    budgeted.check(Entrypoint.DECISION, question)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("usage",), {**IN_ORDER["usage"], "payees": ["shop@example.com"], "budgets": {}}),
        (("usage", "budgets"), {"each": SUMS, "payee": SUMS}),
        (("usage", "budgets", "each"), None),
        (("usage", "budgets", "each", "limit"), None),
        (("usage", "budgets", "each", "limit"), "10000"),
        (("usage", "budgets", "each", "spent"), {}),
        (("usage", "budgets", "payee", "amount"), [1]),
        (("usage", "payees"), None),
        (("usage", "payees"), []),
        (("money", "currency"), "EUR"),
        (("money", "currency"), 7),
        (("money", "amount"), 12),
        (("money",), None),
    ],
)
def test_what_cannot_be_counted_is_denied(budgeted: Both, path: tuple[str, ...], value: object) -> None:
    """On both engines; in order, the same question is allowed on both."""
    allowed = budgeted.answers(Entrypoint.DECISION, msgspec.json.encode(COUNTED))
    assert [answer["outcome"] for answer in allowed] == ["allow", "allow"]
    denied = budgeted.answers(Entrypoint.DECISION, msgspec.json.encode(replaced(COUNTED, path, value)))
    assert [answer["outcome"] for answer in denied] == ["deny", "deny"]
