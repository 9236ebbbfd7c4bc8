"""What an agent said is written for what it was shown, once, after the audit knows."""

import msgspec
import pytest

from gateway.agents.countersigning import AGAIN_AFTER_S
from gateway.agents.said import Decision, Failure, Said
from gateway.outcome.pending import Pending, Status
from gateway.policy.decision import ConfirmObligation
from tests.agents.conftest import ANYBODY, Desk
from tests.support.waiting import a_signature

YES = Said(decision=Decision.APPROVE, reason="It fits.")
NO = Said(decision=Decision.REFUSE, reason="Too much.")


async def test_a_yes_is_one_confirmation(desk: Desk) -> None:
    """Under the operator's name for it, by an agent, as an agent, for that view."""
    shown = await desk.opened()
    assert await desk.signing.said("guard", YES, shown)
    (given,) = (await desk.now()).confirmations
    assert (given.by, given.who, given.assurance) == ("agent", "guard", "agent")
    assert (given.at, given.view_hash) == (int(desk.clock.now), shown.view.view_hash)
    assert desk.reasons == [["agent.approve"]]
    assert desk.records[0]["status"] == "executed"


async def test_two_agents_are_two_and_one_twice_is_one(desk: Desk) -> None:
    """The later of its own replaces the earlier; a person's signature stays."""
    shown = await desk.opened(obligation=ANYBODY)
    signed = msgspec.structs.replace(shown, confirmations=(a_signature(shown, who="guard"),))
    assert await desk.waiting.replace(shown, signed)
    for name in ("guard", "guard", "judge"):
        assert await desk.signing.said(name, YES, shown)
    given = (await desk.now()).confirmations
    assert [(one.by, one.who) for one in given] == [
        ("human", "guard"),
        ("agent", "guard"),
        ("agent", "judge"),
    ]


async def test_a_no_is_final(desk: Desk) -> None:
    """Also for the other agent's yes, which comes later and is recorded as what it was."""
    shown = await desk.opened()
    assert await desk.signing.said("guard", NO, shown)
    assert not await desk.signing.said("judge", YES, shown)
    now = await desk.now()
    assert (now.status, now.refused_by, now.confirmations) == (Status.REFUSED, "guard", ())
    assert now.refusal is not None
    assert (now.refusal.code, now.refusal.said) == (
        "confirm.refused",
        "Denied by confirmation agent: Too much.",
    )
    assert desk.reasons == [["agent.refuse"], ["agent.approve", "agent.changed"]]
    assert [one["status"] for one in desk.records] == ["executed", "refused"]


@pytest.mark.parametrize("what", ["view", "transaction", "gone", "expired"])
async def test_a_yes_to_something_else(desk: Desk, what: str) -> None:
    """Another picture, another transaction, or nothing that waits: not written."""
    shown = await desk.opened()
    match what:
        case "view":
            view = msgspec.structs.replace(shown.view, view_hash="0" * 64)
            assert await desk.waiting.replace(shown, msgspec.structs.replace(shown, view=view))
        case "transaction":
            assert await desk.waiting.replace(shown, msgspec.structs.replace(shown, transaction_id="t2"))
        case "gone":
            assert await desk.waiting.claim(shown)
        case _:
            desk.clock.advance(601)
    assert not await desk.signing.said("guard", YES, shown)
    assert all(one.confirmations == () for one in await desk.waiting.waiting())
    assert desk.reasons == [["agent.approve", "agent.changed"]]


async def test_without_a_record_there_is_no_confirmation(desk: Desk) -> None:
    """The audit knows first."""
    shown = await desk.opened()
    await desk.audit.aclose()
    with pytest.raises(Exception, match="audit"):
        await desk.signing.said("guard", YES, shown)
    assert (await desk.now()).confirmations == ()


async def test_silence_changes_nothing(desk: Desk) -> None:
    """It is recorded, with what went wrong."""
    shown = await desk.opened()
    await desk.signing.silent("guard", Failure.TIMED_OUT, shown)
    assert await desk.now() == shown
    assert desk.reasons == [["agent.no_answer", "agent.timed_out"]]


async def test_unconfirmed_and_nobody_else_may(desk: Desk) -> None:
    """Refused, and free again after a minute: nobody said no."""
    shown = await desk.opened()
    assert await desk.signing.unconfirmed(shown)
    now = await desk.now()
    assert (now.status, now.expires_at) == (Status.REFUSED, desk.clock.now + AGAIN_AFTER_S)
    assert now.refusal is not None
    assert now.refusal.code == "confirm.no_answer"
    desk.clock.advance(AGAIN_AFTER_S)
    assert await desk.waiting.current(shown.key) is None
    assert (await desk.opened()).status is Status.WAITING


async def confirmed_by(desk: Desk, shown: Pending, *names: str) -> None:
    """These agents say yes."""
    for name in names:
        assert await desk.signing.said(name, YES, shown)


async def test_enough_is_left_alone_and_too_few_is_not(desk: Desk) -> None:
    """A quorum of two needs two agents."""
    two = ConfirmObligation(by=("agent",), quorum=2, min_assurance="agent")
    shown = await desk.opened(obligation=two)
    await confirmed_by(desk, shown, "guard")
    assert await desk.signing.unconfirmed(shown)
    desk.clock.advance(AGAIN_AFTER_S)
    shown = await desk.opened(obligation=two, expires_at=desk.clock.now + 600)
    await confirmed_by(desk, shown, "guard", "judge")
    assert not await desk.signing.unconfirmed(shown)
    assert (await desk.now()).status is Status.WAITING


async def test_where_a_person_may_confirm_nobody_is_refused(desk: Desk) -> None:
    """The call waits for them."""
    shown = await desk.opened(obligation=ANYBODY)
    assert not await desk.signing.unconfirmed(shown)
    assert await desk.now() == shown
