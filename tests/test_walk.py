"""The whole walk, with a real store and a real audit file: every outcome, every error, nothing sent but on allow."""

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.canonical import canonical_hash
from gateway.door.call import ToolCall
from gateway.errors import CountersignError, StoreUnavailable, TokenRefused, UpstreamUnavailable
from gateway.identity.credentials import NO_CREDENTIALS
from gateway.outcome.answer import Again, Answer, Executed, Refused, Unknown
from gateway.outcome.pending import Pending, Status
from gateway.outcome.redact import MASK
from gateway.policy.decision import Reason
from gateway.policy.engine import Failure, unavailable
from gateway.policy.money import Money
from gateway.upstream.target import Effect, Reply
from gateway.walk import walk
from tests.support.faults import no_file_longer_than
from tests.support.waiting import a_signature
from tests.support.walking import (
    MAKE,
    OTHER,
    PAY,
    READ,
    Rooms,
    StaticMoney,
    a_call,
    a_definition,
    a_reason,
    an_answer,
    by_class,
    done,
    rooms,
)

ARGUMENTS: dict[str, Any] = {"bill": "b1", "amount": {"value": "12.00", "lines": [1, {"note": None}]}}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Rooms]:
    """Three tools, all approved: of class 4, of class 3, of class 2."""
    async with rooms(tmp_path) as house:
        yield house


async def again(house: Rooms, call: ToolCall) -> Again:
    """The call has to come again."""
    answer = await walk(call, house.house)
    assert isinstance(answer, Again)
    return answer


async def refused(house: Rooms, call: ToolCall) -> tuple[Reason, ...]:
    """The call is refused, for these reasons."""
    answer = await walk(call, house.house)
    assert isinstance(answer, Refused)
    return answer.about.reasons


async def executed(house: Rooms, call: ToolCall) -> Executed:
    """The call is carried out."""
    answer = await walk(call, house.house)
    assert isinstance(answer, Executed)
    return answer


async def error_of(house: Rooms, call: ToolCall) -> tuple[str, str]:
    """The call ends in an error of ours."""
    with pytest.raises(CountersignError) as problem:
        await walk(call, house.house)
    return problem.value.code, problem.value.message


def statuses(house: Rooms) -> list[str]:
    """How the calls ended, by their records."""
    return [one["status"] for one in house.records()]


def with_token(call: ToolCall, token: str | None) -> ToolCall:
    """The same call, as the host repeats it: another id, the token of the answer before."""
    return a_call(call.tool, call.arguments, token=token)


async def waits(house: Rooms) -> Pending:
    """The one call that waits for a person."""
    (pending,) = await house.waiting.waiting()
    return pending


async def signed(house: Rooms) -> None:
    """A person countersigns what waits."""
    pending = await waits(house)
    signature = a_signature(pending, at=int(house.clock.now))
    changed = msgspec.structs.replace(pending, confirmations=(*pending.confirmations, signature))
    assert await house.waiting.replace(pending, changed)


async def refused_by_somebody(house: Rooms) -> None:
    """A person says no to what waits."""
    pending = await waits(house)
    changed = msgspec.structs.replace(pending, status=Status.REFUSED, refused_by="bob")
    assert await house.waiting.replace(pending, changed)


# The four outcomes ---------------------------------------------------------------------------------------------


async def test_class_4_runs_at_once(house: Rooms) -> None:
    """One question, one call, one record; the store is not asked for consent."""
    call = a_call(READ, {"since": "today"}, meta={"traceparent": "x"})
    answer = await executed(house, call)
    assert house.upstream.calls == [(READ, {"since": "today"}, call.call_id, {"traceparent": "x"})]
    assert len(house.engine.questions) == 1
    (record,) = house.records()
    assert (record["status"], record["outcome"], record["tool"]) == ("executed", "allow", READ)
    assert record["transaction_id"] == answer.about.transaction_id == call.call_id
    assert record["caller"]["subject"] == "agent-one"


