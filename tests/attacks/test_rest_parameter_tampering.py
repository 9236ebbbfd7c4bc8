"""The REST handshake: anything about the parameters changes between /authorize and /execute. Burnt, nothing sent."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.attacks.test_parameter_tampering import CALLS, added, places, tampered
from tests.support.calls import refund
from tests.support.console import Person
from tests.support.house import House
from tests.support.rest import INVALID_TOKEN, MISMATCH, answer_of, execute, token_for
from tests.support.traces import Trace


@pytest.mark.parametrize("tool", CALLS)
async def test_every_leaf_and_every_addition(house: House, tool: str) -> None:
    """Each leaf with another value, type or case, null, or gone; one member or element more, anywhere."""
    trace, tried = Trace(house), 0
    variants: list[dict[str, Any]] = [
        changed for path in places(CALLS[tool]) for _, changed in tampered(CALLS[tool], path)
    ]
    for changed in [*variants, *added(CALLS[tool])]:
        token = await token_for(house, tool, CALLS[tool])
        assert answer_of(await execute(house, token, tool, changed)) == (403, MISMATCH), changed
        assert (trace.records[-1]["status"], trace.records[-1]["error"]) == ("refused", "handshake.mismatch")
        tried += 1
    assert tried > 10
    assert trace.paypal == []


async def test_a_mismatch_burns_the_token(house: House) -> None:
    """The correct retry comes too late (C09)."""
    token = await token_for(house, "create_refund", refund("5.10"))
    trace = Trace(house)
    assert answer_of(await execute(house, token, "create_refund", refund("5.11"))) == (403, MISMATCH)
    assert answer_of(await execute(house, token, "create_refund", refund("5.10"))) == (403, INVALID_TOKEN)
    assert trace.paypal == []


async def test_after_the_approval(house: House, person: Person) -> None:
    """A person signed 5.20: with 520.00 the token is refused, and the signature is still for 5.20 alone."""
    signed = refund("5.20")
    token = await token_for(house, "create_refund", signed)
    waits = (await execute(house, token, "create_refund", signed)).json()
    assert (await person.approve(waits["approveUrl"])).status_code == 200
    trace = Trace(house)
    changed = copy.deepcopy(signed)
    changed["amount"]["value"] = "520.00"
    stolen = await execute(house, waits["ephemeralToken"], "create_refund", changed)
    assert answer_of(stolen) == (403, MISMATCH)
    assert trace.paypal == []
    back = await token_for(house, "create_refund", signed)
    assert trace.paypal == []
    assert (await execute(house, back, "create_refund", signed)).status_code == 200
    assert [call.body["amount"]["value"] for call in trace.writes] == ["5.20"]
