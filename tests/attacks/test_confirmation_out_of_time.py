"""Out of time: confirmations that come too late, too early, or by a clock that somebody set; a store that is lost."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gateway.errors import StoreUnavailable
from gateway.outcome.answer import Again, Executed
from gateway.state.store import Space
from gateway.walk import walk
from tests.support.answers import approve_url_of, codes_of, status_of, token_of
from tests.support.calls import refund, until_confirmation
from tests.support.console import signed_in
from tests.support.house import running_house
from tests.support.traces import Trace
from tests.support.waiting import a_signature
from tests.support.walking import PAY, Rooms, a_call, rooms

BILL = {"bill": "b1"}
TTL_S = 600


@pytest.mark.parametrize("signed", [False, True])
async def test_a_confirmation_that_nobody_gave_in_time(tmp_path: Path, *, signed: bool) -> None:
    """Refused, and said so once, also where the one signature of two came in time; then it begins anew."""
    async with running_house(tmp_path) as house:
        arguments = refund("900.00")
        waiting = await until_confirmation(house, "create_refund", arguments)
        if signed:
            async with signed_in(house) as person:
                await person.approve(approve_url_of(waiting))
        house.clock.advance(TTL_S + 1)
        trace = Trace(house)
        answer = await house.call("create_refund", arguments)
        assert (status_of(answer), codes_of(answer)) == ("refused", ["confirm.timed_out"])
        trace.refused_unseen("confirm.timed_out")
        [end] = [one for one in house.records("confirm") if "confirm.timed_out" in one["reasons"]]
        assert end["transaction_id"] == trace.record["transaction_id"]
        await until_confirmation(house, "create_refund", arguments)
        [anew] = await house.gateway.house.waiting.waiting()
        assert anew.confirmations == ()
        assert anew.transaction_id != end["transaction_id"]
        assert trace.paypal == []


async def test_a_signature_after_the_deadline(tmp_path: Path) -> None:
    """The page that was left open signs nothing any more."""
    async with running_house(tmp_path) as house, signed_in(house) as person:
        waiting = await until_confirmation(house, "create_refund", refund("9.10"))
        url = approve_url_of(waiting)
        fields = await person.fields(url)
        house.clock.advance(TTL_S + 1)
        late = await person.press(url, "approve", fields)
        assert late.status_code == 404
        assert "expired" in late.text
        trace = Trace(house)
        answer = await house.call("create_refund", refund("9.10"), era="legacy")
        assert codes_of(answer) == ["confirm.timed_out"]
        assert trace.paypal == []


async def second_phase(house: Rooms) -> Again:
    """An older host's call that waits for a person."""
    call = a_call(PAY, BILL, legacy=True)
    await walk(call, house.house)
    answer = await walk(call, house.house)
    assert isinstance(answer, Again)
    return answer


async def sign(house: Rooms) -> None:
    """Somebody signs what waits."""
    [pending] = await house.waiting.waiting()
    signature = a_signature(pending, at=int(house.clock.now))
    assert await house.waiting.replace(pending, msgspec.structs.replace(pending, confirmations=(signature,)))


async def test_a_clock_set_forward_ends_it_early(tmp_path: Path) -> None:
    """The safe side: what waits is over, signed or not, and the target hears nothing."""
    async with rooms(tmp_path) as house:
        await second_phase(house)
        await sign(house)
        house.clock.advance(24 * 3600)
        answer = await walk(a_call(PAY, BILL, legacy=True), house.house)
        assert not isinstance(answer, Executed)
        assert house.upstream.calls == []


async def test_a_clock_set_back_makes_no_signature_count(tmp_path: Path) -> None:
    """The gateway's clock goes back by an hour: a signature from the future is none. (That what waits still ends by the
    store's own clock: ``tests/outcome/test_pending.py``.)"""
    async with running_house(tmp_path) as house, signed_in(house) as person:
        waiting = await until_confirmation(house, "create_refund", refund("9.15"))
        await person.approve(approve_url_of(waiting))
        house.clock.advance(-3600)
        trace = Trace(house)
        answer = await house.call("create_refund", refund("9.15"), era="legacy")
        assert status_of(answer) == "confirmation_required"
        assert trace.paypal == []


async def test_the_store_is_lost_between_the_phases(tmp_path: Path) -> None:
    """The signed call comes back and nobody can tell that it was signed: nothing is sent."""
    async with rooms(tmp_path) as house:
        await second_phase(house)
        await sign(house)
        await house.store.aclose()
        with pytest.raises(StoreUnavailable):
            await walk(a_call(PAY, BILL, legacy=True), house.house)
        assert house.upstream.calls == []
        assert house.records()[-1]["status"] == "failed"


async def test_the_store_forgets_between_the_phases(tmp_path: Path) -> None:
    """Restored from nothing, it knows no signature: the call begins anew, and does not run."""
    async with running_house(tmp_path) as house:
        waiting = await until_confirmation(house, "create_refund", refund("9.20"))
        store = house.gateway.store
        for space in (Space.PENDING, Space.DEADLINE):
            for key, _ in await store.entries(space, limit=10):
                await store.take(space, key)
        trace = Trace(house)
        answer = await house.call("create_refund", refund("9.20"), state=token_of(waiting))
        assert status_of(answer) == "confirmation_required"
        assert trace.paypal == []