async def test_class_3_runs_on_the_second_knock(house: Rooms) -> None:
    """Handshake, then allow; one transaction, and an opened record before the call leaves."""
    first = a_call(MAKE, ARGUMENTS)
    answer = await again(house, first)
    assert house.upstream.calls == []
    second = with_token(first, answer.token)
    await executed(house, second)
    assert house.upstream.calls == [(MAKE, ARGUMENTS, first.call_id, {})]
    assert statuses(house) == ["waiting", "opened", "executed"]
    assert {one["transaction_id"] for one in house.records()} == {first.call_id}
    assert [one["call_id"] for one in house.records()] == [first.call_id, second.call_id, second.call_id]


async def test_class_2_runs_after_a_second_signature(house: Rooms) -> None:
    """Handshake, confirmation by somebody else, allow."""
    call = a_call(PAY, ARGUMENTS)
    handshake = await again(house, call)
    assert handshake.status == "handshake_required"
    waiting = await again(house, with_token(call, handshake.token))
    assert waiting.status == "confirmation_required"
    assert waiting.view is not None
    assert waiting.view.money == "12.00 USD"
    still = await again(house, with_token(call, waiting.token))
    await signed(house)
    assert house.upstream.calls == []
    await executed(house, with_token(call, still.token))
    assert house.upstream.calls == [(PAY, ARGUMENTS, call.call_id, {})]
    assert statuses(house) == ["waiting", "waiting", "waiting", "opened", "executed"]
    assert await house.waiting.waiting() == []


async def test_an_older_host_repeats_itself(house: Rooms) -> None:
    """Without tokens: the identical call of the same caller is the second phase, once."""
    call = a_call(MAKE, ARGUMENTS, legacy=True)
    first = await again(house, call)
    assert first.token is None
    stranger = a_call(MAKE, ARGUMENTS, legacy=True, bearer=OTHER)
    await again(house, stranger)
    await again(house, a_call(MAKE, {**ARGUMENTS, "bill": "b2"}, legacy=True))
    assert house.upstream.calls == []
    await executed(house, a_call(MAKE, ARGUMENTS, legacy=True))
    assert len(house.upstream.calls) == 1
    await again(house, a_call(MAKE, ARGUMENTS, legacy=True))
    assert len(house.upstream.calls) == 1


async def test_an_older_host_waits_for_a_person(house: Rooms) -> None:
    """It is told where, repeats itself, and the call is found."""
    answer = await again(house, a_call(PAY, ARGUMENTS, legacy=True))
    for _ in range(2):
        answer = await again(house, a_call(PAY, ARGUMENTS, legacy=True))
    assert answer.status == "confirmation_required"
    assert answer.approve_url is not None
    await signed(house)
    await executed(house, a_call(PAY, ARGUMENTS, legacy=True))
    assert len(house.upstream.calls) == 1


async def test_a_denied_call_ends(house: Rooms) -> None:
    """With the policy's reasons; one record; nothing waits and nothing was sent."""
    house.engine.answering = lambda _: an_answer(
        "deny", reasons=[a_reason("deny", "a.b"), a_reason("allow", "c.d")]
    )
    assert [one.code for one in await refused(house, a_call(READ))] == ["a.b", "c.d"]
    (record,) = house.records()
    assert (record["status"], record["outcome"], record["reasons"]) == ("refused", "deny", ["a.b", "c.d"])
    assert house.upstream.calls == []


async def test_a_softened_answer_says_what_it_would_have_been(house: Rooms) -> None:
    """To the caller as a warning, to the audit as a word; what is masked is masked."""
    house.upstream.reply = done({"content": [], "structuredContent": {"payer": {"email": "x@y.example"}}})
    obligations = {"warn": ["old"], "redact": ["/payer/email"]}
    house.engine.answering = lambda _: an_answer("allow", would_be="deny", obligations=obligations)
    answer = await executed(house, a_call(READ))
    assert answer.warn == ("old",)
    assert answer.result is not None
    assert msgspec.json.decode(answer.result)["structuredContent"] == {"payer": {"email": MASK}}
    assert house.records()[0]["would_be"] == "deny"


