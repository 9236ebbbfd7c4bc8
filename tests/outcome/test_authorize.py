"""At the door that must not execute, an allow is a token or a no."""

from __future__ import annotations

import re

import msgspec
import pytest

from gateway.door.call import Era
from gateway.outcome.answer import Again, Refused
from gateway.outcome.authorize import AuthorizeOutcome
from gateway.outcome.consent import Consent, binding_of, view_of
from gateway.outcome.pending import Pending, Waiting
from gateway.outcome.pending import Status as PendingStatus
from gateway.policy.decision import Allow, ConfirmObligation, Outcome, Reason
from gateway.policy.question import Asked
from gateway.state.store import Space, Store
from gateway.upstream.target import Reply
from tests.support.walking import PAY, a_call, an_asked

REASON = Reason(code="tier.fine", outcome=Outcome.ALLOW, message="m", remedy="r")
ASKED = an_asked(a_call(PAY, {"bill": "b1"}, era=Era.REST))


class NothingIsOpened:
    """A record that nobody may touch: nothing is about to be sent."""

    async def before_upstream(self, *, durable: bool) -> None:
        """See ``Record``."""
        raise AssertionError(durable)

    def upstream(self, reply: Reply) -> None:
        """See ``Record``."""
        raise AssertionError(reply)


async def carried_out(waiting: Waiting, data_class: int | None, consent: Consent) -> Again | Refused:
    """The answer to an allow of that class."""
    decision = Allow(reasons=(REASON,), data_class=data_class, revision="r1")
    return await AuthorizeOutcome(waiting).carry_out(ASKED, decision, consent, NothingIsOpened())


@pytest.mark.parametrize("data_class", [4, 5, None])
async def test_what_needs_no_handshake_gets_none(
    waiting: Waiting, store: Store, data_class: int | None
) -> None:
    """A stable code, what to do instead, and nothing in the store."""
    answer = await carried_out(waiting, data_class, Consent(transaction_id="t1"))
    assert isinstance(answer, Refused)
    (reason,) = answer.about.reasons
    assert (reason.code, reason.outcome, reason.remedy) == (
        "handshake.not_needed",
        Outcome.DENY,
        "Call it over MCP.",
    )
    assert await store.entries(Space.HANDSHAKE, limit=10) == []


@pytest.mark.parametrize("data_class", [1, 2, 3])
async def test_the_classes_of_the_handshake_take_it(waiting: Waiting, data_class: int) -> None:
    """Also where a policy would have let them go without: a token as any other."""
    answer = await carried_out(waiting, data_class, Consent(transaction_id="t1"))
    assert isinstance(answer, Again)
    assert answer.token is not None
    assert re.fullmatch("[0-9a-f]{64}", answer.token)
    assert (answer.about.transaction_id, answer.expires_in_s) == ("t1", 30)
    granted = await waiting.present(answer.token)
    assert granted is not None
    assert (granted.transaction_id, granted.binding, granted.revision) == ("t1", binding_of(ASKED), "r1")


async def test_what_was_confirmed_meanwhile_is_not_executed_here(waiting: Waiting) -> None:
    """The client gets a token under the transaction that was confirmed; the signatures stay where they are."""
    pending = a_pending(ASKED)
    await waiting.open(pending)
    answer = await carried_out(waiting, 4, Consent(transaction_id="t0", pending=pending))
    assert isinstance(answer, Again)
    assert answer.token is not None
    assert answer.about.transaction_id == "t0"
    assert await waiting.current(pending.key) == pending


def a_pending(asked: Asked) -> Pending:
    """A call that waits."""
    return Pending(
        transaction_id="t0",
        binding=binding_of(asked),
        status=PendingStatus.WAITING,
        view=msgspec.structs.replace(view_of(asked), reasons=()),
        obligation=ConfirmObligation(by=("human",)),
        data_class=2,
        tier="restricted",
        caller_issuer=asked.caller.issuer,
        caller_subject=asked.caller.subject,
        handshake_at=1_795_224_000.0,
        created_at=1_795_224_000.0,
        expires_at=1_795_224_600.0,
    )
