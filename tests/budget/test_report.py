"""Rows for people: what is spent, reserved and left."""

from typing import Any

from gateway.budget.account import Account
from gateway.budget.entries import Budget
from gateway.budget.report import rows_of
from gateway.state.ledger import Standing


def a_budget(**members: Any) -> Budget:
    """Of each caller."""
    return Budget(
        **{
            "caller": "each",
            "tool": "any",
            "payee": "any",
            "window_seconds": 86400,
            "limits": {"USD": "100.00", "JPY": "1000"},
            **members,
        }
    )


def test_what_is_left() -> None:
    """In the decimals of its currency; a limit that was lowered below what is spent leaves nothing, not less."""
    accounts = [
        (Account("daily", "USD", caller="ann").key(), Standing(1000, 2550)),
        (Account("daily", "USD", caller="bob").key(), Standing(0, 20_000)),
    ]
    rows = rows_of({"daily": a_budget()}, accounts)
    assert [(row.caller, row.spent, row.reserved, row.left, row.limit) for row in rows] == [
        (None, "0", "0", "1000", "1000"),
        ("ann", "25.50", "10.00", "64.50", "100.00"),
        ("bob", "200.00", "0.00", "0.00", "100.00"),
    ]


def test_what_the_policy_does_not_have_any_more() -> None:
    """It is shown as long as it is counted; what is no account of ours is not."""
    accounts = [(Account("old", "EUR").key(), Standing(0, 5)), ("something else", Standing(1, 1))]
    (row,) = rows_of({}, accounts)
    assert (row.budget, row.spent, row.left, row.limit, row.window_seconds) == (
        "old",
        "0.05",
        None,
        None,
        None,
    )