# Nothing is sent ------------------------------------------------------------------------------------------------


async def test_who_is_nobody_gets_nowhere(house: Rooms) -> None:
    """Not even the catalog is asked; the record names the tool that was wanted."""
    for credentials in (NO_CREDENTIALS, a_call(bearer="unsafe-token-that-nobody-has-000").credentials):
        code, _ = await error_of(house, a_call(READ, credentials=credentials))
        assert code.startswith("identity.")
    assert (house.upstream.listed, house.engine.questions) == (0, [])
    assert statuses(house) == ["refused", "refused"]


async def test_a_tool_that_is_not_there_is_not_judged(house: Rooms) -> None:
    """An unknown name, or an unknown server."""
    for call in (a_call("unheard_of"), a_call(READ, server="other")):
        assert (await error_of(house, call))[0] == "catalog.unknown_tool"
    assert house.engine.questions == []
    assert statuses(house) == ["refused", "refused"]


@pytest.mark.parametrize(
    "failure", [Failure.TIMEOUT, Failure.REFUSED, Failure.BREAKER_OPEN, Failure.BUILT_IN_ERROR]
)
async def test_without_an_answer_there_is_no_call(house: Rooms, failure: Failure) -> None:
    """Invariant 1: with the reason in the audit."""
    house.engine.answering = lambda _: unavailable(failure, "words")
    assert [one.code for one in await refused(house, a_call(READ))] == [f"policy.{failure}"]
    assert house.records()[0]["reasons"] == [f"policy.{failure}"]
    assert house.upstream.calls == []


@pytest.mark.parametrize(
    "answer", [None, b"", b'{"outcome":"allow"}', b"\xff", {"outcome": "denny", "reasons": []}]
)
async def test_an_answer_that_is_none_is_no(house: Rooms, answer: Any) -> None:
    """Undefined, broken, or an outcome nobody knows."""
    house.engine.answering = lambda _: answer
    assert (await refused(house, a_call(READ)))[0].code.startswith("policy.")
    assert house.upstream.calls == []


async def test_a_defect_of_the_engine_is_no_call(house: Rooms) -> None:
    """It is not swallowed, it is recorded, and nothing was sent."""
    house.engine.answering = lambda _: RuntimeError("a defect")
    with pytest.raises(RuntimeError):
        await walk(a_call(READ), house.house)
    assert statuses(house) == ["failed"]
    assert house.upstream.calls == []


async def test_a_policy_that_allows_everything_does_not_waive_the_walls(tmp_path: Path) -> None:
    """A changed definition, a revoked approval, arguments that do not fit: refused, with our reason in the record."""
    strict = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
    async with rooms(tmp_path, wires=[a_definition(READ, inputSchema=strict), a_definition(PAY)]) as house:
        house.engine.answering = lambda _: an_answer("allow", data_class=5)
        assert [one.code for one in await refused(house, a_call(READ, {"n": "x"}))] == [
            "arguments.schema_invalid"
        ]
        house.upstream.wires = [a_definition(PAY, description="Now pays twice.")]
        house.clock.advance(2)
        assert [one.code for one in await refused(house, a_call(PAY))] == ["catalog.definition_changed"]
        house.upstream.wires = [a_definition(PAY)]
        house.clock.advance(2)
        await house.approvals.revoke("bank", PAY, by="boss")
        assert [one.code for one in await refused(house, a_call(PAY))] == ["catalog.approval_revoked"]
        assert house.upstream.calls == []
        assert [(one["status"], one["outcome"]) for one in house.records()] == [("refused", "deny")] * 3
        assert house.records()[2]["reasons"] == ["catalog.approval_revoked"]


