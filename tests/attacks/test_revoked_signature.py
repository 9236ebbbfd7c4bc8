"""Revoked signature: an approver takes the approval back before the call has run; it must not run on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from gateway.console.decide import Decisions, Gone, Recorded, Result, Shown, Verdict
from gateway.console.permission import Permission, Permissions
from gateway.console.person import Person as Approver
from gateway.door.call import ToolCall
from gateway.door.host import Host
from gateway.errors import TokenRefused
from gateway.outcome.answer import Again, Executed
from gateway.upstream.target import Reply
from gateway.walk import walk
from tests.support.answers import approve_url_of, status_of, token_of
from tests.support.calls import confirmed, refund, until_confirmation
from tests.support.console import Person, signed_in
from tests.support.house import House
from tests.support.traces import Trace
from tests.support.walking import PAY, Rooms, a_call, done, rooms

BOB = Approver(issuer="countersign:link", subject="bob", roles=("approver",), assurance="link")


async def revoke(person: Person, url: str) -> httpx.Response:
    """Look at the call and press *Take my approval back*."""
    return await person.press(url, "revoke", await person.fields(url))


async def test_an_approval_that_was_taken_back(house: House, person: Person) -> None:
    """The very token that would have run the call a moment ago waits again; PayPal hears nothing."""
    waiting = await until_confirmation(house, "create_refund", refund("8.00"))
    url = approve_url_of(waiting)
    await person.approve(url)
    page = (await person.open(url)).text
    assert "You approved this" in page
    assert 'value="revoke"' in page
    done = await revoke(person, url)
    assert (done.status_code, "taken back" in done.text) == (200, True)
    trace = Trace(house)
    answer = await house.call("create_refund", refund("8.00"), state=token_of(waiting))
    assert status_of(answer) == "confirmation_required"
    assert trace.paypal == []
    records = [one for one in house.records("confirm") if "console.revoke" in one["reasons"]]
    assert records[-1]["transaction_id"] == trace.record["transaction_id"]
    # Not final, unlike a refusal: the same person may think again.
    await person.approve(url)
    assert status_of(await house.call("create_refund", refund("8.00"), state=token_of(answer))) != "refused"
    assert len(trace.writes) == 1


async def test_one_of_two_takes_it_back(house: House, person: Person) -> None:
    """A quorum of two that is one again."""
    waiting = await until_confirmation(house, "create_refund", refund("700.00"))
    url = approve_url_of(waiting)
    async with signed_in(house, "approver-two") as second:
        await person.approve(url)
        await second.approve(url)
        await revoke(second, url)
    trace = Trace(house)
    answer = await house.call("create_refund", refund("700.00"), state=token_of(waiting))
    assert status_of(answer) == "confirmation_required"
    assert trace.paypal == []


async def test_nobody_takes_back_what_another_gave(house: House, person: Person) -> None:
    """An approver without a signature here has no such button, and no such power."""
    waiting = await until_confirmation(house, "create_refund", refund("8.10"))
    url = approve_url_of(waiting)
    await person.approve(url)
    async with signed_in(house, "approver-two") as other:
        assert 'value="revoke"' not in (await other.open(url)).text
        assert (await revoke(other, url)).status_code == 409
    assert "1</b> of <b>1" in (await person.open(url)).text


async def test_too_late_is_said(house: House, person: Person) -> None:
    """The call ran: there is nothing to take back any more, and the page says so."""
    waiting = await until_confirmation(house, "create_refund", refund("8.20"))
    url = approve_url_of(waiting)
    await person.approve(url)
    fields = await person.fields(url)
    await house.call("create_refund", refund("8.20"), state=token_of(waiting))
    done = await person.press(url, "revoke", fields)
    assert done.status_code == 404
    assert "carried out" in done.text


async def test_a_foreign_page_takes_nothing_back(house: House, person: Person) -> None:
    """The button is held to the same rules as the others."""
    token = await confirmed(house, person, "create_refund", refund("8.30"))
    waiting = next(iter(await house.gateway.house.waiting.waiting()))
    url = f"{house.url}/console/pending/{waiting.key}"
    fields = await person.fields(url)
    forged = await person.press(url, "revoke", fields, headers={"origin": "https://evil.example"})
    assert forged.status_code == 403
    assert (
        status_of(await house.call("create_refund", refund("8.30"), state=token)) != "confirmation_required"
    )


class Everything(Permissions):
    """A console whose policy lets everybody; what is tested here is the race."""

    def __init__(self) -> None:
        """Nobody is asked."""

    async def may(self, person: object, action: object, pending: object) -> Permission:
        """Yes."""
        return Permission(allowed=True, reasons=())


async def signed_by_bob(house: Rooms) -> tuple[ToolCall, Callable[[], Awaitable[Result]]]:
    """A call that would run now, and Bob's change of mind."""
    call = a_call(PAY, {"bill": "b1"}, legacy=True)
    await walk(call, house.house)
    assert isinstance(await walk(call, house.house), Again)
    decisions = Decisions(house.waiting, Everything(), house.house.books, now=house.clock)
    [pending] = await house.waiting.waiting()
    shown = Shown(transaction_id=pending.transaction_id, view_hash=pending.view.view_hash)
    assert isinstance(await decisions.decide(BOB, pending.key, Verdict.APPROVE, shown), Recorded)
    return call, lambda: decisions.decide(BOB, pending.key, Verdict.REVOKE, shown)


async def test_taken_back_between_judgement_and_execution(tmp_path: Path) -> None:
    """The policy has just said yes to the signature, and it is gone: the claim fails and nothing runs."""
    async with rooms(tmp_path) as house:
        call, take_back = await signed_by_bob(house)
        took: list[Result] = []

        async def while_judged() -> None:
            if house.engine.questions[-1]["consent"]["confirmations"] and not took:
                took.append(await take_back())

        house.engine.thinking = while_judged
        with pytest.raises(TokenRefused, match="taken back") as refused:
            await walk(call, house.house)
        assert refused.value.code == "confirm.already_used"
        assert isinstance(took[0], Recorded)
        assert house.upstream.calls == []
        assert house.records()[-1]["status"] == "refused"
        [pending] = await house.waiting.waiting()
        assert pending.confirmations == ()


async def test_taken_back_while_it_runs(tmp_path: Path) -> None:
    """It left a moment ago: the approver is told that it is too late, and it ran once."""
    async with rooms(tmp_path) as house:
        call, take_back = await signed_by_bob(house)
        took: list[Result] = []

        async def running(_: Host) -> Reply:
            took.append(await take_back())
            return done()

        house.upstream.asking = running
        assert isinstance(await walk(call, house.house), Executed)
        assert isinstance(took[0], Gone)
        assert len(house.upstream.calls) == 1


@pytest.mark.parametrize("first", ["execution", "revocation"])
async def test_taking_back_races_with_execution(tmp_path: Path, first: str) -> None:
    """Exactly one wins: it ran and could not be taken back, or it was taken back and the target saw nothing."""
    async with rooms(tmp_path) as house:
        call, take_back = await signed_by_bob(house)
        both = [walk(call, house.house), take_back()]
        if first == "revocation":
            both.reverse()
        ends = await asyncio.gather(*both, return_exceptions=True)
        ran, taken = ends if first == "execution" else reversed(ends)
        if isinstance(ran, Executed):
            assert isinstance(taken, Gone)
            assert len(house.upstream.calls) == 1
        else:
            assert isinstance(ran, Again | TokenRefused), ran
            assert isinstance(taken, Recorded)
            assert house.upstream.calls == []
