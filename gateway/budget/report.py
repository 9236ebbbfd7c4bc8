"""What every budget stands at, as rows for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gateway.budget.account import Account, read_account
from gateway.budget.currency import amount_text, minor_of
from gateway.budget.entries import Budget
from gateway.state.ledger import Standing


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One account. Amounts are decimal strings of its currency; ``limit``, ``left`` and ``window_seconds`` are None for
    a budget that the policy's file does not have (any more). ``caller``, ``tool``, ``payee``: whose it is, where each
    has its own."""

    budget: str
    currency: str
    caller: str | None
    tool: str | None
    payee: str | None
    window_seconds: int | None
    limit: str | None
    spent: str
    reserved: str
    left: str | None


def rows_of(budgets: Mapping[str, Budget], accounts: Iterable[tuple[str, Standing]]) -> Sequence[Row]:
    """Every account that holds anything, and every limit of which nothing is taken."""
    found = [(account, standing) for key, standing in accounts if (account := read_account(key)) is not None]
    used = {(account.budget, account.currency) for account, _ in found}
    untouched = [
        (Account(name, currency), Standing())
        for name, budget in budgets.items()
        for currency in budget.limits
        if (name, currency) not in used
    ]
    rows = [_row(account, standing, budgets.get(account.budget)) for account, standing in found + untouched]
    return sorted(
        rows, key=lambda row: (row.budget, row.currency, row.caller or "", row.tool or "", row.payee or "")
    )


def _row(account: Account, standing: Standing, budget: Budget | None) -> Row:
    limit = None if budget is None else budget.limits.get(account.currency)
    left = None
    if limit is not None:
        bound = minor_of(limit, account.currency)
        left = amount_text(max(0, bound - standing.held - standing.committed), account.currency)
    return Row(
        budget=account.budget,
        currency=account.currency,
        caller=account.caller,
        tool=account.tool,
        payee=account.payee,
        window_seconds=None if budget is None else budget.window_seconds,
        limit=limit,
        spent=amount_text(standing.committed, account.currency),
        reserved=amount_text(standing.held, account.currency),
        left=left,
    )