async def test_arguments_that_do_not_fit_cause_no_lookup(tmp_path: Path) -> None:
    """What is sent before the policy has spoken is sent only for a call that could run."""

    class Looking(StaticMoney):
        """Rules that are not to be asked."""

        def money_of(self, tool: str, arguments: Mapping[str, Any]) -> Money | None:
            """See ``MoneyRules.money_of``."""
            raise AssertionError("the amount of an unfit call is nobody's business")

    wires = [a_definition(PAY, inputSchema={"type": "object", "required": ["bill"]})]
    async with rooms(tmp_path, wires=wires, rules=Looking()) as house:
        house.engine.answering = lambda _: an_answer("deny")
        await refused(house, a_call(PAY, {}))
        assert house.engine.questions[0]["schema"]["valid"] is False
        assert house.engine.questions[0]["money"] is None


@pytest.mark.parametrize("tool", [MAKE, PAY])
async def test_a_full_disk_stops_what_is_sensitive(house: Rooms, tool: str) -> None:
    """Invariant 5: the record cannot be taken, so nothing is sent, whatever the policy said."""
    house.engine.answering = lambda _: an_answer("allow", data_class=5)
    await house.house.catalog.all("bank")  # the store's own file is full too
    with no_file_longer_than(0):
        assert (await error_of(house, a_call(tool)))[0] == "audit.unavailable"
    assert house.upstream.calls == []


async def test_without_a_store_nothing_sensitive_happens(house: Rooms) -> None:
    """Neither phase; an error, not an allow."""
    call = a_call(MAKE, ARGUMENTS)
    token = (await again(house, call)).token
    await house.store.aclose()
    with pytest.raises(StoreUnavailable):
        await walk(with_token(call, token), house.house)
    with pytest.raises(StoreUnavailable):
        await walk(a_call(MAKE), house.house)
    assert house.upstream.calls == []
    assert statuses(house) == ["waiting", "failed", "failed"]


async def test_without_a_listing_nothing_is_judged(house: Rooms) -> None:
    """The server cannot be reached."""
    house.upstream.wires = UpstreamUnavailable("gone", code="upstream.not_sent")
    assert (await error_of(house, a_call(READ)))[0] == "upstream.not_sent"
    assert house.engine.questions == []
    assert statuses(house) == ["failed"]


# Tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "f" * 64, "\ud800", "x" * 1024])
async def test_a_token_that_nobody_granted_is_refused(house: Rooms, token: str) -> None:
    """In every class, also where none was needed."""
    for tool in (READ, MAKE, PAY):
        said = await error_of(house, a_call(tool, token=token))
        assert said == ("handshake.token_unknown", "Invalid or expired token")
    assert (house.upstream.calls, house.engine.questions) == ([], [])
    assert statuses(house) == ["refused"] * 3


async def test_a_completed_call_is_not_repeated(house: Rooms) -> None:
    """A replay of the second phase finds its token spent."""
    call = a_call(MAKE, ARGUMENTS)
    second = with_token(call, (await again(house, call)).token)
    await executed(house, second)
    assert (await error_of(house, second))[0] == "handshake.token_unknown"
    assert len(house.upstream.calls) == 1


async def test_of_50_second_phases_one_runs(house: Rooms) -> None:
    """At once, with one token."""
    call = a_call(MAKE, ARGUMENTS)
    second = with_token(call, (await again(house, call)).token)
    said = await asyncio.gather(*(walk(second, house.house) for _ in range(50)), return_exceptions=True)
    assert sum(isinstance(one, Executed) for one in said) == 1
    assert sum(isinstance(one, TokenRefused) for one in said) == 49
    assert len(house.upstream.calls) == 1
    assert sorted(statuses(house)) == ["executed", "opened", *["refused"] * 49, "waiting"]


async def test_of_20_older_hosts_one_repeat_runs(house: Rooms) -> None:
    """One repetition is one second phase; the others start anew."""
    await again(house, a_call(MAKE, ARGUMENTS, legacy=True))
    said = await asyncio.gather(*(walk(a_call(MAKE, ARGUMENTS, legacy=True), house.house) for _ in range(20)))
    runs = sum(isinstance(one, Executed) for one in said)
    # Whoever starts anew leaves a handshake for whoever comes after: two knocks, one run, never more.
    assert 1 <= runs <= 10
    assert len(house.upstream.calls) == runs


