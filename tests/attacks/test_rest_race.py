"""The REST handshake: two hundred executions of one token at the same instant. One effect, over either store."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from gateway.outcome.consent import Consents
from gateway.outcome.pending import Waiting
from gateway.state.store import Space, Store
from tests.support.calls import invoice, refund
from tests.support.console import signed_in
from tests.support.house import House, running_house
from tests.support.rest import INVALID_TOKEN, answer_of, endpoint_over, execute, in_process, token_for
from tests.support.traces import Trace

PRESENTERS = 200


class GatedStore:
    """A store behind a gate: nobody takes a handshake token before all of them have come to take it."""

    def __init__(self, store: Store, presenters: int) -> None:
        self._store = store
        self._awaited = presenters
        self._open = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def take(self, space: Space, key: str, *, durable: bool = True) -> bytes | None:
        """See ``Store.take``."""
        if space is Space.HANDSHAKE:
            self._awaited -= 1
            if self._awaited <= 0:
                self._open.set()
            await self._open.wait()
        return await self._store.take(space, key, durable=durable)


def gated(house: House, presenters: int) -> httpx.AsyncClient:
    """The REST door over the house's own rooms, with the gate in front of its store."""
    wired = house.gateway.house
    waiting = Waiting(cast("Store", GatedStore(house.gateway.store, presenters)), now=house.clock)
    consents = Consents(waiting, now=house.clock)
    racing = dataclasses.replace(wired, consents=consents, waiting=waiting)
    return in_process(endpoint_over(racing, default_server="paypal", clock=house.clock))


@pytest.fixture(params=["sqlite", "redis"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    """A whole gateway over a real SQLite file, and over a real Redis."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else None
    async with running_house(tmp_path, state_url=url) as running:
        yield running


async def test_two_hundred_executions_of_one_token(house: House) -> None:
    """All of them stand before the store when it opens: 1 success, 199 x 403, one invoice, a record for each."""
    token = await token_for(house, "create_invoice", invoice("rest race"))
    trace = Trace(house)
    async with gated(house, PRESENTERS) as http, asyncio.timeout(60):
        answers = await asyncio.gather(
            *(
                execute(house, token, "create_invoice", invoice("rest race"), http=http)
                for _ in range(PRESENTERS)
            )
        )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 403: PRESENTERS - 1}
    assert all(answer.json() == INVALID_TOKEN for answer in answers if answer.status_code == 403)
    assert [call.path for call in trace.writes] == ["/v2/invoicing/invoices"]
    assert Counter(record["status"] for record in trace.records) == {"executed": 1, "refused": PRESENTERS - 1}


async def test_fifty_tokens_of_one_confirmation(house: House) -> None:
    """One signature, and a fresh token for each of fifty executors: one refund."""
    token = await token_for(house, "create_refund", refund("7.00"))
    waits = (await execute(house, token, "create_refund", refund("7.00"))).json()
    async with signed_in(house) as person:
        await person.approve(waits["approveUrl"])
    tokens = [await token_for(house, "create_refund", refund("7.00")) for _ in range(50)]
    trace = Trace(house)
    async with gated(house, 50) as http, asyncio.timeout(60):
        answers = await asyncio.gather(
            *(execute(house, one, "create_refund", refund("7.00"), http=http) for one in tokens)
        )
    counted = Counter(answer.status_code for answer in answers)
    # Who came too late finds the signature used (403), or a call that waits for a new one (202).
    assert counted[200] == 1
    assert counted[202] + counted[403] == 49
    assert len(trace.writes) == 1


async def test_over_real_sockets(house: House) -> None:
    """The same through two hundred connections, without a gate."""
    token = await token_for(house, "create_invoice", invoice("rest sockets"))
    trace = Trace(house)
    limits = httpx.Limits(max_connections=PRESENTERS)
    async with httpx.AsyncClient(base_url=house.url, timeout=60, trust_env=False, limits=limits) as http:
        answers = await asyncio.gather(
            *(
                execute(house, token, "create_invoice", invoice("rest sockets"), http=http)
                for _ in range(PRESENTERS)
            )
        )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 403: PRESENTERS - 1}
    assert {answer_of(answer)[1]["error"] for answer in answers if answer.status_code == 403} == {
        "Invalid or expired token"
    }
    assert len(trace.writes) == 1
