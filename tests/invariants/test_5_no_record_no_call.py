"""Invariant 5. No upstream call without an open audit record; if the audit cannot take it, classes 1-3 are refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.audit.verify import verify_file
from gateway.canonical import canonical_hash
from gateway.upstream.paypal.simulator.faults import Fault, Match
from tests.support.answers import approve_url_of, codes_of, status_of, text_of
from tests.support.calls import READ, confirmed, first_phase, invoice, refund, until_confirmation
from tests.support.console import signed_in
from tests.support.faults import full_disk_under
from tests.support.house import House, running_house
from tests.support.policy_copies import ALLOWS_ALL, judged_by, with_decision
from tests.support.traces import Trace
from tests.support.until import until, until_answered


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The default policy."""
    async with running_house(tmp_path) as running:
        yield running


async def until_recorded_again(house: House) -> None:
    """Reads go on meanwhile; one of them finds the disk free again."""

    async def recorded() -> bool:
        assert status_of(await house.call("list_invoices", READ)) == "executed"
        return (await house.http.get("/readyz")).status_code == 200

    await until_answered(recorded)


async def test_the_record_is_on_the_disk_before_the_call_leaves(house: House) -> None:
    """While PayPal has the call, the audit already names it as opened, with caller, tool, hash and transaction."""
    arguments = invoice("opened")
    token = await first_phase(house, "create_invoice", arguments)
    house.simulator.faults.add(Fault(match=Match(method="POST"), kind="delay", seconds=0.3))
    trace = Trace(house)
    call = asyncio.ensure_future(house.call("create_invoice", arguments, state=token))
    await until(lambda: trace.writes)
    opened = [record for record in house.records() if record["status"] == "opened"]
    assert [(one["tool"], one["caller"]["subject"]) for one in opened] == [("create_invoice", "agent-one")]
    assert opened[0]["arguments_hash"] == canonical_hash(trace.writes[0].body)
    assert opened[0]["transaction_id"] == trace.writes[0].request_id
    assert trace.records == []
    assert status_of(await call) == "executed"
    closing = house.records()[-1]
    assert (closing["call_id"], closing["status"]) == (opened[0]["call_id"], "executed")


async def test_sensitive_calls_stop_when_the_disk_is_full(house: House) -> None:
    """A refund with all its signatures, and an invoice with its handshake: nothing is sent, and the caller is told."""
    async with signed_in(house) as person:
        signed = await confirmed(house, person, "create_refund", refund("2.00"))
        token = await first_phase(house, "create_invoice", invoice("disk"))
        calls = house.paypal_calls
        with full_disk_under(house.audit_path):
            refused = await house.call("create_refund", refund("2.00"), state=signed)
            assert codes_of(refused) == ["audit.unavailable"]
            assert "disk" not in text_of(refused).lower()
            assert str(house.audit_path) not in str(refused)
            # From here on the gateway knows, and policy refuses before anything else happens.
            later = await house.call("create_invoice", invoice("disk"), state=token)
            assert "environment.degraded" in codes_of(later)
            assert status_of(later) == "refused"
            refused = await house.call("create_refund", refund("2.00"))
            assert "environment.degraded" in codes_of(refused)
            assert house.paypal_calls == calls
            assert (await house.http.get("/readyz")).status_code == 503
        await until_recorded_again(house)
    assert house.paypal_writes == []
    assert status_of(await house.call("create_invoice", invoice("after"))) == "handshake_required"


async def test_an_approval_that_cannot_be_recorded_is_not_given(house: House) -> None:
    """A person presses Approve on a full disk: the call still waits afterwards."""
    waiting = await until_confirmation(house, "create_refund", refund("3.00"))
    url = approve_url_of(waiting)
    async with signed_in(house) as person:
        fields = await person.fields(url)
        with full_disk_under(house.audit_path):
            assert (await person.press(url, "approve", fields)).status_code == 503
        await until_recorded_again(house)
    state = waiting["result"]["requestState"]
    again = await house.call("create_refund", refund("3.00"), state=state)
    assert status_of(again) == "confirmation_required"
    assert house.paypal_writes == []


async def test_what_was_lost_is_counted(house: House) -> None:
    """After the fault the chain goes on, verifies, and says how many records are missing."""
    await house.call("list_invoices", READ)
    with full_disk_under(house.audit_path):
        for _ in range(3):
            assert status_of(await house.call("list_invoices", READ)) == "executed"
    await until_recorded_again(house)
    verification = verify_file(house.audit_path)
    assert verification.ok
    (note,) = verification.notes
    lost = re.search(r"\d+", note.what)
    # What the reads lost that waited for the disk to be free again comes on top of the three.
    assert lost is not None
    assert int(lost[0]) + len(Trace.closed(house)) == house.paypal_calls


@pytest.mark.parametrize("claimed", ["2", "5", "null"])
async def test_no_policy_lets_a_sensitive_call_leave_unrecorded(tmp_path: Path, claimed: str) -> None:
    """A policy that ignores the degraded state, says yes and names whatever class it likes: the call stays here."""
    lies = with_decision(tmp_path, ALLOWS_ALL.replace('"data_class": 5,', f'"data_class": {claimed},'))
    async with running_house(tmp_path, policy=judged_by(lies)) as house:
        assert status_of(await house.call("create_invoice", invoice("1"))) == "executed"
        trace = Trace(house)
        with full_disk_under(house.audit_path):
            for _ in range(2):
                answer = await house.call("create_invoice", invoice("2"))
                assert codes_of(answer) == ["audit.unavailable"]
                assert trace.paypal == []
