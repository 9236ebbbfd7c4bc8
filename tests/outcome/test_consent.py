"""What has been countersigned for exactly this call: burnt first, compared afterwards."""

import asyncio
import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.canonical import canonical_hash
from gateway.door.call import Client, Era
from gateway.errors import TokenRefused
from gateway.identity.caller import Caller
from gateway.outcome.consent import Consents, binding_of, can_carry_token, view_of
from gateway.outcome.elicitation import ELICITATION_KEY
from gateway.outcome.pending import Pending, Status, Waiting
from gateway.policy.decision import ConfirmObligation
from gateway.policy.question import Asked
from tests.support.clock import ManualClock
from tests.support.waiting import ONE_HUMAN, a_pending, a_signature
from tests.support.walking import CALLER, MONEY, PAY, a_call, a_tool, an_asked

ARGUMENTS: dict[str, Any] = {
    "bill": "b1",
    "amount": {"value": "12.00", "currency": "USD"},
    "lines": [{"n": 1, "gift": False}, {"n": 2, "note": None}],
}
HOST_OR_HUMAN = ConfirmObligation(by=("host", "human"))
ACCEPTED = {ELICITATION_KEY: {"action": "accept", "content": {"approve": True}}}


@pytest.fixture
def consents(waiting: Waiting, clock: ManualClock) -> Consents:
    """The reader of consent."""
    return Consents(waiting, now=clock)


def asked_with(token: str | None = None, **members: Any) -> Asked:
    """The usual call, with the token it presents."""
    return an_asked(a_call(PAY, ARGUMENTS, token=token, **members))


async def token_for(waiting: Waiting, asked: Asked, *, view_hash: str | None = None) -> str:
    """A fresh token for exactly that call."""
    token, _ = await waiting.grant(
        binding_of(asked), transaction_id="t1", revision="r1", ttl_s=30, view_hash=view_hash
    )
    return token


async def opened(waiting: Waiting, asked: Asked, **members: Any) -> Pending:
    """That call waits for a second party."""
    given = {"binding": binding_of(asked), "view": view_of(asked), "transaction_id": "t2", **members}
    return await waiting.open(a_pending(**given))


async def test_a_call_without_a_token_has_no_consent(consents: Consents) -> None:
    """And is the first of its transaction, under its own id."""
    asked = asked_with()
    consent = await consents.presented(asked)
    assert not consent.facts.handshake.satisfied
    assert consent.facts.confirmations == ()
    assert consent.transaction_id == asked.call.call_id
    assert (consent.pending, consent.revision, consent.refused_by) == (None, None, None)


async def test_the_right_token_is_a_handshake(
    consents: Consents, waiting: Waiting, clock: ManualClock
) -> None:
    """It tells its age, its transaction and the rules under which it was granted."""
    token = await token_for(waiting, asked_with())
    clock.advance(7.9)
    consent = await consents.presented(asked_with(token))
    assert (consent.facts.handshake.satisfied, consent.facts.handshake.age_s) == (True, 7)
    assert (consent.transaction_id, consent.revision) == ("t1", "r1")


@pytest.mark.parametrize("token", ["", "0" * 64, "\ud800", "x" * 1024])
async def test_a_token_nobody_granted_is_refused(consents: Consents, token: str) -> None:
    """Unknown."""
    await refused(consents, asked_with(token), "handshake.token_unknown")


async def test_a_used_token_is_refused(consents: Consents, waiting: Waiting) -> None:
    """Used."""
    asked = asked_with(await token_for(waiting, asked_with()))
    await consents.presented(asked)
    await refused(consents, asked, "handshake.token_unknown")


async def test_an_expired_token_is_refused(consents: Consents, waiting: Waiting, clock: ManualClock) -> None:
    """Expired, in the very words of unknown and used: nobody learns which of the three it was."""
    asked = asked_with(await token_for(waiting, asked_with()))
    clock.advance(30)
    await refused(consents, asked, "handshake.token_unknown")


async def refused(consents: Consents, asked: Asked, code: str) -> None:
    """It is refused with that code, and with the one text that goes with it."""
    said = {
        "handshake.token_unknown": "Invalid or expired token",
        "handshake.mismatch": "Transaction mismatch",
    }
    with pytest.raises(TokenRefused) as problem:
        await consents.presented(asked)
    assert (problem.value.code, problem.value.message) == (code, said[code])


