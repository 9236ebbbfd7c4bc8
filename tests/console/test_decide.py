"""Approve and refuse: one signature per person, for what was shown, recorded before it counts, and no is final."""

import asyncio

import pytest

from gateway.console.decide import (
    AlreadyRefused,
    Changed,
    Decisions,
    Gone,
    Recorded,
    Shown,
    Verdict,
    approved,
    objection,
    refused,
    signers,
)
from gateway.console.login import LINK_ISSUER
from gateway.console.permission import Permissions
from gateway.console.person import Person
from gateway.errors import StoreUnavailable
from gateway.outcome.pending import Pending, Status, Waiting
from gateway.policy.decision import ConfirmObligation
from gateway.policy.money import Money
from gateway.policy.question import Confirmation
from tests.console.house import ORIGIN, House, a_pending, csrf_of, moved, press, shown_form

TWO = ConfirmObligation(by=("human",), quorum=2)


async def test_approving_adds_exactly_one_signature_for_the_view_shown(house: House) -> None:
    """By whom, how they signed in, when, and under which view."""
    pending = await house.waits()
    done = await press(await house.signed_in("bob"), pending, "approve")

    stored = await house.stored(pending)
    signature = Confirmation(
        by="human", who="bob", assurance="link", at=int(house.clock()), view_hash=pending.view.view_hash
    )
    assert done.status_code == 200
    assert "Approved" in done.text
    assert stored == moved(pending, confirmations=(signature,))
    assert house.book.entries == [("bob", "approve", "accepted", ("admin.permitted",))]


async def test_approving_twice_is_one_signature(house: House) -> None:
    """A double click, and a second look later, replace the first signature."""
    pending = await house.waits(a_pending(house.clock(), obligation=TWO))
    browser = await house.signed_in("bob")
    await press(browser, pending, "approve")
    house.clock.seconds += 5
    await press(browser, pending, "approve")

    stored = await house.stored(pending)
    assert stored is not None
    assert [(one.who, one.at) for one in stored.confirmations] == [("bob", int(house.clock()))]


async def test_the_same_person_at_two_browsers_is_one_signature(house: House) -> None:
    """A quorum is of people: another session, and another spelling of the same name, do not make two."""
    pending = await house.waits(a_pending(house.clock(), obligation=TWO))
    for subject in ("bob", "Bob", "ＢＯＢ"):  # noqa: RUF001
        await press(await house.signed_in(subject), pending, "approve")

    stored = await house.stored(pending)
    assert stored is not None
    assert len(stored.confirmations) == 1


async def test_a_quorum_of_two_needs_two_people(house: House) -> None:
    """After the first the page says that one more is missing; after the second both stand."""
    pending = await house.waits(a_pending(house.clock(), obligation=TWO))
    first = await press(await house.signed_in("bob"), pending, "approve")
    second = await press(await house.signed_in("eve"), pending, "approve")

    stored = await house.stored(pending)
    assert "1 of 2: one more person has" in first.text
    assert "Nothing has been sent yet" in second.text
    assert stored is not None
    assert signers(stored) == ("bob", "eve")


async def test_two_people_at_the_same_instant_both_count(house: House) -> None:
    """Who loses the compare-and-set looks again and signs then; nobody's signature is lost."""
    obligation = ConfirmObligation(by=("human",), quorum=4)
    pending = await house.waits(a_pending(house.clock(), obligation=obligation))
    decisions = Decisions(house.waiting, Permissions(house.policy), house.book, now=house.clock)
    names = ("bob", "eve", "ivan", "judy")

    results = await asyncio.gather(
        *(decisions.decide(a_person(name), pending.key, Verdict.APPROVE, shown(pending)) for name in names)
    )

    stored = await house.stored(pending)
    assert all(isinstance(one, Recorded) for one in results)
    assert stored is not None
    assert sorted(signers(stored)) == sorted(names)
    assert sorted(name for name, _, outcome, _ in house.book.entries if outcome == "accepted") == sorted(
        names
    )


async def test_refusing_is_final(house: House) -> None:
    """After one no nobody's yes is taken, and the page says who refused."""
    pending = await house.waits(a_pending(house.clock(), obligation=TWO))
    bob, eve = await house.signed_in("bob"), await house.signed_in("eve")
    form = {"csrf": "", "transaction_id": pending.transaction_id, "view_hash": pending.view.view_hash}
    no = await press(bob, pending, "refuse")
    after = await house.stored(pending)
    csrf = await csrf_of(eve)
    yes = await eve.post(
        f"/console/pending/{pending.key}/decide",
        data={**form, "csrf": csrf, "verdict": "approve"},
        headers=ORIGIN,
    )
    page = await eve.get(f"/console/pending/{pending.key}")

    assert (no.status_code, yes.status_code) == (200, 409)
    assert after == moved(pending, status=Status.REFUSED, refused_by="bob")
    assert await house.stored(pending) == after
    assert "already refused" in yes.text
    assert 'name="verdict"' not in page.text
    assert house.book.entries[-1] == ("eve", "approve", "rejected", ("console.already_refused",))


