"""The audit's disk is filled, and a refund presented that has all its signatures: nothing is sent, nothing is begun."""

from __future__ import annotations

from gateway.transactions.book import TransactionBook
from tests.support.answers import codes_of
from tests.support.calls import confirmed, first_phase, invoice, refund
from tests.support.console import Person
from tests.support.faults import full_disk_under
from tests.support.house import House
from tests.support.until import until_answered


async def test_classes_1_to_3_do_not_leave_unrecorded(house: House, person: Person) -> None:
    """Neither PayPal nor the journal hears of them: there is nothing to look up, and nothing in doubt."""
    signed = await confirmed(house, person, "create_refund", refund("1.41"))
    token = await first_phase(house, "create_invoice", invoice("full"))
    kept = {one.transaction_id async for one in TransactionBook(house.gateway.store).all()}
    calls = house.paypal_calls
    with full_disk_under(house.audit_path):
        refused = await house.call("create_refund", refund("1.41"), state=signed)
        assert codes_of(refused) == ["audit.unavailable"]
        later = await house.call("create_invoice", invoice("full"), state=token)
        assert "environment.degraded" in codes_of(later)
        assert house.paypal_calls == calls
        assert {one.transaction_id async for one in TransactionBook(house.gateway.store).all()} == kept

    async def recorded() -> bool:
        await house.call("list_invoices", {"page": 1, "page_size": 5})
        return (await house.http.get("/readyz")).status_code == 200

    await until_answered(recorded)
