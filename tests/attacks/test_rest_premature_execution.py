"""The REST handshake: a client, or a policy, tries to have /authorize carry a call out. Nothing there can send one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.calls import READ, invoice, refund
from tests.support.console import Person
from tests.support.house import House, running_house
from tests.support.policy_copies import ALLOWS_ALL, copied, edit_data, judged_by, with_decision
from tests.support.rest import authorize, execute, token_for
from tests.support.traces import Trace


async def test_a_tool_that_needs_no_handshake(tmp_path: Path) -> None:
    """Class 5: refused with a stable code, and PayPal was not asked."""
    policies = copied(tmp_path)
    edit_data(policies, "classes", tools={"list_invoices": 5})
    async with running_house(tmp_path, policy=judged_by(policies)) as house:
        trace = Trace(house)
        answer = await authorize(house, "list_invoices", READ, metadata={"sensitivity": "RESTRICTED"})
        assert (answer.status_code, answer.json()["code"]) == (400, "handshake.not_needed")
        trace.refused_unseen("handshake.not_needed")


async def test_an_internal_tool_without_a_signature(house: House) -> None:
    """Class 4 over plain HTTP wants the parameters signed (C08), in the guide's words."""
    trace = Trace(house)
    answer = await authorize(house, "list_invoices", READ)
    assert (answer.status_code, answer.json()) == (403, {"error": "Invalid signature"})
    assert trace.paypal == []


async def test_a_class_that_the_caller_names(house: House) -> None:
    """``create_refund`` called PUBLIC is what it is (C03): two phases and a person."""
    trace = Trace(house)
    token = await token_for(house, "create_refund", refund("6.00"), metadata={"sensitivity": "PUBLIC"})
    answer = await execute(house, token, "create_refund", refund("6.00"), metadata={"sensitivity": "PUBLIC"})
    assert (answer.status_code, answer.json()["status"]) == (202, "confirmation_required")
    assert trace.paypal == []


async def test_a_call_that_a_person_has_confirmed(house: House, person: Person) -> None:
    """/authorize again and again after the signature: a token each time, and the refund is not made by any of them."""
    token = await token_for(house, "create_refund", refund("6.10"))
    waits = (await execute(house, token, "create_refund", refund("6.10"))).json()
    assert (await person.approve(waits["approveUrl"])).status_code == 200
    trace = Trace(house)
    tokens = [await token_for(house, "create_refund", refund("6.10")) for _ in range(5)]
    assert trace.paypal == []
    answers = [await execute(house, one, "create_refund", refund("6.10")) for one in tokens]
    # The first uses the signature up; the others are first phases of the same call, which waits for a person anew.
    assert [answer.status_code for answer in answers] == [200, 202, 202, 202, 202]
    assert len(trace.writes) == 1


async def test_a_call_that_a_person_has_refused(house: House, person: Person) -> None:
    """The no is final in both phases, in the guide's words, for as long as the call would have waited."""
    token = await token_for(house, "create_refund", refund("6.30"))
    waits = (await execute(house, token, "create_refund", refund("6.30"))).json()
    assert (await person.refuse(waits["approveUrl"])).status_code == 200
    trace = Trace(house)
    for answer in (
        await execute(house, waits["ephemeralToken"], "create_refund", refund("6.30")),
        await authorize(house, "create_refund", refund("6.30")),
    ):
        assert answer.status_code == 403
        assert set(answer.json()) == {"error"}
        assert answer.json()["error"].startswith("Denied by confirmation agent: ")
    assert trace.paypal == []
    assert [record["reasons"] for record in trace.records] == [["confirm.refused"]] * 2


@pytest.fixture
async def careless(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway whose policy says yes to everything, and lies about the class."""
    async with running_house(tmp_path, policy=judged_by(with_decision(tmp_path, ALLOWS_ALL))) as running:
        yield running


async def test_a_policy_that_allows_everything(careless: House) -> None:
    """Whatever it says: /authorize sends nothing, and /execute wants a token that nobody hands out."""
    trace = Trace(careless)
    for tool, arguments in (("create_invoice", invoice("x")), ("create_refund", refund("6.20"))):
        answer = await authorize(careless, tool, arguments)
        assert answer.json()["code"] == "handshake.not_needed"
        assert (await execute(careless, ..., tool, arguments)).status_code == 403
    assert trace.paypal == []
    # What the policy allows is carried out where it is asked for.
    assert (await careless.call("create_invoice", invoice("x")))["result"]["isError"] is False
