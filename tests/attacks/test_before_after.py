"""The picture of an update: what is there now stands beside what it becomes, and no caller reads it through us."""

from __future__ import annotations

from gateway.upstream.paypal.simulator.seeds import OPEN_DISPUTE
from tests.support.answers import approve_url_of, status_of, token_of
from tests.support.calls import until_confirmation
from tests.support.console import Person
from tests.support.house import House

ACCEPT = {"dispute_id": OPEN_DISPUTE, "note": "Sorry."}


async def test_the_approver_sees_what_is_there_and_the_caller_does_not(house: House, person: Person) -> None:
    """State, amount and buyer on the page; none of it in the answers; what runs is what was judged, once."""
    waiting = await until_confirmation(house, "accept_dispute_claim", ACCEPT)
    for told in ("WAITING_FOR_SELLER_RESPONSE", "buyer@example.com", "25.00"):
        assert told in (await person.open(approve_url_of(waiting))).text
        assert told not in repr(waiting)
    assert house.paypal_writes == []
    assert (await person.approve(approve_url_of(waiting))).status_code == 200
    done = await house.call("accept_dispute_claim", ACCEPT, state=token_of(waiting))
    assert status_of(done) == "executed"
    assert house.paypal_writes == [f"POST /v1/customer/disputes/{OPEN_DISPUTE}/accept-claim"]


async def test_it_is_looked_up_once(house: House) -> None:
    """Repeats while a person thinks ask PayPal for the amount, as they always did, and for nothing besides."""
    waiting = await until_confirmation(house, "accept_dispute_claim", ACCEPT)
    [pending] = await house.gateway.house.waiting.waiting()
    looked = house.paypal_calls
    await house.call("accept_dispute_claim", ACCEPT, state=token_of(waiting))
    assert house.paypal_calls == looked + 1
    assert await house.gateway.house.waiting.waiting() == [pending]


async def test_what_moved_at_the_target_does_not_change_what_is_sent(house: House, person: Person) -> None:
    """The picture says when it was taken; the arguments are the judged ones to the end."""
    waiting = await until_confirmation(house, "accept_dispute_claim", ACCEPT)
    await person.approve(approve_url_of(waiting))
    house.simulator.ledger.disputes[OPEN_DISPUTE]["reason"] = "UNAUTHORISED"
    done = await house.call("accept_dispute_claim", ACCEPT, state=token_of(waiting))
    assert status_of(done) == "executed"
    assert house.simulator.calls[-1].path.endswith("/accept-claim")
