"""Transactions in the console of a whole gateway: shown with what is known, and settled by whoever looked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.transactions.book import TransactionBook
from gateway.transactions.transaction import How, State
from gateway.upstream.target import Effect
from tests.support.console import Person, signed_in
from tests.support.house import House, running_house
from tests.support.transactions import a_transaction

UNKNOWN = a_transaction(
    "t-unknown", state=State.SETTLED, outcome=Effect.UNKNOWN, how=How.NOBODY, debug_id="dbg-1"
)
WAITING = a_transaction("t-waiting", state=State.WAITING, tool="pay_order")
DONE = a_transaction(
    "t-done", state=State.SETTLED, outcome=Effect.EXECUTED, how=How.ANSWER, tool="send_invoice"
)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway whose journal holds one of each."""
    async with running_house(tmp_path) as running:
        for one in (WAITING, DONE, UNKNOWN):
            assert await TransactionBook(running.gateway.store).open(one)
        yield running


@pytest.fixture
async def operator(house: House) -> AsyncIterator[Person]:
    """Signed in at the console."""
    async with signed_in(house, "ops", ("operator",)) as somebody:
        yield somebody


async def press(house: House, person: Person, transaction_id: str, **fields: str) -> httpx.Response:
    """The form of a transaction's page."""
    page = (await person.open(f"{house.url}/console/stops")).text
    csrf = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
    return await person.http.post(
        f"{house.url}/console/transactions/{transaction_id}/settle",
        data={"csrf": csrf, **fields},
        headers={"origin": person.origin},
    )


def acts(house: House) -> list[tuple[str, str, list[str], str | None, str | None]]:
    """Who settled what, by the audit."""
    return [
        (one["caller"]["subject"], one["status"], one["reasons"], one["transaction_id"], one["note"])
        for one in house.records("admin")
        if one["status"] != "opened"
    ]


async def test_unknown_and_open_ones_are_shown(house: House, operator: Person) -> None:
    """What needs a person first; what is known is not in the way."""
    page = (await operator.open(f"{house.url}/console/transactions")).text
    assert page.index("t-unknown") < page.index("t-waiting")
    assert "t-done" not in page
    assert "1.00 USD" in page
    assert "Nobody knows whether it was carried out" in page


async def test_everything_that_helps_to_look_is_shown(house: House, operator: Person) -> None:
    """Ids, amount, caller; for a known one how it ended and no form."""
    page = (await operator.open(f"{house.url}/console/transactions/t-unknown")).text
    for known in ("dbg-1", "8MC585209K746392H", "1.00", "agent-one", "create_refund"):
        assert known in page
    done = (await operator.open(f"{house.url}/console/transactions/t-done")).text
    assert "carried out" in done
    assert "/settle" not in done
    assert (await operator.open(f"{house.url}/console/transactions/none")).status_code == 404
    assert (await operator.open(f"{house.url}/console/transactions/{'x' * 500}")).status_code == 404


async def test_a_person_settles_once(house: House, operator: Person) -> None:
    """In the audit first, with who looked and what they saw; then it is known, and nothing was sent."""
    done = await press(house, operator, "t-unknown", finding="executed", note="Refund 1X in the report.")
    assert (done.status_code, "was carried out" in done.text) == (200, True)
    settled = await TransactionBook(house.gateway.store).find("t-unknown")
    assert settled is not None
    assert (settled.outcome, settled.how, settled.settled_by) == (Effect.EXECUTED, How.PERSON, "ops")
    again = await press(house, operator, "t-unknown", finding="failed", note="")
    assert again.status_code == 409
    assert acts(house) == [
        (
            "ops",
            "executed",
            ["admin.transaction_executed", "admin.permitted"],
            "t-unknown",
            "Refund 1X in the report.",
        )
    ]
    assert house.paypal_calls == 0


async def test_who_may_not_does_not(house: House) -> None:
    """An approver looks and settles nothing; nobody settles their own; who may not read is told nothing."""
    async with signed_in(house, "ann", ("approver",)) as approver:
        assert (
            "You cannot settle this"
            in (await approver.open(f"{house.url}/console/transactions/t-unknown")).text
        )
        assert (await press(house, approver, "t-unknown", finding="failed", note="")).status_code == 403
    async with signed_in(house, "agent-one", ("operator",)) as own:
        refused = await press(house, own, "t-unknown", finding="failed", note="")
        assert "made in their own name" in refused.text
    async with signed_in(house, "eve", ("nobody",)) as stranger:
        assert "t-unknown" not in (await stranger.open(f"{house.url}/console/transactions")).text
        assert (await stranger.open(f"{house.url}/console/transactions/t-unknown")).status_code == 404
    assert [(who, status) for who, status, *_ in acts(house)] == [
        ("ann", "refused"),
        ("agent-one", "refused"),
    ]
    assert await TransactionBook(house.gateway.store).find("t-unknown") == UNKNOWN


@pytest.mark.parametrize("spelt", ["AGENT-ONE", " agent-one ", "\uff41gent-one"])
async def test_the_caller_does_not_settle_its_own_under_another_spelling(house: House, spelt: str) -> None:
    """Attack: what was carried out is settled as failed by whoever asked for it; its budget is free again, and an equal
    call is sent."""
    async with signed_in(house, spelt, ("operator",)) as own:
        refused = await press(house, own, "t-unknown", finding="failed", note="")
    assert refused.status_code == 403
    assert "made in their own name" in refused.text
    assert acts(house) == [
        (spelt, "refused", ["admin.transaction_failed", "admin.own_transaction"], "t-unknown", None)
    ]
    assert await TransactionBook(house.gateway.store).find("t-unknown") == UNKNOWN
    assert house.paypal_calls == 0


@pytest.mark.parametrize(
    ("transaction", "fields", "status"),
    [
        ("t-unknown", {"finding": "perhaps"}, 400),
        ("t-unknown", {}, 400),
        ("t-unknown", {"finding": "failed", "note": "x" * 501}, 400),
        ("t-unknown", {"finding": "failed", "note": "a\u202eb"}, 400),
        ("t-waiting", {"finding": "failed"}, 409),
        ("t-none", {"finding": "failed"}, 404),
    ],
)
async def test_what_is_not_said_clearly_settles_nothing(
    house: House, operator: Person, transaction: str, fields: dict[str, str], status: int
) -> None:
    """And leaves no record that says otherwise."""
    assert (await press(house, operator, transaction, **fields)).status_code == status
    assert await TransactionBook(house.gateway.store).find("t-unknown") == UNKNOWN
    assert [one for one in acts(house) if one[1] == "executed"] == []