async def test_a_refusal_after_an_approval_counts(house: House) -> None:
    """As long as the call has not run, a person can change their mind towards no."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    await press(browser, pending, "approve")
    await press(browser, pending, "refuse")

    stored = await house.stored(pending)
    assert stored is not None
    assert stored.status is Status.REFUSED


@pytest.mark.parametrize("verdict", ["approve", "refuse"])
async def test_a_view_that_changed_since_is_not_signed(house: House, verdict: str) -> None:
    """The looked-up amount moved while the page was open: nothing is recorded, and the page says so."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    form = {**await shown_form(browser, pending), "verdict": verdict}
    dearer = Money(amount="9012.00", currency="USD", payee="shop@example.com", source="lookup")
    now = moved(pending, view=a_pending(house.clock(), money=dearer).view)
    assert await house.waiting.replace(pending, now)

    done = await browser.post(f"/console/pending/{pending.key}/decide", data=form, headers=ORIGIN)

    assert done.status_code == 409
    assert "the call changed" in done.text
    assert await house.stored(pending) == now
    assert house.book.entries == [("bob", verdict, "rejected", ("console.changed",))]


async def test_another_transaction_of_the_same_call_is_not_signed(house: House) -> None:
    """The first was carried out meanwhile, and the agent asks for the very same thing again."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    form = await shown_form(browser, pending)
    assert await house.waiting.claim(pending)
    again = await house.waits(moved(pending, transaction_id="another"))

    done = await browser.post(f"/console/pending/{pending.key}/decide", data=form, headers=ORIGIN)

    assert done.status_code == 409
    assert await house.stored(pending) == again


@pytest.mark.parametrize("verdict", ["approve", "refuse"])
async def test_an_expired_call_takes_no_decision(house: House, verdict: str) -> None:
    """By its own time, even if the store still has it."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    form = {**await shown_form(browser, pending), "verdict": verdict}
    house.clock.seconds = pending.expires_at

    done = await browser.post(f"/console/pending/{pending.key}/decide", data=form, headers=ORIGIN)

    assert done.status_code == 404
    assert await house.stored(pending) == pending


