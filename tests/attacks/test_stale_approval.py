"""Stale approval: the world moves between signature and execution. An old signature is not for the new amount."""

from __future__ import annotations

from gateway.upstream.paypal.simulator.seeds import OPEN_DISPUTE
from tests.support.answers import approve_url_of, codes_of, status_of, token_of
from tests.support.calls import PAY, confirmed, until_confirmation
from tests.support.console import Person
from tests.support.house import House
from tests.support.traces import Trace

DISPUTE = {"dispute_id": OPEN_DISPUTE, "note": "Sorry"}


def set_order(house: House, value: str, currency: str = "USD") -> None:
    """At PayPal, the order's amount is another from now on."""
    order = house.simulator.ledger.orders[PAY["id"]]
    order["purchase_units"][0]["amount"] = {"currency_code": currency, "value": value}


async def test_the_order_became_dearer(house: House, person: Person) -> None:
    """Signed at 40, 400 at execution: it waits again; signed anew it is carried out."""
    token = await confirmed(house, person, "pay_order", PAY)
    set_order(house, "400.00")
    trace = Trace(house)
    waiting = await house.call("pay_order", PAY, state=token)
    assert status_of(waiting) == "confirmation_required"
    assert trace.writes == []
    await person.approve(approve_url_of(waiting))
    done = await house.call("pay_order", PAY, state=token_of(waiting))
    assert status_of(done) == "executed"
    assert len(trace.writes) == 1


async def test_in_an_era_without_tokens(house: House, person: Person) -> None:
    """The same where the call is found again by its arguments."""
    await confirmed(house, person, "pay_order", PAY)
    set_order(house, "39.99")
    trace = Trace(house)
    assert status_of(await house.call("pay_order", PAY, era="legacy")) == "confirmation_required"
    assert trace.writes == []


async def test_the_order_rose_above_the_hard_limit(house: House, person: Person) -> None:
    """No signature lifts it."""
    token = await confirmed(house, person, "pay_order", PAY)
    set_order(house, "10000.01")
    trace = Trace(house)
    answer = await house.call("pay_order", PAY, state=token)
    assert (status_of(answer), "money.over_limit" in codes_of(answer)) == ("refused", True)
    assert trace.writes == []


async def test_the_currency_changed(house: House, person: Person) -> None:
    """40 of something else is not 40 US dollars."""
    token = await confirmed(house, person, "pay_order", PAY)
    set_order(house, "40.00", "GBP")
    trace = Trace(house)
    assert status_of(await house.call("pay_order", PAY, state=token)) == "confirmation_required"
    assert trace.writes == []


async def test_the_payee_changed(house: House, person: Person) -> None:
    """The same amount to somebody else."""
    token = await confirmed(house, person, "pay_order", PAY)
    order = house.simulator.ledger.orders[PAY["id"]]
    unit = order["purchase_units"][0]
    unit["payee"] = {"merchant_id": "MALLORYMALLOR", "email_address": "mallory@example.com"}
    trace = Trace(house)
    assert status_of(await house.call("pay_order", PAY, state=token)) == "confirmation_required"
    assert trace.writes == []


async def test_the_amount_can_no_longer_be_learned(house: House, person: Person) -> None:
    """The order is gone at execution: what nobody can state, nobody can approve."""
    token = await confirmed(house, person, "pay_order", PAY)
    del house.simulator.ledger.orders[PAY["id"]]
    trace = Trace(house)
    answer = await house.call("pay_order", PAY, state=token)
    assert "money.amount_unknown" in codes_of(answer)
    assert trace.writes == []


async def test_a_page_that_was_opened_before_the_change(house: House, person: Person) -> None:
    """The person looks at 40, the call is asked again at 400, the person presses: not taken."""
    waiting = await until_confirmation(house, "pay_order", PAY)
    url = approve_url_of(waiting)
    fields = await person.fields(url)
    set_order(house, "400.00")
    moved = await house.call("pay_order", PAY, state=token_of(waiting))
    assert status_of(moved) == "confirmation_required"
    assert (await person.press(url, "approve", fields)).status_code == 409
    trace = Trace(house)
    assert status_of(await house.call("pay_order", PAY, state=token_of(moved))) == "confirmation_required"
    assert trace.writes == []


async def test_a_dispute_that_grew(house: House, person: Person) -> None:
    """The same for another tool whose amount is looked up."""
    token = await confirmed(house, person, "accept_dispute_claim", DISPUTE)
    dispute = house.simulator.ledger.disputes[OPEN_DISPUTE]
    dispute["dispute_amount"] = {"currency_code": "USD", "value": "99.00"}
    trace = Trace(house)
    answer = await house.call("accept_dispute_claim", DISPUTE, state=token)
    assert status_of(answer) == "confirmation_required"
    assert trace.writes == []
