"""Cross-tool: a token or a signature for one tool is used for another that takes the very same arguments."""

from __future__ import annotations

from gateway.upstream.paypal.simulator.seeds import DRAFT_INVOICE
from tests.support.answers import codes_of, status_of
from tests.support.calls import PAY, confirmed, first_phase
from tests.support.console import Person
from tests.support.depot import PARCEL, RECALL, SHIP, Depot
from tests.support.house import House
from tests.support.traces import Trace


async def test_a_reminder_does_not_become_a_sending(house: House) -> None:
    """``send_invoice`` and ``cancel_sent_invoice`` take the same id; a token of one is refused for the other."""
    arguments = {"invoice_id": DRAFT_INVOICE}
    for granted, tried in (("cancel_sent_invoice", "send_invoice"), ("send_invoice", "cancel_sent_invoice")):
        token = await first_phase(house, granted, arguments)
        trace = Trace(house)
        assert codes_of(await house.call(tried, arguments, state=token)) == ["handshake.mismatch"]
        assert trace.writes == []
        assert trace.record["error"] == "handshake.mismatch"


async def test_a_signature_stays_with_its_tool(house: House, person: Person) -> None:
    """A signed ``pay_order`` is no ``get_order`` and no other tool's; each gets the consent it asks for itself."""
    token = await confirmed(house, person, "pay_order", PAY)
    trace = Trace(house)
    assert codes_of(await house.call("get_order", PAY, state=token)) == ["handshake.mismatch"]
    assert trace.writes == []


async def test_the_order_of_phases_does_not_mix_tools(depot: Depot) -> None:
    """Legacy: phase 1 of ``ship_parcel`` is no phase 1 of ``recall_parcel``."""
    house, sent = depot.house, len(depot.depot.calls)
    await house.call(SHIP, PARCEL, server="depot", era="legacy")
    answer = await house.call(RECALL, PARCEL, server="depot", era="legacy")
    assert status_of(answer) == "handshake_required"
    assert len(depot.depot.calls) == sent