def stolen(asked: Asked) -> list[Asked]:
    """The same call with one member of its binding changed."""
    call, replaced = asked.call, msgspec.structs.replace
    return [
        replaced(asked, caller=replaced(CALLER, subject="agent-two")),
        replaced(asked, caller=replaced(CALLER, issuer="https://other.example")),
        replaced(asked, call=replaced(call, server="bank2")),
        replaced(asked, call=replaced(call, tool="pay_other")),
        replaced(asked, tool=a_tool(definition_hash="e" * 64)),
        replaced(asked, call=replaced(call, arguments_hash="f" * 64)),
    ]


@pytest.mark.parametrize("member", range(6))
async def test_whatever_differs_the_token_is_refused_and_burnt(
    consents: Consents, waiting: Waiting, member: int
) -> None:
    """Caller, server, tool, definition, arguments: the answer does not tell which, and there is no second guess."""
    asked = asked_with(await token_for(waiting, asked_with()))
    await refused(consents, stolen(asked)[member], "handshake.mismatch")
    await refused(consents, asked, "handshake.token_unknown")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every leaf, and every container, of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [place for key, one in items for place in places(one, (*path, key))]
    return [*found, path] if path else found


OTHER: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | st.just([])
    | st.just({})
)


@given(st.sampled_from(places(ARGUMENTS)), OTHER, st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_changed_argument_shares_a_binding(place: tuple[Any, ...], value: Any, drop: bool) -> None:  # noqa: FBT001
    """Whatever leaf is changed, dropped or given another type: the binding is another one, unless nothing changed."""
    changed = copy.deepcopy(ARGUMENTS)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    if drop:
        inner.pop(place[-1])
    else:
        inner[place[-1]] = value
    same = binding_of(an_asked(a_call(PAY, changed))) == binding_of(an_asked(a_call(PAY, ARGUMENTS)))
    # `1` and `1.0` are one number to RFC 8785, and to JSON.
    assert same == (canonical_hash(changed) == canonical_hash(ARGUMENTS))
    if changed != ARGUMENTS:
        assert not same


async def test_only_a_dialect_that_carries_no_token_may_repeat(consents: Consents, waiting: Waiting) -> None:
    """A host that could bring the token back does not get away without it."""
    legacy = asked_with(legacy=True)
    await waiting.grant_repeat(binding_of(legacy), transaction_id="t1", revision="r1", ttl_s=30)
    assert await consents.remembered(asked_with()) is None
    found = await consents.remembered(legacy)
    assert found is not None
    assert (found.transaction_id, found.revision) == ("t1", "r1")
    assert await consents.remembered(legacy) is None


async def test_a_repeat_is_the_same_callers(consents: Consents, waiting: Waiting) -> None:
    """Another caller's identical call finds nothing, and leaves what is there."""
    legacy = asked_with(legacy=True)
    await waiting.grant_repeat(binding_of(legacy), transaction_id="t1", revision="r1", ttl_s=30)
    stranger = msgspec.structs.replace(legacy, caller=Caller(issuer="https://idp.example", subject="two"))
    assert await consents.remembered(stranger) is None
    assert await consents.remembered(legacy) is not None


async def test_what_waits_is_found_in_every_dialect(consents: Consents, waiting: Waiting) -> None:
    """The host gave up its rounds before the person was done; the call comes again without a token."""
    pending = await opened(waiting, asked_with())
    signed = msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
    assert await waiting.replace(pending, signed)
    for asked in (asked_with(), asked_with(legacy=True)):
        consent = await consents.remembered(asked)
        assert consent is not None
        assert consent.pending == signed
        assert consent.transaction_id == "t2"
        assert consent.facts.confirmations == signed.confirmations


async def test_a_signature_counts_only_for_the_picture_it_was_given_for(
    consents: Consents, waiting: Waiting
) -> None:
    """The amount that was looked up has moved since: what the person signed is not what would be sent."""
    asked = asked_with()
    pending = await opened(waiting, asked)
    signed = msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
    assert await waiting.replace(pending, signed)
    moved = msgspec.structs.replace(asked, money=msgspec.structs.replace(MONEY, amount="12000.00"))
    consent = await consents.remembered(moved)
    assert consent is not None
    assert consent.facts.confirmations == ()
    assert (await consents.remembered(asked)) is not None


async def test_a_refusal_is_told(consents: Consents, waiting: Waiting) -> None:
    """By whom, so that the walk can make it final."""
    await opened(waiting, asked_with(), status=Status.REFUSED, refused_by="bob")
    consent = await consents.remembered(asked_with())
    assert consent is not None
    assert consent.refused_by == "bob"


async def test_a_newer_handshake_makes_an_old_one_young(
    consents: Consents, waiting: Waiting, clock: ManualClock
) -> None:
    """While the call waits a person may take longer than a handshake stays good; a new one is as old as it is."""
    await opened(waiting, asked_with(), expires_at=clock.now + 5000)
    clock.advance(1000)
    old = await consents.remembered(asked_with())
    assert old is not None
    assert old.facts.handshake.age_s == 1000
    renewed = await consents.presented(asked_with(await token_for(waiting, asked_with())))
    assert renewed.facts.handshake.age_s == 0


async def test_what_is_over_by_its_own_time_is_no_consent(wall_store: Any, clock: ManualClock) -> None:
    """Though the store still has it, signatures and all."""
    waiting = Waiting(wall_store, now=clock)
    pending = await opened(waiting, asked_with())
    signed = msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
    assert await waiting.replace(pending, signed)
    clock.now = pending.expires_at
    assert await Consents(waiting, now=clock).remembered(asked_with()) is None


async def answered_in_the_host(
    waiting: Waiting,
    consents: Consents,
    responses: dict[str, Any],
    *,
    obligation: ConfirmObligation = HOST_OR_HUMAN,
    form: bool = True,
) -> tuple[Any, ...]:
    """Who has confirmed, after a host answered a form with ``responses``."""
    asked = asked_with()
    pending = await opened(waiting, asked, obligation=obligation)
    token = await token_for(waiting, asked, view_hash=pending.view.view_hash if form else None)
    consent = await consents.presented(asked_with(token, input_responses=responses))
    assert consent.refused_by is None
    return tuple((one.by, one.who, one.assurance) for one in consent.facts.confirmations)


async def test_an_accepted_form_is_the_hosts_confirmation(waiting: Waiting, consents: Consents) -> None:
    """The weakest second signature, in the caller's own name."""
    said = await answered_in_the_host(waiting, consents, ACCEPTED)
    assert said == (("host", "agent-one", "host"),)


@pytest.mark.parametrize(
    "response",
    [
        None,
        [],
        "accept",
        {},
        {"action": "decline"},
        {"action": "cancel"},
        {"action": "decline", "content": {"approve": True}},
        {"action": "accept"},
        {"action": "accept", "content": None},
        {"action": "accept", "content": [True]},
        {"action": "accept", "content": {}},
        {"action": "accept", "content": {"approve": False}},
        {"action": "accept", "content": {"approve": 1}},
        {"action": "accept", "content": {"approve": "true"}},
        {"action": "Accept", "content": {"approve": True}},
        {"action": ["accept"], "content": {"approve": True}},
    ],
)
async def test_anything_else_confirms_nothing_and_refuses_nothing(
    waiting: Waiting, consents: Consents, response: Any
) -> None:
    """A decline is not a human's no: some hosts decline unseen."""
    assert await answered_in_the_host(waiting, consents, {ELICITATION_KEY: response}) == ()


async def test_an_answer_under_another_key_is_not_for_us(waiting: Waiting, consents: Consents) -> None:
    """An upstream's own elicitation confirms nothing here."""
    assert await answered_in_the_host(waiting, consents, {"confirm": ACCEPTED[ELICITATION_KEY]}) == ()


async def test_the_host_confirms_only_where_the_policy_takes_that(
    waiting: Waiting, consents: Consents
) -> None:
    """The obligation names who may."""
    assert await answered_in_the_host(waiting, consents, ACCEPTED, obligation=ONE_HUMAN) == ()


async def test_the_host_confirms_only_what_it_was_shown(waiting: Waiting, consents: Consents) -> None:
    """The token of the first phase went out without a form: an answer that comes back with it was made up."""
    assert await answered_in_the_host(waiting, consents, ACCEPTED, form=False) == ()
    (pending,) = await waiting.waiting()
    assert pending.confirmations == ()


async def test_the_host_does_not_confirm_without_a_token(waiting: Waiting, consents: Consents) -> None:
    """A call that is merely repeated brings nobody's answer."""
    asked = msgspec.structs.replace(
        asked_with(legacy=True), call=a_call(PAY, ARGUMENTS, legacy=True, input_responses=ACCEPTED)
    )
    await opened(waiting, asked, obligation=HOST_OR_HUMAN)
    consent = await consents.remembered(asked)
    assert consent is not None
    assert consent.facts.confirmations == ()


async def test_the_host_signs_the_picture_of_its_form(waiting: Waiting, consents: Consents) -> None:
    """The amount moved while the form was open: the yes was for the old one, and does not count for the new."""
    asked = asked_with()
    pending = await opened(waiting, asked, obligation=HOST_OR_HUMAN)
    token = await token_for(waiting, asked, view_hash=pending.view.view_hash)
    moved = msgspec.structs.replace(
        asked_with(token, input_responses=ACCEPTED), money=msgspec.structs.replace(MONEY, amount="9999.00")
    )
    assert (await consents.presented(moved)).facts.confirmations == ()


async def test_an_old_form_does_not_sign_a_new_picture(waiting: Waiting, consents: Consents) -> None:
    """Meanwhile somebody else was shown the new amount, so that is what waits now: the old form's yes is not for it."""
    asked = asked_with()
    pending = await opened(waiting, asked, obligation=HOST_OR_HUMAN)
    token = await token_for(waiting, asked, view_hash=pending.view.view_hash)
    money = msgspec.structs.replace(MONEY, amount="9999.00")
    moved = msgspec.structs.replace(asked_with(token, input_responses=ACCEPTED), money=money)
    renewed = msgspec.structs.replace(pending, view=view_of(moved))
    assert await waiting.replace(pending, renewed)
    assert (await consents.presented(moved)).facts.confirmations == ()


async def test_the_host_does_not_confirm_what_a_person_refused(waiting: Waiting, consents: Consents) -> None:
    """Final means final."""
    asked = asked_with()
    pending = await opened(waiting, asked, obligation=HOST_OR_HUMAN, status=Status.REFUSED, refused_by="bob")
    token = await token_for(waiting, asked, view_hash=pending.view.view_hash)
    consent = await consents.presented(asked_with(token, input_responses=ACCEPTED))
    assert consent.facts.confirmations == ()
    assert consent.refused_by == "bob"


async def test_the_host_signs_once(waiting: Waiting, consents: Consents) -> None:
    """Its later answer replaces the earlier one, and nobody else's signature."""
    asked = asked_with()
    pending = await opened(waiting, asked, obligation=HOST_OR_HUMAN)
    signed = msgspec.structs.replace(pending, confirmations=(a_signature(pending),))
    assert await waiting.replace(pending, signed)
    for _ in range(3):
        token = await token_for(waiting, asked, view_hash=pending.view.view_hash)
        await consents.presented(asked_with(token, input_responses=ACCEPTED))
    current = await waiting.current(pending.key)
    assert current is not None
    assert [one.by for one in current.confirmations] == ["human", "host"]


async def test_of_200_presenters_one_is_believed(waiting: Waiting, consents: Consents) -> None:
    """The others are told what an unknown token is told."""
    asked = asked_with(await token_for(waiting, asked_with()))
    said = await asyncio.gather(*(consents.presented(asked) for _ in range(200)), return_exceptions=True)
    assert sum(not isinstance(one, TokenRefused) for one in said) == 1


def test_who_can_carry_a_token() -> None:
    """The modern era and the plain HTTP handshake; not what a client of the old era says of itself."""
    rest = msgspec.structs.replace(a_call(), era=Era.REST, client=Client())
    assert can_carry_token(an_asked(rest))
    assert can_carry_token(asked_with())
    assert not can_carry_token(asked_with(legacy=True))
