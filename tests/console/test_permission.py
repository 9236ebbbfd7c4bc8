"""Who may: the policy decides, whatever is no clear yes is no, and a signature that cannot count is not taken."""

import pytest

from gateway.console.login import LINK_ISSUER
from gateway.policy.decision import ConfirmObligation
from tests.console.house import CALLER, ORIGIN, House, a_pending, answer, csrf_of, press, shown_form


async def test_the_policy_is_asked_about_this_person_and_this_call(house: House) -> None:
    """The document of the admin entrypoint, whole."""
    pending = await house.waits()
    await press(await house.signed_in("bob"), pending, "approve")

    assert house.policy.asked[-1] == {
        "action": "confirm",
        "person": {"issuer": LINK_ISSUER, "subject": "bob", "roles": ["approver"], "assurance": "link"},
        "target": {
            "caller": {"issuer": "https://idp.example", "subject": CALLER},
            "tool": "create_refund",
            "server": "paypal",
            "data_class": 1,
            "obligations": {
                "by": ["human"],
                "quorum": 1,
                "min_assurance": "link",
                "ttl_seconds": 600,
                "separation_of_duties": True,
                "at_least": {},
            },
        },
        "env": {"paypal": "sandbox", "now": 1_795_224_000, "state": "ok"},
    }


@pytest.mark.parametrize("subject", [CALLER, CALLER.upper(), f" {CALLER} "])
async def test_the_caller_cannot_approve_its_own_call(house: House, subject: str) -> None:
    """Not by another way to sign in, not in another spelling; the page says why there is no button."""
    pending = await house.waits()
    browser = await house.signed_in(subject)
    page = await browser.get(f"/console/pending/{pending.key}")
    done = await press(browser, pending, "approve")

    assert 'value="approve"' not in page.text
    assert 'value="refuse"' in page.text
    assert "admin.self_confirmation" in page.text
    assert done.status_code == 403
    assert await house.stored(pending) == pending
    assert house.book.entries == [(subject, "approve", "denied", ("admin.self_confirmation",))]


async def test_without_separation_of_duties_the_policy_alone_decides(house: House) -> None:
    """An operator who runs alone can say so in the policy."""
    obligation = ConfirmObligation(by=("human",), separation_of_duties=False)
    pending = await house.waits(a_pending(house.clock(), obligation=obligation))

    assert (await press(await house.signed_in(CALLER), pending, "approve")).status_code == 200


async def test_a_person_cannot_stand_in_for_an_agent(house: House) -> None:
    """Where the policy wants a second agent, a person's yes would count for nothing and is not taken."""
    pending = await house.waits(a_pending(house.clock(), obligation=ConfirmObligation(by=("agent",))))
    done = await press(await house.signed_in("bob"), pending, "approve")

    assert done.status_code == 403
    assert "console.not_by_people" in done.text
    assert await house.stored(pending) == pending


async def test_who_the_policy_does_not_let_decides_nothing(house: House) -> None:
    """The form of a reader who was shown no button."""
    pending = await house.waits()
    browser = await house.signed_in("eve", roles=("auditor",))
    for verdict in ("approve", "refuse"):
        form = {"csrf": await csrf_of(browser), "verdict": verdict}
        done = await browser.post(
            f"/console/pending/{pending.key}/decide",
            data={**form, "transaction_id": pending.transaction_id, "view_hash": pending.view.view_hash},
            headers=ORIGIN,
        )
        assert done.status_code == 403

    assert await house.stored(pending) == pending
    assert [outcome for _, _, outcome, _ in house.book.entries] == ["denied", "denied"]


async def test_a_policy_that_went_away_means_no(house: House) -> None:
    """Between showing and pressing."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    form = await shown_form(browser, pending)
    house.policy.broken = True

    done = await browser.post(f"/console/pending/{pending.key}/decide", data=form, headers=ORIGIN)

    assert done.status_code == 403
    assert await house.stored(pending) == pending


@pytest.mark.parametrize(
    "says",
    [
        {},
        {"outcome": "allow"},
        {"outcome": "allow", "reasons": []},
        {"outcome": "yes", "reasons": answer("allow", "a.b", "m")["reasons"]},
        {"outcome": "allow", "reasons": answer("deny", "a.b", "m")["reasons"]},
        {**answer("allow", "a.b", "m"), "extra": 1},
        [],
        True,
        "allow",
    ],
)
async def test_an_answer_that_is_no_clear_yes_is_no(house: House, says: object) -> None:
    """Whatever the policy mumbles, nothing is shown."""
    await house.waits()
    browser = await house.signed_in("bob")
    house.policy.says = says

    page = await browser.get("/console/")

    assert page.status_code == 403
    assert "create_refund" not in page.text


async def test_without_a_policy_nothing_is_shown(house: House) -> None:
    """An engine that is down says no."""
    await house.waits()
    browser = await house.signed_in("bob")
    house.policy.broken = True

    page = await browser.get("/console/")

    assert page.status_code == 403
    assert "policy.undefined" in page.text
    assert "create_refund" not in page.text
