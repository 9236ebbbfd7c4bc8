"""Expired token: presented after its time, by the gateway's clock or by the store's."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gateway.state.store import Space
from tests.support.answers import approve_url_of, codes_of, said, status_of, token_of
from tests.support.calls import first_phase, invoice, refund, until_confirmation
from tests.support.console import signed_in
from tests.support.house import House, running_house
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.traces import Trace
from tests.support.until import until_answered


async def test_the_store_forgets_by_itself(tmp_path: Path) -> None:
    """The policy gives one second; after it the token is gone from the store, and refused."""
    policies = copied(tmp_path)
    edit_data(policies, "consent", handshake={"ttl_seconds": 1})
    async with running_house(tmp_path, policy=judged_by(policies)) as house:
        answer = await house.call("create_invoice", invoice("second"))
        assert said(answer)["expires_in_s"] == 1
        key = hashlib.sha256(token_of(answer).encode()).hexdigest()

        async def forgotten() -> bool:
            return await house.gateway.store.get(Space.HANDSHAKE, key) is None

        await until_answered(forgotten)
        trace = Trace(house)
        late = await house.call("create_invoice", invoice("second"), state=token_of(answer))
        assert codes_of(late) == ["handshake.token_unknown"]
        trace.refused_unseen("handshake.token_unknown")


async def test_the_gateway_does_not_trust_the_stores_clock(house: House) -> None:
    """The store still holds the token; by the gateway's clock its time is up."""
    token = await first_phase(house, "create_invoice", invoice("clock"))
    key = hashlib.sha256(token.encode()).hexdigest()
    house.clock.advance(31)
    assert await house.gateway.store.get(Space.HANDSHAKE, key) is not None
    trace = Trace(house)
    assert codes_of(await house.call("create_invoice", invoice("clock"), state=token)) == [
        "handshake.token_unknown"
    ]
    trace.refused_unseen("handshake.token_unknown")


async def test_in_an_era_without_tokens(house: House) -> None:
    """The repeat comes too late: it is a first phase again, not an execution."""
    first = await house.call("create_invoice", invoice("late"), era="legacy")
    assert status_of(first) == "handshake_required"
    house.clock.advance(31)
    trace = Trace(house)
    assert (
        status_of(await house.call("create_invoice", invoice("late"), era="legacy")) == "handshake_required"
    )
    assert trace.paypal == []


async def test_a_signature_grows_old(house: House) -> None:
    """A confirmation counts for ten minutes: then the call is told so, and the old page is gone."""
    waiting = await until_confirmation(house, "create_refund", refund("4.00"))
    async with signed_in(house) as person:
        url = approve_url_of(waiting)
        assert (await person.approve(url)).status_code == 200
        house.clock.advance(601)
        trace = Trace(house)
        answer = await house.call("create_refund", refund("4.00"))
        assert (status_of(answer), codes_of(answer)) == ("refused", ["confirm.timed_out"])
        assert trace.paypal == []
        assert (await person.open(url)).status_code in (404, 200)
        again = await house.call("create_refund", refund("4.00"), era="legacy")
        assert status_of(again) in ("handshake_required", "confirmation_required")
        assert trace.paypal == []


async def test_an_approval_after_the_call_expired_is_not_taken(house: House) -> None:
    """The person presses eleven minutes later: there is nothing to sign any more."""
    waiting = await until_confirmation(house, "create_refund", refund("4.10"))
    url = approve_url_of(waiting)
    async with signed_in(house) as person:
        fields = await person.fields(url)
        house.clock.advance(601)
        assert (await person.press(url, "approve", fields)).status_code == 404
    trace = Trace(house)
    await house.call("create_refund", refund("4.10"))
    assert trace.paypal == []
