"""A call waits until somebody else has countersigned exactly what would be sent."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from gateway.door.call import Client
from gateway.outcome.answer import Again, Executed, Refused, Unknown
from gateway.outcome.confirm import MAX_ROUNDS, TOKEN_TTL_S, ConfirmOutcome
from gateway.outcome.consent import Consents, binding_of
from gateway.outcome.pending import Pending, Status, Waiting
from gateway.outcome.view import MAX_LINES
from gateway.policy.decision import Confirm, ConfirmObligation, Obligations, Outcome, Reason
from gateway.policy.money import Money
from gateway.policy.policy import MAX_QUESTION_BYTES
from gateway.policy.question import Asked
from gateway.state.store import Space, Store
from tests.support.clock import ManualClock
from tests.support.waiting import ONE_HUMAN, a_signature
from tests.support.walking import MODERN_CLIENT, MONEY, PAY, a_call, an_asked

ARGUMENTS: dict[str, Any] = {"bill": "b1"}


def a_decision(obligation: ConfirmObligation = ONE_HUMAN) -> Confirm:
    """The policy wants a confirmation."""
    reason = Reason(
        code="consent.confirmation_required", outcome=Outcome.CONFIRM, message="Ask a human.", remedy="r"
    )
    return Confirm(
        reasons=(reason,),
        data_class=2,
        tier="restricted",
        obligations=Obligations(confirm=obligation),
        revision="r1",
    )


def asked_by(*, token: str | None = None, elicit: tuple[str, ...] = (), **members: Any) -> Asked:
    """The usual call from a host that can ask in these ways."""
    client = Client(**{**msgspec.to_builtins(MODERN_CLIENT), "can_elicit": elicit})
    return an_asked(a_call(PAY, ARGUMENTS, token=token, client=client), **members)


class Heard:
    """Keeps what was told."""

    def __init__(self) -> None:
        self.opened_calls: list[tuple[Pending, dict[str, Any], Money | None]] = []

    def opened(self, pending: Pending, arguments: Mapping[str, Any], money: Money | None) -> None:
        """See ``Opened``."""
        self.opened_calls.append((pending, dict(arguments), money))


class Desk:
    """The outcome under test, with what it works on."""

    def __init__(self, waiting: Waiting, clock: ManualClock, *, hold_s: float = 0.0) -> None:
        self.waiting = waiting
        self.heard = Heard()
        self.outcome = ConfirmOutcome(
            waiting, public_url="https://gate.example/", now=clock, hold_s=hold_s, tell=self.heard
        )
        self.consents = Consents(waiting, now=clock)

    async def confirm(
        self, asked: Asked, obligation: ConfirmObligation = ONE_HUMAN
    ) -> Again | Executed | Refused | Unknown:
        """Judge consent as the walk does, then let the call wait."""
        consent = await self.consents.presented(asked)
        return await self.outcome.carry_out(asked, a_decision(obligation), consent, has_output_schema=False)

    async def waits(self) -> Pending:
        """The one call that waits."""
        (pending,) = await self.waiting.waiting()
        return pending


@pytest.fixture
def desk(waiting: Waiting, clock: ManualClock) -> Desk:
    """One that holds nobody."""
    return Desk(waiting, clock)


async def again(desk: Desk, asked: Asked, obligation: ConfirmObligation = ONE_HUMAN) -> Again:
    """The call waits."""
    answer = await desk.confirm(asked, obligation)
    assert isinstance(answer, Again)
    return answer


async def test_the_call_waits_and_says_where(desk: Desk, clock: ManualClock) -> None:
    """With what will be sent, who asks, the policy's reasons, and the address where a person decides."""
    asked = asked_by()
    answer = await again(desk, asked)
    pending = await desk.waits()
    assert answer.status == "confirmation_required"
    assert answer.approve_url == f"https://gate.example/console/pending/{pending.key}"
    assert answer.view == pending.view
    assert answer.expires_in_s == 600
    assert answer.about.transaction_id == pending.transaction_id == asked.call.call_id
    assert (pending.data_class, pending.tier, pending.obligation) == (2, "restricted", ONE_HUMAN)
    assert pending.view.reasons == ("consent.confirmation_required: Ask a human.",)
    assert (pending.caller_subject, pending.expires_at) == ("agent-one", clock.now + 600)


async def test_the_token_of_a_waiting_call_lives_as_long_as_any_may(desk: Desk, waiting: Waiting) -> None:
    """It carries the call, not a consent: what it stands for still lacks the second signature."""
    answer = await again(desk, asked_by())
    assert answer.token is not None
    granted = await waiting.present(answer.token)
    assert granted is not None
    assert granted.expires_at - granted.granted_at == TOKEN_TTL_S
    assert granted.revision == "r1"


async def test_an_older_host_carries_no_token(desk: Desk, store: Store) -> None:
    """The call is found by caller, tool and arguments when it comes again."""
    answer = await again(desk, an_asked(a_call(PAY, ARGUMENTS, legacy=True)))
    assert answer.token is None
    assert await store.entries(Space.HANDSHAKE, limit=1) == []