async def test_of_20_who_hold_one_confirmation_one_runs(house: Rooms) -> None:
    """Each has a token of its own, all for the call that one person signed once."""
    call = a_call(PAY, ARGUMENTS)
    tokens = []
    handshake = await again(house, call)
    token = handshake.token
    for _ in range(20):
        answer = await again(house, with_token(call, token))
        token = (
            await house.waiting.grant(
                (await waits(house)).binding, transaction_id="t", revision="r1", ttl_s=60
            )
        )[0]
        tokens.append(answer.token)
    await signed(house)
    said = await asyncio.gather(
        *(walk(with_token(call, one), house.house) for one in tokens), return_exceptions=True
    )
    assert sum(isinstance(one, Executed) for one in said) == 1
    assert len(house.upstream.calls) == 1
    codes = {one.code for one in said if isinstance(one, CountersignError)}
    assert codes <= {"confirm.already_used", "confirm.in_progress"}


async def test_a_stolen_token_is_worth_nothing_and_burnt(house: Rooms) -> None:
    """Another caller, another tool: refused in the same words, and the owner starts again."""
    for thief in ({"bearer": OTHER}, {"tool": PAY}):
        call = a_call(MAKE, ARGUMENTS)
        token = (await again(house, call)).token
        tool = thief.pop("tool", MAKE)
        stolen = a_call(tool, ARGUMENTS, token=token, **thief)
        assert await error_of(house, stolen) == ("handshake.mismatch", "Transaction mismatch")
        assert (await error_of(house, with_token(call, token)))[0] == "handshake.token_unknown"
    assert house.upstream.calls == []


async def test_a_definition_that_changes_between_the_phases_voids_the_token(house: Rooms) -> None:
    """The rug is pulled after the handshake."""
    call = a_call(MAKE, ARGUMENTS)
    token = (await again(house, call)).token
    house.upstream.wires = [a_definition(MAKE, description="Other.")]
    house.clock.advance(2)
    assert (await error_of(house, with_token(call, token)))[0] == "handshake.mismatch"
    assert house.upstream.calls == []


async def test_a_token_of_other_rules_is_refused(house: Rooms) -> None:
    """The policy changed between the phases: what it would allow now, it has not seen the first phase of."""
    call = a_call(MAKE, ARGUMENTS)
    token = (await again(house, call)).token
    house.engine.revision = "r2"
    assert (await error_of(house, with_token(call, token)))[0] == "handshake.policy_changed"
    assert house.upstream.calls == []


async def test_a_token_that_is_over_is_refused(house: Rooms) -> None:
    """After thirty seconds, to the second."""
    call = a_call(MAKE, ARGUMENTS)
    token = (await again(house, call)).token
    house.clock.advance(30)
    assert (await error_of(house, with_token(call, token)))[0] == "handshake.token_unknown"


async def test_the_token_is_in_no_record_and_no_file(house: Rooms) -> None:
    """Neither granted nor used."""
    call = a_call(MAKE, ARGUMENTS)
    token = (await again(house, call)).token
    assert token is not None
    await executed(house, with_token(call, token))
    for path in house.store_path.parent.iterdir():
        assert token.encode() not in path.read_bytes(), path.name


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the arguments."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [place for key, one in items for place in leaves(one, (*path, key))]
    return [*found, path] if path else found


CHANGES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from(["", "12.01", "b2", "12.00 "]),
    st.just({}),
    st.just([]),
)


