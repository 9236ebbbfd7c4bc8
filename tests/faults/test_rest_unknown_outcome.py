"""PayPal answers an execution over REST badly, or not at all: *unknown* is never *failed*, and failed is certain."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.upstream.paypal.simulator.faults import Fault, Match
from tests.support.calls import invoice
from tests.support.house import House, running_house
from tests.support.rest import INVALID_TOKEN, answer_of, authorize, execute, token_for
from tests.support.traces import Trace


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway whose PayPal is made to fail."""
    async with running_house(tmp_path_factory.mktemp("doubts")) as running:
        yield running


DOUBTS = {
    "no answer after the effect": Fault(match=Match(method="POST"), kind="drop_after_effect"),
    "no answer before the effect": Fault(match=Match(method="POST"), kind="drop_before_effect"),
    "500": Fault(match=Match(method="POST"), kind="status", status=500),
    "503 that is no JSON": Fault(
        match=Match(method="POST"), kind="status", status=503, raw="<html>secret stack"
    ),
}


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_a_doubtful_invoice_is_unknown(house: House, doubt: str) -> None:
    """504 and a code; the transaction of phase 1 is what PayPal was given; nothing is sent a second time."""
    first = (await authorize(house, "create_invoice", invoice(doubt))).json()
    house.simulator.faults.clear()
    house.simulator.faults.add(DOUBTS[doubt])
    trace = Trace(house)
    answer = await execute(house, first["ephemeralToken"], "create_invoice", invoice(doubt))
    body = answer.json()
    assert (answer.status_code, body["code"], body["status"]) == (504, "upstream.outcome_unknown", "unknown")
    assert "fail" not in body["error"].lower()
    assert "secret" not in answer.text
    assert [call.request_id for call in trace.writes] == [first["transactionId"]] == [body["transactionId"]]
    assert (trace.record["status"], trace.record["transaction_id"]) == ("unknown", first["transactionId"])
    again = await execute(house, first["ephemeralToken"], "create_invoice", invoice(doubt))
    assert answer_of(again) == (403, INVALID_TOKEN)
    assert len(trace.writes) == 1


async def test_what_paypal_refuses_has_failed_for_certain(house: House) -> None:
    """422: 400 with the result object, in which PayPal's error is told in the gateway's words."""
    house.simulator.faults.clear()
    house.simulator.faults.add(
        Fault(match=Match(method="POST"), kind="status", status=422, body={"name": "UNPROCESSABLE_ENTITY"})
    )
    token = await token_for(house, "create_invoice", invoice("422"))
    trace = Trace(house)
    answer = await execute(house, token, "create_invoice", invoice("422"))
    assert answer.status_code == 400
    assert answer.json()["isError"] is True
    assert trace.record["status"] == "failed"
