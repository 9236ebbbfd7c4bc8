"""Store lost between the phases: whoever can make the gateway forget gains nothing by it. (At every single step in
between: ``faults/test_store_lost_between_two_steps.py``.)"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support import parts
from tests.support.answers import approve_url_of, codes_of, status_of, token_of
from tests.support.calls import READ, first_phase, invoice, refund, until_confirmation
from tests.support.console import signed_in
from tests.support.house import House, running_house
from tests.support.redis import RedisServer
from tests.support.rest import INVALID_TOKEN, answer_of, execute, token_for
from tests.support.traces import Trace


@pytest.fixture
def store() -> Iterator[RedisServer]:
    """A Redis that forgets everything when it is started again."""
    with RedisServer(parts.require(parts.REDIS)) as redis:
        yield redis


@pytest.fixture
async def house(store: RedisServer, tmp_path: Path) -> AsyncIterator[House]:
    """A gateway on it."""
    async with running_house(tmp_path, state_url=store.url) as running:
        yield running


async def test_a_token_of_before(house: House, store: RedisServer) -> None:
    """Away: 503, and nothing is sent. Back and empty: the token is none, over either door; a new one is good."""
    token = await first_phase(house, "create_invoice", invoice("before"))
    rest = await token_for(house, "create_invoice", invoice("rest"))
    store.stop()
    trace = Trace(house)
    assert codes_of(await house.call("create_invoice", invoice("before"), state=token)) == [
        "state.unavailable"
    ]
    assert (await execute(house, rest, "create_invoice", invoice("rest"))).status_code == 503
    store.start()
    assert codes_of(await house.call("create_invoice", invoice("before"), state=token)) == [
        "handshake.token_unknown"
    ]
    assert answer_of(await execute(house, rest, "create_invoice", invoice("rest"))) == (403, INVALID_TOKEN)
    assert trace.paypal == []
    assert {one["status"] for one in trace.records} <= {"refused", "failed"}
    token = await first_phase(house, "create_invoice", invoice("before"))
    assert status_of(await house.call("create_invoice", invoice("before"), state=token)) == "executed"


async def test_a_first_phase_in_an_era_without_tokens(house: House, store: RedisServer) -> None:
    """The repeat finds nothing that it repeats."""
    await house.call("create_invoice", invoice("left"), era="legacy")
    store.stop()
    store.start()
    trace = Trace(house)
    answer = await house.call("create_invoice", invoice("left"), era="legacy")
    assert status_of(answer) == "handshake_required"
    assert trace.paypal == []


async def test_a_signature_of_before(house: House, store: RedisServer) -> None:
    """What a person signed is gone with the store: the call has nobody's signature, and its page is gone."""
    waiting = await until_confirmation(house, "create_refund", refund("9.00"))
    url = approve_url_of(waiting)
    async with signed_in(house) as person:
        assert (await person.approve(url)).status_code == 200
    store.stop()
    store.start()
    trace = Trace(house)
    answer = await house.call("create_refund", refund("9.00"), state=token_of(waiting))
    assert codes_of(answer) == ["handshake.token_unknown"]
    assert status_of(await house.call("create_refund", refund("9.00"))) == "handshake_required"
    assert trace.paypal == []
    async with signed_in(house) as person:
        assert (await person.open(url)).status_code == 404


async def test_meanwhile_not_even_reads_pass(house: House, store: RedisServer) -> None:
    """The operator's orders are kept there: without them nobody knows what was stopped. Then all is as before."""
    store.stop()
    trace = Trace(house)
    assert codes_of(await house.call("list_invoices", READ)) == ["state.unavailable"]
    trace.refused_unseen("state.unavailable")
    store.start()
    while codes_of(answer := await house.call("list_invoices", READ)) == ["state.unavailable"]:
        pass
    assert status_of(answer) == "executed"
