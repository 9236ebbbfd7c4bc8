"""``countersign budgets`` on a real store, and what ``transactions settle`` gives back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.budget.account import Account
from gateway.state.ledger import Line, Mode
from gateway.state.open import open_store
from gateway.transactions.book import TransactionBook
from gateway.transactions.transaction import How, State
from gateway.upstream.target import Effect
from tests.cli.conftest import Run
from tests.support.policy_copies import copied, edit_data
from tests.support.transactions import a_transaction

Config = Callable[..., Path]
DAILY = {
    "caller": "each",
    "tool": ["create_refund"],
    "payee": "any",
    "window_seconds": 86400,
    "limits": {"USD": "100.00", "JPY": "9000"},
}
ANN = Account("daily", "USD", caller='["https://idp.example","ann[/]\u202e"]').key()


@pytest.fixture
def policies(tmp_path: Path, config: Config) -> Path:
    """A copy of the policies with a budget, which the settings name."""
    found = copied(tmp_path)
    edit_data(found, "budgets", budgets={"daily": DAILY})
    config(policy={"path": str(found)})
    return found


def reserved(name: str, amount: int, mode: Mode) -> None:
    """In the store of the settings."""

    async def reserve() -> None:
        store = open_store("sqlite:///state.sqlite3")
        line = Line(account=ANN, amount=amount, bound=10_000, ttl_s=600)
        assert (await store.reserve(name, [line], mode=mode)).fits
        await store.aclose()

    asyncio.run(reserve())


def shown(run: Run) -> list[tuple[Any, ...]]:
    """What the command says, for a script."""
    listed = run("budgets", "--json")
    assert listed.code == 0
    keys = ("budget", "currency", "spent", "reserved", "left", "limit")
    return [tuple(row[key] for key in keys) for row in listed.document]


@pytest.mark.usefixtures("policies")
def test_what_is_left_is_listed(run: Run) -> None:
    """For a script and for people, whose names cannot play tricks on the terminal."""
    assert shown(run)[1] == ("daily", "USD", "0.00", "0.00", "100.00", "100.00")
    reserved("t1", 1000, Mode.HOLD)
    reserved("t2", 2550, Mode.COMMIT)
    assert shown(run) == [
        ("daily", "JPY", "0", "0", "9000", "9000"),
        ("daily", "USD", "25.50", "10.00", "64.50", "100.00"),
    ]
    table = run("budgets")
    assert table.code == 0
    assert all(
        text in table.out for text in ("daily", "25.50", "10.00", "64.50", "100.00 USD", "1 d", "ann[/]")
    )
    assert "\u202e" not in table.out


@pytest.mark.usefixtures("policies")
@pytest.mark.parametrize(("finding", "left"), [("failed", "100.00"), ("executed", "74.50")])
def test_what_a_person_found_out_is_followed(run: Run, finding: str, left: str) -> None:
    """Unknown is counted; failed gives it back, executed does not."""
    unknown = a_transaction("t-unknown", state=State.SETTLED, outcome=Effect.UNKNOWN, how=How.NOBODY)

    async def write() -> None:
        store = open_store("sqlite:///state.sqlite3")
        assert await TransactionBook(store).open(unknown)
        await store.aclose()

    asyncio.run(write())
    reserved("t-unknown", 2550, Mode.COMMIT)
    assert shown(run)[1][4] == "74.50"
    assert run("transactions", "settle", "t-unknown", "--found", finding, "--by", "ann").code == 0
    assert shown(run)[1][4] == left


def test_without_budgets(run: Run, config: Config) -> None:
    """It says so."""
    config()
    listed = run("budgets")
    assert (listed.code, "no budgets" in listed.out) == (0, True)
    assert run("budgets", "--json").document == []


def test_a_file_that_cannot_be_read(run: Run, policies: Path) -> None:
    """Named, with the entry; exit 2."""
    edit_data(policies, "budgets", budgets={"daily": {**DAILY, "limits": {"JPY": "1.00"}}})
    listed = run("budgets")
    assert (listed.code, "daily, limits, JPY" in listed.err) == (2, True)
    (named,) = [one for one in run("check", "--json").document if one["part"] == "budgets"]
    assert (named["ok"], "daily, limits, JPY" in named["says"]) == (False, True)
