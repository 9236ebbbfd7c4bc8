"""``countersign transactions`` on a real store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from gateway.state.open import open_store
from gateway.transactions.book import TransactionBook
from gateway.transactions.sent import Sent
from gateway.transactions.transaction import How, State, Transaction
from gateway.upstream.target import Effect
from tests.cli.conftest import Run, audit_lines
from tests.support.transactions import KEPT, a_transaction

Config = Callable[..., Path]


@pytest.fixture(autouse=True)
def settings(config: Config) -> None:
    """The file that the commands find by themselves."""
    config()


def written(*transactions: Transaction) -> None:
    """Into the store of the settings."""

    async def write() -> None:
        store = open_store("sqlite:///state.sqlite3")
        for one in transactions:
            assert await TransactionBook(store).open(one)
        await store.aclose()

    asyncio.run(write())


UNKNOWN = a_transaction("t-unknown", state=State.SETTLED, outcome=Effect.UNKNOWN, how=How.NOBODY)
OPEN = a_transaction("t-open", started_at=1_795_000_001.0)
DONE = a_transaction("t-done", state=State.SETTLED, outcome=Effect.EXECUTED, how=How.ANSWER)


def test_what_is_not_settled_is_listed(run: Run) -> None:
    """Exit 1 while something waits for a person, so that a monitor can ask; settled ones only when asked for."""
    nothing = run("transactions", "list")
    assert (nothing.code, nothing.out) == (0, "nothing is open or unknown\n")
    written(OPEN, DONE)
    assert run("transactions", "list").code == 0
    written(UNKNOWN)
    listed = run("transactions", "list", "--json")
    assert (listed.code, [one["transaction_id"] for one in listed.document]) == (1, ["t-unknown", "t-open"])
    table = run("transactions", "list", "--all")
    assert all(one in table.out for one in ("t-unknown", "t-open", "t-done", "create_refund"))


def test_one_is_shown(run: Run) -> None:
    """With the ids to look for at the target, and what to do."""
    written(UNKNOWN)
    shown = run("transactions", "show", "t-unknown")
    assert shown.code == 0
    assert "8MC585209K746392H" in shown.out
    assert "transactions settle t-unknown" in shown.out
    assert run("transactions", "show", "t-unknown", "--json").document["needs"] == "settle"
    missing = run("transactions", "show", "nothing")
    assert missing.code == 1
    assert "never sent" in missing.err


NOTED = {**KEPT, "note_to_payer": "Dear \x1b[31mAda"}


def test_what_was_sent_is_shown_and_not_listed(run: Run) -> None:
    """To whoever asks about this one; a list goes into tickets and monitors. It writes nothing on the terminal."""
    written(msgspec.structs.replace(UNKNOWN, sent=Sent(arguments=NOTED)))
    shown = run("transactions", "show", "t-unknown")
    assert "/note_to_payer: Dear <U+001B>[31mAda" in shown.out
    assert "transactions retry t-unknown" in shown.out
    assert run("transactions", "show", "t-unknown", "--json").document["sent"]["arguments"] == NOTED
    for listed in (run("transactions", "list"), run("transactions", "list", "--all", "--json")):
        assert "Ada" not in listed.out
    run("transactions", "settle", "t-unknown", "--found", "failed", "--by", "ann")
    assert "Ada" not in run("transactions", "show", "t-unknown").out


def test_what_is_too_long_for_a_picture_is_shown_all_the_same(run: Run) -> None:
    """As the document that it is, and still not obeyed."""
    items = [{"name": "Tea \x1b[2J", "n": number} for number in range(300)]
    written(msgspec.structs.replace(UNKNOWN, sent=Sent(arguments={"items": items})))
    shown = run("transactions", "show", "t-unknown")
    assert shown.code == 0
    assert '"n":299' in shown.out
    assert "\x1b" not in shown.out


def test_what_must_not_be_sent_again_is_not(run: Run, tmp_path: Path) -> None:
    """The reason is one line, nothing is recorded as ordered, and a name is demanded."""
    written(UNKNOWN, OPEN)
    refused = run("transactions", "retry", "t-unknown", "--by", "ann")
    assert (refused.code, refused.out) == (1, "")
    assert "not sent again" in refused.err
    assert run("transactions", "retry", "t-open", "--by", "ann").code == 1
    assert run("transactions", "retry", "t-none", "--by", "ann").code == 1
    assert run("transactions", "retry", "t-unknown").code == 2
    assert not [line for line in audit_lines(tmp_path) if line["reasons"] == ["admin.transaction_retry"]]


@pytest.mark.parametrize(("found", "outcome"), [("executed", "executed"), ("failed", "refused")])
def test_a_person_settles(run: Run, tmp_path: Path, found: str, outcome: str) -> None:
    """In the audit first, under that name; and once."""
    written(UNKNOWN)
    settled = run("transactions", "settle", "t-unknown", "--found", found, "--by", "ann")
    assert (settled.code, settled.out.strip()) == (0, f"t-unknown: {found}, by ann")
    shown = run("transactions", "show", "t-unknown", "--json").document
    assert (shown["outcome"], shown["how"], shown["settled_by"]) == (outcome, "person", "ann")
    assert "kept" not in shown
    (record,) = audit_lines(tmp_path)
    assert record["reasons"] == [f"admin.transaction_{found}"]
    assert (record["transaction_id"], record["caller"]["subject"]) == ("t-unknown", "ann")
    again = run("transactions", "settle", "t-unknown", "--found", "executed", "--by", "bob")
    assert again.code == 1
    assert f"its outcome is {outcome}" in again.err
    assert run("transactions", "list").code == 0


def test_what_is_under_way_is_not_settled_by_hand(run: Run, tmp_path: Path) -> None:
    """Its gateway may be waiting for the answer this very moment. Nothing is recorded as done."""
    written(OPEN)
    refused = run("transactions", "settle", "t-open", "--found", "failed", "--by", "ann")
    assert refused.code == 1
    assert "under way" in refused.err
    assert not (tmp_path / "audit.jsonl").exists()
    assert run("transactions", "settle", "t-none", "--found", "failed", "--by", "ann").code == 1
    assert run("transactions", "settle", "t-open", "--found", "unknown", "--by", "ann").code == 2


def test_names_do_not_write_on_the_terminal(run: Run) -> None:
    """A subject with an escape sequence is shown, not obeyed."""
    written(msgspec.structs.replace(UNKNOWN, subject="\x1b[2Jnobody"))
    for command in (("list",), ("show", "t-unknown")):
        assert "\x1b[2J" not in run("transactions", *command).out