@given(st.sampled_from(leaves(ARGUMENTS)), CHANGES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_changed_argument_is_ever_executed(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    """Whatever leaf changes between the phases, at whatever depth: refused, burnt, nothing sent (R028)."""
    changed = copy.deepcopy(ARGUMENTS)
    inner: Any = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    if canonical_hash(changed) != canonical_hash(ARGUMENTS):
        asyncio.run(changed_between_phases(tmp_path, changed))


async def changed_between_phases(folder: Path, changed: dict[str, Any]) -> None:
    """Both dialects, over the same files for all examples."""
    async with rooms(folder) as house:
        call = a_call(MAKE, ARGUMENTS)
        token = (await again(house, call)).token
        assert (await error_of(house, a_call(MAKE, changed, token=token)))[0] == "handshake.mismatch"
        assert (await error_of(house, with_token(call, token)))[0] == "handshake.token_unknown"
        await again(house, a_call(MAKE, ARGUMENTS, legacy=True))
        await again(house, a_call(MAKE, changed, legacy=True))
        assert house.upstream.calls == []
        # Leave no repeat behind for the next example.
        await executed(house, a_call(MAKE, ARGUMENTS, legacy=True))
        await executed(house, a_call(MAKE, changed, legacy=True))


# People -----------------------------------------------------------------------------------------------------------


async def to_a_person(house: Rooms) -> tuple[ToolCall, str | None]:
    """A call of class 2 that waits, and the token that carries it."""
    call = a_call(PAY, ARGUMENTS)
    handshake = await again(house, call)
    return call, (await again(house, with_token(call, handshake.token))).token


async def test_a_no_is_final(house: Rooms) -> None:
    """With the token, without it, from an older host, and for a policy that would allow; until it would have ended."""
    call, token = await to_a_person(house)
    await refused_by_somebody(house)
    house.engine.answering = lambda _: an_answer("allow", data_class=2)
    assert [one.code for one in await refused(house, with_token(call, token))] == ["confirm.refused"]
    house.engine.answering = by_class
    for repeat in (a_call(PAY, ARGUMENTS), a_call(PAY, ARGUMENTS, legacy=True)):
        reasons = await refused(house, repeat)
        assert [one.code for one in reasons] == ["confirm.refused"]
        assert "bob" in reasons[0].message
    assert house.upstream.calls == []
    assert statuses(house)[-3:] == ["refused"] * 3
    assert house.records()[-1]["data_class"] == 2
    house.clock.advance(600)
    await again(house, a_call(PAY, ARGUMENTS))


async def test_a_no_that_comes_during_the_judgement_counts(house: Rooms) -> None:
    """The policy has just said allow; before the call leaves, somebody says no."""
    call, token = await to_a_person(house)
    await signed(house)
    refusing: list[asyncio.Task[None]] = []

    class Slow:
        """An audit whose disk takes long enough for a person to press a button."""

        def __init__(self, inner: Any) -> None:
            self._inner = inner

        async def append(self, record: Any, *, durable: bool) -> None:
            """First the no."""
            if durable and not refusing:
                refusing.append(asyncio.ensure_future(refused_by_somebody(house)))
                await refusing[0]
            await self._inner.append(record, durable=durable)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    house.audit._sink = Slow(house.audit._sink)
    assert (await error_of(house, with_token(call, token)))[0] == "confirm.already_used"
    assert house.upstream.calls == []
    assert (await waits(house)).status is Status.REFUSED
    assert [one.code for one in await refused(house, a_call(PAY, ARGUMENTS))] == ["confirm.refused"]


async def test_a_signature_for_another_amount_does_not_count(house: Rooms) -> None:
    """The amount moved after the person signed: the call waits again, showing the new one."""
    call, token = await to_a_person(house)
    await signed(house)
    rules: Any = house.house.amounts._rules["bank"]
    rules.money = msgspec.structs.replace(rules.money, amount="9000.00")
    answer = await again(house, with_token(call, token))
    assert answer.view is not None
    assert "9000.00" in answer.view.money
    assert (await waits(house)).confirmations == ()
    assert house.upstream.calls == []


# What is not known --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", [READ, MAKE])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(effect=Effect.UNKNOWN),
        RuntimeError("a defect"),
        Reply(effect=Effect.UNKNOWN, error={"code": -32603}),
    ],
    ids=["no answer", "a defect", "an error half-way"],
)
async def test_an_outcome_that_nobody_knows_is_unknown(house: Rooms, tool: str, reply: Any) -> None:
    """To the caller and in the audit; and the token does not come back."""
    house.upstream.reply = reply
    call = a_call(tool)
    if tool == MAKE:
        call = with_token(call, (await again(house, call)).token)
    answer: Answer = await walk(call, house.house)
    assert isinstance(answer, Unknown)
    assert statuses(house)[-1] == "unknown"
    assert len(house.upstream.calls) == 1


