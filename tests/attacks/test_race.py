"""Race: many present one token, or one confirmation, at the same instant. Exactly one effect, whoever wins."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from pathlib import Path

import httpx

from gateway.console.login import mint_login
from gateway.demo.approver import ScriptedHuman
from tests.support.answers import approve_url_of, codes_of, status_of, token_of
from tests.support.calls import confirmed, first_phase, invoice, refund
from tests.support.console import Person
from tests.support.gateways import Gateways, gateways
from tests.support.house import House
from tests.support.traces import Trace

PRESENTERS = 200


async def test_two_hundred_presenters_of_one_token(house: House) -> None:
    """One invoice; a hundred and ninety-nine are told that the token is unknown; one record for each of them."""
    limits = httpx.Limits(max_connections=PRESENTERS)
    async with httpx.AsyncClient(base_url=house.url, timeout=60, trust_env=False, limits=limits) as http:
        host = dataclasses.replace(house, http=http)
        token = await first_phase(host, "create_invoice", invoice("race"))
        trace = Trace(house)
        answers = await asyncio.gather(
            *(host.call("create_invoice", invoice("race"), state=token) for _ in range(PRESENTERS))
        )
    assert Counter(status_of(answer) for answer in answers) == {"executed": 1, "error": PRESENTERS - 1}
    losers = [answer for answer in answers if status_of(answer) == "error"]
    assert {code for answer in losers for code in codes_of(answer)} == {"handshake.token_unknown"}
    assert len(trace.writes) == 1
    assert Counter(record["status"] for record in trace.records) == {
        "executed": 1,
        "refused": PRESENTERS - 1,
    }


async def test_fifty_executors_of_one_confirmation(house: House, person: Person) -> None:
    """Found again by caller, tool and arguments, a signed refund is carried out for one of fifty repeats."""
    await confirmed(house, person, "create_refund", refund("1.11"))
    trace = Trace(house)
    answers = await asyncio.gather(
        *(house.call("create_refund", refund("1.11"), era="legacy") for _ in range(50))
    )
    assert [status_of(answer) for answer in answers].count("executed") == 1
    assert len(trace.writes) == 1


async def test_one_person_presses_ten_times_at_once(house: House, person: Person) -> None:
    """Ten presses are one signature, and the call is carried out once."""
    waiting = await house.call(
        "create_refund", refund("1.12"), state=await first_phase(house, "create_refund", refund("1.12"))
    )
    url = approve_url_of(waiting)
    fields = await person.fields(url)
    await asyncio.gather(*(person.press(url, "approve", fields) for _ in range(10)))
    trace = Trace(house)
    done = await house.call("create_refund", refund("1.12"), state=token_of(waiting))
    assert status_of(done) == "executed"
    assert len(trace.writes) == 1


async def raced(running: Gateways) -> None:
    """One token and one confirmation, presented to both gateways by a hundred each at once."""
    first, second = running.all
    simulator = running.simulator
    token = token_of(await first.call("create_invoice", invoice("two")))
    answers = await asyncio.gather(
        *(one.call("create_invoice", invoice("two"), state=token) for _ in range(100) for one in running.all)
    )
    assert [status_of(answer) for answer in answers].count("executed") == 1
    assert [call.path for call in simulator.calls if call.method == "POST"] == ["/v2/invoicing/invoices"]

    # Phase 1 at one gateway, phase 2 at the other, the approval at the first, the execution at both.
    token = token_of(await first.call("create_refund", refund("1.13")))
    waiting = await second.call("create_refund", refund("1.13"), state=token)
    assert status_of(waiting) == "confirmation_required", waiting
    link = await mint_login(running.store, subject="approver-one", roles=("approver",))
    human = ScriptedHuman(f"{first.url}/console/login/{link}")
    try:
        await human.approve(approve_url_of(waiting).replace(second.url, first.url))
    finally:
        await human.aclose()
    simulator.calls.clear()
    answers = await asyncio.gather(
        *(one.call("create_refund", refund("1.13"), legacy=True) for _ in range(10) for one in running.all)
    )
    assert [status_of(answer) for answer in answers].count("executed") == 1
    assert len([call for call in simulator.calls if call.method == "POST"]) == 1


async def test_two_gateways_over_one_sqlite_file(tmp_path: Path) -> None:
    """Two processes on one host: a token is consumed once, whichever of them it is presented to."""
    async with gateways(tmp_path, f"sqlite:///{tmp_path / 'state.sqlite3'}") as running:
        await raced(running)


async def test_two_gateways_over_one_redis(tmp_path: Path, redis_url: str) -> None:
    """The same over a real Redis, as on two hosts."""
    async with gateways(tmp_path, redis_url) as running:
        await raced(running)