async def test_a_host_that_came_back_often_enough_is_told_in_words(desk: Desk, waiting: Waiting) -> None:
    """Its rounds end with an error of its own, and nobody would have seen the link. The call waits on, and the next
    time it comes, with no token, it is found."""
    answer = await again(desk, asked_by())
    for _ in range(MAX_ROUNDS - 1):
        assert answer.token is not None
        answer = await again(desk, asked_by(token=answer.token))
    assert answer.token is not None
    last = await again(desk, asked_by(token=answer.token))
    assert last.token is None
    assert last.approve_url is not None
    assert last.approve_url in last.message
    pending = await desk.waits()
    found = await desk.consents.remembered(asked_by())
    assert found is not None
    assert found.pending == pending


async def test_the_same_call_waits_once(desk: Desk) -> None:
    """Ten repeats are one pending call, one transaction, one view."""
    first = await again(desk, asked_by())
    others = [await again(desk, asked_by()) for _ in range(3)]
    assert {one.about.transaction_id for one in others} == {first.about.transaction_id}
    await desk.waits()


async def test_a_moved_amount_voids_what_was_signed(desk: Desk, waiting: Waiting) -> None:
    """The next to look sees the new amount and no signature; the transaction stays the same."""
    await again(desk, asked_by())
    pending = await desk.waits()
    assert await waiting.replace(
        pending, msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
    )
    moved = asked_by(money=msgspec.structs.replace(MONEY, amount="9000.00"))
    answer = await again(desk, moved)
    renewed = await desk.waits()
    assert "9000.00" in renewed.view.money
    assert renewed.confirmations == ()
    assert renewed.transaction_id == pending.transaction_id == answer.about.transaction_id
    assert answer.view == renewed.view


async def test_a_stricter_policy_is_what_waits_from_now_on(desk: Desk, waiting: Waiting) -> None:
    """Whoever looks is asked for what the policy asks for now; what was signed is kept, the policy counts it."""
    await again(desk, asked_by())
    pending = await desk.waits()
    signed = msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
    assert await waiting.replace(pending, signed)
    stricter = ConfirmObligation(by=("human",), quorum=2, min_assurance="oidc")
    await again(desk, asked_by(), stricter)
    renewed = await desk.waits()
    assert renewed.obligation == stricter
    assert renewed.confirmations == signed.confirmations


@pytest.mark.parametrize("moved", [False, True])
async def test_nothing_writes_over_a_refusal(desk: Desk, waiting: Waiting, *, moved: bool) -> None:
    """Somebody said no between the judgement and here; not even a moved amount makes the call wait again."""
    await again(desk, asked_by())
    pending = await desk.waits()
    refused = msgspec.structs.replace(pending, status=Status.REFUSED, refused_by="bob")
    assert await waiting.replace(pending, refused)
    money = msgspec.structs.replace(MONEY, amount="9000.00") if moved else MONEY
    answer = await desk.confirm(asked_by(money=money))
    assert isinstance(answer, Refused)
    assert [one.code for one in answer.about.reasons] == ["confirm.refused"]
    assert await desk.waits() == refused


@pytest.mark.parametrize(
    "arguments",
    [{"items": list(range(10_000))}, {"\U00020000" * 500: ["\U00020000" * 250] * MAX_LINES}],
    ids=["ten thousand values", "a name of two kilobytes above each"],
)
async def test_what_nobody_can_judge_is_refused(
    desk: Desk, waiting: Waiting, arguments: dict[str, Any]
) -> None:
    """Attack: a page that nobody reads, or one that is larger than the store takes, which was an error of ours."""
    assert len(msgspec.json.encode(arguments)) < MAX_QUESTION_BYTES
    answer = await desk.confirm(an_asked(a_call(PAY, arguments)))
    assert isinstance(answer, Refused)
    assert [one.code for one in answer.about.reasons] == ["confirm.not_viewable"]
    assert answer.about.data_class == 2
    assert await waiting.waiting() == []


HOST = ConfirmObligation(by=("human", "host"))


@pytest.mark.parametrize(
    ("declared", "obligation", "way"),
    [
        ((), HOST, None),
        (("form",), HOST, "form"),
        (("url",), HOST, "url"),
        (("form", "url"), HOST, "form"),
        (("form",), ONE_HUMAN, None),
        (("form", "url"), ONE_HUMAN, "url"),
    ],
)
async def test_the_host_is_asked_only_as_it_declared(
    desk: Desk, waiting: Waiting, declared: tuple[str, ...], obligation: ConfirmObligation, way: str | None
) -> None:
    """And a form only where the policy takes its answer; only then does the token speak for a picture."""
    answer = await again(desk, asked_by(elicit=declared), obligation)
    assert answer.elicit == way
    assert answer.token is not None
    assert answer.view is not None
    granted = await waiting.present(answer.token)
    assert granted is not None
    assert granted.view_hash == (answer.view.view_hash if way == "form" else None)