async def test_a_caller_that_hangs_up_leaves_an_unknown(house: Rooms) -> None:
    """In the middle of the call: one closing record all the same."""
    reached, never = asyncio.Event(), asyncio.Event()

    async def hang() -> Reply:
        reached.set()
        await never.wait()
        return done()

    house.upstream.reply = lambda tool, arguments: hang()
    task = asyncio.create_task(walk(a_call(READ), house.house))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (record,) = house.records()
    assert (record["status"], record["error"]) == ("unknown", "cancelled")


async def test_what_certainly_was_not_sent_may_be_tried_again(house: Rooms) -> None:
    """Failed, not unknown."""
    house.upstream.reply = UpstreamUnavailable("closed", code="upstream.not_sent")
    assert (await error_of(house, a_call(READ)))[0] == "upstream.not_sent"
    assert [(one["status"], one["error"]) for one in house.records()] == [("failed", "upstream.not_sent")]


# The order, and the count --------------------------------------------------------------------------------------------


async def test_the_rooms_are_passed_in_order(tmp_path: Path) -> None:
    """Identity, catalog, schema, amount, consent, policy, audit, target."""
    passed: list[str] = []
    async with rooms(tmp_path) as house:
        tracer = Tracer(passed)
        inner = house.house
        traced = type(inner)(
            books=tracer.of("books", inner.books),
            identity=tracer.of("identity", inner.identity),
            catalog=tracer.of("catalog", inner.catalog),
            classes=inner.classes,
            amounts=tracer.of("amounts", inner.amounts),
            consents=tracer.of("consents", inner.consents),
            policy=tracer.of("policy", inner.policy),
            allow=tracer.of("allow", inner.allow),
            handshake=tracer.of("handshake", inner.handshake),
            confirm=tracer.of("confirm", inner.confirm),
            in_band=inner.in_band,
            upstreams=inner.upstreams,
            waiting=inner.waiting,
        )
        await walk(a_call(READ), traced)
        assert passed == [
            "books.call",
            "identity.identify",
            "catalog.current",
            "amounts.of",
            "consents.presented",
            "policy.decide",
            "allow.carry_out",
        ]
        passed.clear()
        await walk(a_call(MAKE), traced)
        assert passed[-4:] == [
            "consents.presented",
            "policy.decide",
            "consents.remembered",
            "handshake.carry_out",
        ]


class Tracer:
    """Notes which method of which room was called."""

    def __init__(self, passed: list[str]) -> None:
        self._passed = passed

    def of(self, room: str, inner: Any) -> Any:
        """The room, traced."""
        passed = self._passed

        class Traced:
            def __getattr__(self, name: str) -> Any:
                passed.append(f"{room}.{name}")
                return getattr(inner, name)

        return Traced()


async def test_every_call_has_one_closing_record(house: Rooms) -> None:
    """However it ends; an opened one besides where it is sensitive, and a chain that verifies."""
    calls: list[ToolCall] = []
    for i in range(12):
        for call in (
            a_call(READ, {"i": i}),
            a_call(MAKE, {"i": i}),
            a_call(PAY, {"i": i}, legacy=True),
            a_call("unheard_of", {"i": i}),
            a_call(MAKE, {"i": i}, token="f" * 64),
            a_call(READ, credentials=NO_CREDENTIALS),
        ):
            calls.append(call)
    await asyncio.gather(*(walk(call, house.house) for call in calls), return_exceptions=True)
    closing = [one["call_id"] for one in house.records() if one["status"] != "opened"]
    assert sorted(closing) == sorted(call.call_id for call in calls)
