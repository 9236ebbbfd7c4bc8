"""Forged administration: another site, a form without its proof, a stolen cookie at the token's door. Nothing moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.kill.orders import read_orders
from gateway.transactions.book import TransactionBook
from gateway.transactions.transaction import How, State
from gateway.upstream.target import Effect
from tests.support.console import Person, signed_in
from tests.support.house import House, running_house
from tests.support.transactions import a_transaction

UNKNOWN = a_transaction("t-unknown", state=State.SETTLED, outcome=Effect.UNKNOWN, how=How.NOBODY)
STOP = {"kind": "caller", "value": "agent-one", "within": "", "reason": "Because."}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway of its own, with something to settle."""
    async with running_house(tmp_path) as running:
        assert await TransactionBook(running.gateway.store).open(UNKNOWN)
        yield running


@pytest.fixture
async def operator(house: House) -> AsyncIterator[Person]:
    """Signed in, and lured to another site."""
    async with signed_in(house, "ops", ("operator",)) as somebody:
        yield somebody


async def unmoved(house: House) -> bool:
    """No order, no finding, no call at PayPal, no record of an act."""
    return (
        await read_orders(house.gateway.store) == ()
        and await TransactionBook(house.gateway.store).find("t-unknown") == UNKNOWN
        and house.paypal_calls == 0
        and house.records("admin") == []
    )


@pytest.mark.parametrize(
    "path", ["stops", "stops/deadbeef/lift", "transactions/t-unknown/settle"], ids=["stop", "lift", "settle"]
)
async def test_a_forged_form_moves_nothing(house: House, operator: Person, path: str) -> None:
    """From another origin, from nowhere, with no or another session's CSRF token."""
    url = f"{house.url}/console/{path}"
    fields = {**STOP, "finding": "executed"}
    page = (await operator.open(f"{house.url}/console/stops")).text
    csrf = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
    for headers, proof in (
        ({"origin": "https://evil.example"}, csrf),
        ({"origin": house.url, "sec-fetch-site": "cross-site"}, csrf),
        ({}, csrf),
        ({"origin": house.url}, ""),
        ({"origin": house.url}, csrf[::-1]),
    ):
        answer = await operator.http.post(url, data={**fields, "csrf": proof}, headers=headers)
        assert answer.status_code == 403, answer.text
    assert await unmoved(house)
    assert (await operator.http.get(f"{url}?csrf={csrf}&finding=executed")).status_code in (404, 405, 200)
    assert await unmoved(house)


async def test_a_session_opens_nothing_at_the_doors_of_tokens(house: House, operator: Person) -> None:
    """A page of another site can make the browser send the cookie there at most; it is not looked at."""
    answer = await operator.http.post(f"{house.url}/admin/kill", json=STOP)
    assert answer.status_code == 401
    assert (await operator.http.get(f"{house.url}/admin/kill")).status_code == 401
    assert await unmoved(house)