async def came_back(desk: Desk) -> Asked:
    """The call waits already and comes again with its token."""
    first = await again(desk, asked_by())
    return asked_by(token=first.token)


async def held(desk: Desk, asked: Asked) -> "asyncio.Task[Again | Executed | Refused | Unknown]":
    """That call, judged while nobody had decided, and let wait from then on."""
    consent = await desk.consents.presented(asked)
    return asyncio.create_task(desk.outcome.carry_out(asked, a_decision(), consent, has_output_schema=False))


async def test_a_repeat_is_held_until_somebody_decides(waiting: Waiting, clock: ManualClock) -> None:
    """An hour is allowed here; it ends with the signature."""
    desk = Desk(waiting, clock, hold_s=3600)
    repeat = await held(desk, await came_back(desk))
    pending = await desk.waits()
    signed = msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
    assert await waiting.replace(pending, signed)
    answer = await repeat
    assert isinstance(answer, Again)
    assert answer.token is not None


async def test_a_refusal_ends_the_wait_with_a_no(waiting: Waiting, clock: ManualClock) -> None:
    """No further round is needed to learn it."""
    desk = Desk(waiting, clock, hold_s=3600)
    repeat = await held(desk, await came_back(desk))
    pending = await desk.waits()
    assert await waiting.replace(
        pending, msgspec.structs.replace(pending, status=Status.REFUSED, refused_by="bob")
    )
    assert isinstance(await repeat, Refused)


async def test_what_was_decided_before_the_wait_ends_it_too(waiting: Waiting, clock: ManualClock) -> None:
    """The signature came between the judgement and the wait: nobody waits for a second one."""
    desk = Desk(waiting, clock, hold_s=3600)
    asked = await came_back(desk)
    consent = await desk.consents.presented(asked)
    pending = await desk.waits()
    signed = msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
    assert await waiting.replace(pending, signed)
    answer = await desk.outcome.carry_out(asked, a_decision(), consent, has_output_schema=False)
    assert isinstance(answer, Again)


async def test_nobody_is_held_longer_than_agreed(waiting: Waiting, clock: ManualClock) -> None:
    """Though the wall clock stands still."""
    desk = Desk(waiting, clock, hold_s=0.05)
    assert isinstance(await desk.confirm(await came_back(desk)), Again)


@pytest.mark.parametrize("with_token", [False, True])
async def test_who_hears_of_it_for_the_first_time_is_not_held(
    waiting: Waiting, clock: ManualClock, *, with_token: bool
) -> None:
    """It has to learn first that it must wait, and where; also when it comes from the first phase."""
    desk = Desk(waiting, clock, hold_s=3600)
    binding = binding_of(asked_by())
    token, _ = await waiting.grant(binding, transaction_id="t", revision="r1", ttl_s=30)
    assert isinstance(await desk.confirm(asked_by(token=token if with_token else None)), Again)


async def test_the_transaction_is_the_handshakes(waiting: Waiting, clock: ManualClock, desk: Desk) -> None:
    """Phases of one call correlate (R040)."""
    asked = asked_by()
    token, _ = await waiting.grant(binding_of(asked), transaction_id="t9", revision="r1", ttl_s=30)
    answer = await again(desk, asked_by(token=token))
    assert answer.about.transaction_id == "t9"


async def test_who_confirms_hears_of_it_once(desk: Desk) -> None:
    """With the arguments that will be sent; repeats of the same call tell nobody anything."""
    for _ in range(3):
        await again(desk, asked_by())
    assert desk.heard.opened_calls == [(await desk.waits(), ARGUMENTS, MONEY)]


async def test_who_confirms_hears_when_it_is_something_else(desk: Desk) -> None:
    """A moved amount, and a policy that asks for somebody else."""
    await again(desk, asked_by())
    money = msgspec.structs.replace(MONEY, amount="9000.00")
    await again(desk, asked_by(money=money))
    assert desk.heard.opened_calls[-1] == (await desk.waits(), ARGUMENTS, money)
    await again(desk, asked_by(money=money), ConfirmObligation(by=("agent",)))
    assert desk.heard.opened_calls[-1][0].obligation.by == ("agent",)
    assert len(desk.heard.opened_calls) == 3


async def test_nobody_hears_of_a_refused_call(desk: Desk, waiting: Waiting) -> None:
    """It waits for nobody."""
    await again(desk, asked_by())
    pending = await desk.waits()
    refused = msgspec.structs.replace(pending, status=Status.REFUSED, refused_by="bob")
    assert await waiting.replace(pending, refused)
    await desk.confirm(asked_by(), ConfirmObligation(by=("agent",)))
    assert len(desk.heard.opened_calls) == 1


async def test_a_host_is_told_whom_its_call_waits_for(desk: Desk) -> None:
    """Nobody looks for a person where only agents may confirm."""
    assert "A person has to confirm" in (await again(desk, asked_by())).message
    told = await again(desk, asked_by(), ConfirmObligation(by=("agent",)))
    assert "A confirmation agent has to confirm" in told.message
