"""Rows: all of them, and each as it was written."""

from __future__ import annotations

from gateway.transactions.book import PAGE, read
from gateway.transactions.transaction import How, State
from gateway.upstream.target import Effect
from tests.support.transactions import a_transaction
from tests.transactions.conftest import Desk


async def test_every_row_is_found(desk: Desk) -> None:
    """More than one page of them: an open transaction must not hide behind settled ones."""
    ids = [f"t{number:05}" for number in range(PAGE + 3)]
    for one in ids:
        await desk.book.open(a_transaction(one))
    assert [one.transaction_id async for one in desk.book.all()] == ids


async def test_a_row_that_moved_is_not_replaced(desk: Desk, beside: Desk) -> None:
    """Of two who saw the same, one writes."""
    seen = a_transaction()
    await desk.book.open(seen)
    assert await beside.book.replace(seen, a_transaction(instance="two"))
    assert not await desk.book.replace(seen, a_transaction(instance="one"))
    assert await desk.kept() == a_transaction(instance="two")


async def test_an_id_that_was_taken_out_of_use(desk: Desk) -> None:
    """It never left, and never will; nothing of the call is kept under it."""
    assert await desk.book.withdraw("t1", a_transaction("t2"))
    kept = await desk.kept()
    assert (kept.state, kept.outcome, kept.how, kept.kept) == (
        State.SETTLED,
        Effect.REFUSED,
        How.NEVER_SENT,
        {},
    )
    assert not await desk.book.open(a_transaction("t1"))
    assert not await desk.book.withdraw("t1", a_transaction("t3"))


def test_what_is_no_row() -> None:
    """Of another version, or of nobody."""
    for value in (b"", b"{}", b"\xff", b'{"transaction_id":1}'):
        assert read(value) is None