@pytest.mark.parametrize("verdict", ["approve", "refuse"])
async def test_what_the_audit_cannot_take_is_not_recorded(house: House, verdict: str) -> None:
    """503, and the waiting call is as it was."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    house.book.full = True

    done = await press(browser, pending, verdict)

    assert done.status_code == 503
    assert await house.stored(pending) == pending


async def test_a_store_that_cannot_say_is_recorded_as_unknown(house: House) -> None:
    """The audit neither claims the signature nor denies it."""
    pending = await house.waits()
    waiting = _Lost(house.store, now=house.clock)
    decisions = Decisions(waiting, Permissions(house.policy), house.book, now=house.clock)

    with pytest.raises(StoreUnavailable):
        await decisions.decide(a_person("bob"), pending.key, Verdict.APPROVE, shown(pending))

    assert [outcome for _, _, outcome, _ in house.book.entries] == ["accepted", "unknown"]


async def test_an_accepted_decision_that_was_overtaken_is_voided(house: House) -> None:
    """Between the audit and the store somebody else refused: the record says that the yes did not count."""
    pending = await house.waits()
    waiting = _Overtaken(house.store, now=house.clock)
    decisions = Decisions(waiting, Permissions(house.policy), house.book, now=house.clock)

    result = await decisions.decide(a_person("bob"), pending.key, Verdict.APPROVE, shown(pending))

    stored = await house.stored(pending)
    assert result == AlreadyRefused("eve")
    assert stored == refused(pending, a_person("eve"))
    assert [(outcome, reasons) for _, _, outcome, reasons in house.book.entries] == [
        ("accepted", ("admin.permitted",)),
        ("void", ("console.already_refused",)),
    ]


async def test_a_call_that_keeps_moving_is_given_up(house: House) -> None:
    """A bounded number of lost races, then nothing is recorded."""
    pending = await house.waits()
    waiting = _Never(house.store, now=house.clock)
    decisions = Decisions(waiting, Permissions(house.policy), house.book, now=house.clock)

    result = await decisions.decide(a_person("bob"), pending.key, Verdict.APPROVE, shown(pending))

    assert result == Changed()
    assert await house.stored(pending) == pending
    assert [outcome for _, _, outcome, _ in house.book.entries] == ["accepted", "void"]


def test_objections_come_in_the_order_of_what_a_person_must_know() -> None:
    """Gone before changed, changed before refused."""
    pending = a_pending(0)
    no = refused(pending, a_person("eve"))

    assert objection(None, shown(pending), now=1) == Gone()
    assert objection(pending, shown(pending), now=pending.expires_at) == Gone()
    assert objection(no, Shown(transaction_id="x", view_hash=pending.view.view_hash), now=1) == Changed()
    assert objection(no, Shown(transaction_id=pending.transaction_id, view_hash="x"), now=1) == Changed()
    assert objection(no, shown(pending), now=1) == AlreadyRefused("eve")
    assert objection(pending, shown(pending), now=1) is None


def test_an_approval_leaves_the_confirmations_of_others_alone() -> None:
    """A host's and an agent's confirmation stay, even under the same name."""
    host = Confirmation(by="host", who="bob", assurance="host", at=1, view_hash="v")
    agent = Confirmation(by="agent", who="bob", assurance="agent", at=1, view_hash="v")
    pending = moved(a_pending(0), confirmations=(host, agent))

    assert approved(pending, a_person("bob"), at=2).confirmations[:2] == (host, agent)


def test_a_signature_under_an_earlier_view_is_not_shown_as_one() -> None:
    """Counting for the eye follows the rule for execution."""
    old = Confirmation(by="human", who="bob", assurance="link", at=1, view_hash="earlier")

    assert signers(moved(a_pending(0), confirmations=(old,))) == ()


class _Lost(Waiting):
    async def replace(self, old: Pending, new: Pending) -> bool:
        raise StoreUnavailable("The store did not answer.")


class _Overtaken(Waiting):
    async def replace(self, old: Pending, new: Pending) -> bool:
        if old.status is Status.WAITING:
            assert await super().replace(old, refused(old, a_person("eve")))
        return await super().replace(old, new)


class _Never(Waiting):
    async def replace(self, old: Pending, new: Pending) -> bool:
        return False


def a_person(name: str) -> Person:
    """Somebody who came by a link."""
    return Person(issuer=LINK_ISSUER, subject=name, roles=("approver",), assurance="link")


def shown(pending: Pending) -> Shown:
    """What somebody sees who looks now."""
    return Shown(transaction_id=pending.transaction_id, view_hash=pending.view.view_hash)


async def test_an_approval_is_taken_back_by_its_giver(house: House) -> None:
    """However the name is spelt this time; the others stay, and the call waits on."""
    pending = await house.waits(a_pending(house.clock(), obligation=TWO))
    await press(await house.signed_in("bob"), pending, "approve")
    await press(await house.signed_in("eve"), pending, "approve")
    done = await press(await house.signed_in("BOB"), pending, "revoke")

    stored = await house.stored(pending)
    assert stored is not None
    assert (done.status_code, stored.status) == (200, Status.WAITING)
    assert [one.who for one in stored.confirmations] == ["eve"]
    assert house.book.entries[-1] == ("BOB", "revoke", "accepted", ("admin.permitted",))


async def test_what_was_not_given_cannot_be_taken_back(house: House) -> None:
    """Said with a page of its own, recorded, and nothing is stored."""
    pending = await house.waits(a_pending(house.clock(), obligation=TWO))
    await press(await house.signed_in("bob"), pending, "approve")
    signed = await house.stored(pending)
    done = await press(await house.signed_in("eve"), pending, "revoke")

    assert done.status_code == 409
    assert "Nothing to take back" in done.text
    assert await house.stored(pending) == signed
    assert house.book.entries[-1] == ("eve", "revoke", "rejected", ("console.not_signed",))


async def test_taking_back_needs_a_record(house: House) -> None:
    """What cannot be recorded does not happen; the signature stands, and the page says so."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    await press(browser, pending, "approve")
    signed = await house.stored(pending)
    house.book.full = True
    done = await press(browser, pending, "revoke")

    assert done.status_code == 503
    assert await house.stored(pending) == signed


async def test_a_refused_call_has_nothing_to_take_back(house: House) -> None:
    """No is final: it does not become a call that waits again."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    await press(browser, pending, "approve")
    form = await shown_form(browser, pending)
    await press(await house.signed_in("eve"), pending, "refuse")
    done = await browser.post(
        f"/console/pending/{pending.key}/decide", data={**form, "verdict": "revoke"}, headers=ORIGIN
    )

    stored = await house.stored(pending)
    assert stored is not None
    assert (done.status_code, stored.status) == (409, Status.REFUSED)
