"""Sent once, or not at all; and what is not known is called unknown."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from gateway.catalog.tool import Approval, Etdi, EtdiStatus, SchemaVerdict, Tool
from gateway.door.call import ToolCall
from gateway.door.host import NOBODY, Host
from gateway.errors import (
    AuditUnavailable,
    CountersignError,
    StoreUnavailable,
    TokenRefused,
    UpstreamUnavailable,
)
from gateway.outcome.allow import AllowOutcome, Claims
from gateway.outcome.answer import Executed, MoreInput, Refused, Unknown
from gateway.outcome.consent import Consent
from gateway.outcome.journal import Earlier, Journal
from gateway.outcome.parked import Parking, Question
from gateway.outcome.pending import Continuation, Pending, Status, Waiting
from gateway.outcome.redact import MASK
from gateway.policy.decision import Allow, Obligations, Outcome, Reason
from gateway.policy.question import Asked
from gateway.upstream.target import Effect, Reply
from tests.support.clock import ManualClock
from tests.support.journals import NoJournal
from tests.support.usage import NothingCounted
from tests.support.waiting import a_pending
from tests.support.walking import KeepingUpstream, a_call, a_tool, an_approval, an_asked, done

REASON = Reason(code="consent.given", outcome=Outcome.ALLOW, message="m", remedy="r")


class Page:
    """An audit entry that writes down what it was told, in order; ``problem`` is raised before the call leaves."""

    def __init__(self, upstream: KeepingUpstream) -> None:
        self.problem: CountersignError | None = None
        self.durable: list[bool] = []
        self.replies: list[Reply] = []
        self._upstream = upstream

    async def before_upstream(self, *, durable: bool) -> None:
        """See ``Record``."""
        assert not self._upstream.calls
        self.durable.append(durable)
        if self.problem is not None:
            raise self.problem

    def upstream(self, reply: Reply) -> None:
        """See ``Record``."""
        self.replies.append(reply)


class Desk:
    """The outcome under test, with what it works on."""

    def __init__(
        self,
        claims: Claims,
        clock: ManualClock,
        upstream: KeepingUpstream | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.upstream = upstream or KeepingUpstream()
        self.page = Page(self.upstream)
        self.lapses: list[tuple[str, str]] = []
        self.parking = Parking()
        self.outcome = AllowOutcome(
            {"bank": self.upstream},
            claims,
            journal=journal or NoJournal(),
            parking=self.parking,
            lapses=self,
            usage=NothingCounted(),
            now=clock,
        )
        self._claims, self._clock = claims, clock

    async def lapsed(self, call: ToolCall, transaction_id: str) -> None:
        """See ``Lapses``."""
        self.lapses.append((call.call_id, transaction_id))

    def beside(self) -> "Desk":
        """Another call at the same target, with a page of its own."""
        other = Desk(self._claims, self._clock, self.upstream)
        other.page = Page(KeepingUpstream())
        return other

    async def allow(
        self,
        asked: Asked | None = None,
        *,
        data_class: int | None = 4,
        pending: Pending | None = None,
        redact: tuple[str, ...] = (),
        warn: tuple[str, ...] = (),
        host: Host = NOBODY,
        continuation: Continuation | None = None,
    ) -> Executed | MoreInput | Refused | Unknown:
        """The policy said allow."""
        decision = Allow(
            reasons=(REASON,),
            data_class=data_class,
            obligations=Obligations(redact=redact, warn=warn),
            revision="r1",
            decision_id="d1",
        )
        consent = Consent(transaction_id="t1", pending=pending, continuation=continuation)
        return await self.outcome.carry_out(asked or an_asked(), decision, consent, self.page, host)


@pytest.fixture
def desk(waiting: Waiting, clock: ManualClock) -> Desk:
    """One per test."""
    return Desk(waiting, clock)


async def test_what_was_judged_is_sent_once(desk: Desk) -> None:
    """With the transaction's id, and the answer's bytes pass as they came."""
    asked = an_asked(a_call("pay_bill", {"bill": "b1"}, meta={"traceparent": "x"}))
    desk.upstream.reply = Reply(effect=Effect.EXECUTED, result=msgspec.Raw(b'{ "content" : [] }'), status=200)
    answer = await desk.allow(asked, warn=("old",))
    assert desk.upstream.calls == [("pay_bill", {"bill": "b1"}, "t1", {"traceparent": "x"})]
    assert isinstance(answer, Executed)
    assert answer.result is not None
    assert bytes(memoryview(answer.result)) == b'{ "content" : [] }'
    assert (answer.about.transaction_id, answer.warn) == ("t1", ("old",))
    assert [one.status for one in desk.page.replies] == [200]


@pytest.mark.parametrize(
    ("data_class", "durable"), [(1, True), (2, True), (3, True), (4, False), (5, False), (None, True)]
)
async def test_sensitive_calls_leave_after_their_record_is_on_disk(
    desk: Desk, data_class: int | None, *, durable: bool
) -> None:
    """Classes 1 to 3, and what has no class."""
    await desk.allow(data_class=data_class)
    assert desk.page.durable == [durable]


@pytest.mark.parametrize("data_class", [1, 4])
async def test_without_a_record_nothing_is_sent(desk: Desk, data_class: int) -> None:
    """Invariant 5."""
    desk.page.problem = AuditUnavailable("full")
    with pytest.raises(AuditUnavailable):
        await desk.allow(data_class=data_class)
    assert desk.upstream.calls == []


DRIFTED: dict[str, tuple[Tool, Approval | None]] = {
    "catalog.definition_changed": (a_tool(definition_hash="e" * 64), an_approval()),
    "catalog.version_changed": (a_tool(version="2.0.0"), an_approval()),
    "catalog.provider_changed": (a_tool(provider="other"), an_approval()),
    "catalog.permissions_changed": (a_tool(permissions=("pay", "more")), an_approval()),
    "catalog.approval_revoked": (a_tool(), an_approval(revoked=True)),
    "catalog.approval_expired": (a_tool(), an_approval(expires=1)),
    "catalog.token_invalid": (a_tool(etdi=Etdi(status=EtdiStatus.TOKEN_INVALID)), None),
    "catalog.signature_invalid": (a_tool(etdi=Etdi(status=EtdiStatus.SIGNATURE_INVALID)), an_approval()),
}


@pytest.mark.parametrize("code", DRIFTED)
async def test_a_tool_that_drifted_is_not_called(desk: Desk, code: str) -> None:
    """Invariant 9, whatever the policy said; the record keeps what the policy knew."""
    tool, approval = DRIFTED[code]
    answer = await desk.allow(an_asked(tool=tool, approval=approval), data_class=5)
    assert isinstance(answer, Refused)
    assert [one.code for one in answer.about.reasons] == [code]
    assert answer.about.data_class == 5
    assert (desk.upstream.calls, desk.page.durable) == ([], [])


async def test_arguments_that_do_not_fit_are_not_sent(desk: Desk) -> None:
    """Whatever the policy said."""
    asked = an_asked(schema=SchemaVerdict(valid=False, errors=("/a: violates type",)))
    answer = await desk.allow(asked)
    assert isinstance(answer, Refused)
    assert answer.about.reasons[0].code == "arguments.schema_invalid"
    assert answer.about.reasons[0].message == "/a: violates type"
    assert desk.upstream.calls == []


async def test_a_confirmed_call_is_executed_by_one(desk: Desk, waiting: Waiting) -> None:
    """Of 50 who hold the same confirmation, one sends."""
    pending = await waiting.open(a_pending())
    said = await asyncio.gather(
        *(desk.beside().allow(pending=pending, data_class=2) for _ in range(50)), return_exceptions=True
    )
    assert sum(isinstance(one, Executed) for one in said) == 1
    refusals = [one for one in said if isinstance(one, TokenRefused)]
    assert {one.code for one in refusals} == {"confirm.already_used"}
    assert len(refusals) == 49
    assert len(desk.upstream.calls) == 1


async def test_a_refusal_in_the_last_moment_stops_it(desk: Desk, waiting: Waiting) -> None:
    """Between the judgement and the claim; the record was open already, nothing left."""
    judged = await waiting.open(a_pending())
    refused = msgspec.structs.replace(judged, status=Status.REFUSED, refused_by="bob")
    assert await waiting.replace(judged, refused)
    with pytest.raises(TokenRefused):
        await desk.allow(pending=judged, data_class=2)
    assert desk.upstream.calls == []
    assert await waiting.current(judged.key) == refused


async def test_a_store_that_cannot_say_sends_nothing(clock: ManualClock) -> None:
    """The claim may have been taken; then it is spent, and nothing moved."""

    class Silent:
        async def claim(self, pending: Any) -> bool:
            """Nobody answers."""
            raise StoreUnavailable("down")

        async def grant_continuation(self, *_: Any, **__: Any) -> str:
            """Nobody answers."""
            raise StoreUnavailable("down")

    desk = Desk(Silent(), clock)
    with pytest.raises(StoreUnavailable):
        await desk.allow(pending=a_pending(), data_class=2)
    assert desk.upstream.calls == []


async def test_not_sent_is_not_unknown(desk: Desk) -> None:
    """Nothing left: the caller may try again."""
    desk.upstream.reply = UpstreamUnavailable("closed", code="upstream.not_sent")
    with pytest.raises(UpstreamUnavailable):
        await desk.allow()
    assert desk.page.replies == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(effect=Effect.UNKNOWN),
        Reply(effect=Effect.UNKNOWN, status=502),
        Reply(effect=Effect.UNKNOWN, error={"code": -32603, "message": "half-way"}, is_error=True),
        Reply(effect=Effect.UNKNOWN, error={"code": -32603, "message": ["x"]}, is_error=True),
        RuntimeError("a defect after the bytes left"),
        TokenRefused("a room's own error is no statement about the target"),
        OSError("reset"),
        RecursionError(),
        StoreUnavailable("somebody else's"),
    ],
    ids=repr,
)
async def test_what_is_not_known_is_called_unknown(desk: Desk, reply: Reply | BaseException) -> None:
    """Neither failed nor done, in the answer and in the record (invariant 4)."""
    desk.upstream.reply = reply
    answer = await desk.allow(data_class=2)
    assert isinstance(answer, Unknown)
    assert "Do not repeat it blindly" in answer.message
    assert answer.about.transaction_id == "t1"
    assert [one.effect for one in desk.page.replies] == [Effect.UNKNOWN]
    assert "defect" not in answer.message


async def test_an_unknown_outcome_says_what_the_target_said(desk: Desk) -> None:
    """Cut short: it is the target's text."""
    error = {"code": -32603, "message": "m" * 10_000}
    desk.upstream.reply = Reply(effect=Effect.UNKNOWN, error=error, is_error=True)
    answer = await desk.allow()
    assert isinstance(answer, Unknown)
    assert "The target said: mmm" in answer.message
    assert len(answer.message) < 600


async def test_our_own_adapters_unknown_keeps_its_words(desk: Desk) -> None:
    """PayPal's adapter says itself, in a result, that nobody knows; the record says so too."""
    desk.upstream.reply = Reply(effect=Effect.UNKNOWN, result=msgspec.Raw(b'{"content":[]}'), is_error=True)
    assert isinstance(await desk.allow(), Executed)
    assert [one.effect for one in desk.page.replies] == [Effect.UNKNOWN]


async def test_an_error_before_the_start_is_the_callers(desk: Desk) -> None:
    """The target refused the call's form: that passes on."""
    error = {"code": -32602, "message": "bad", "data": {"x": 1}}
    desk.upstream.reply = Reply(effect=Effect.REFUSED, error=error, is_error=True)
    answer = await desk.allow()
    assert isinstance(answer, Executed)
    assert (answer.error, answer.result) == (error, None)


async def test_a_hang_up_in_the_middle_passes_through(desk: Desk) -> None:
    """The audit entry makes it unknown; nothing here swallows it."""
    desk.upstream.reply = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await desk.allow()
    assert len(desk.upstream.calls) == 1


async def test_the_result_is_masked(desk: Desk) -> None:
    """As the policy says, structure and text."""
    document = {"payer": {"email": "x@y.example"}}
    text = {"type": "text", "text": msgspec.json.encode(document).decode()}
    desk.upstream.reply = done({"content": [text], "structuredContent": document})
    answer = await desk.allow(redact=("/payer/email",))
    assert isinstance(answer, Executed)
    assert answer.result is not None
    assert msgspec.json.decode(answer.result)["structuredContent"] == {"payer": {"email": MASK}}
    assert b"x@y.example" not in bytes(memoryview(answer.result))


@pytest.mark.parametrize(
    "raw", [b'{"structuredContent":' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"content":"\xff x@y.example"}']
)
async def test_what_cannot_be_read_is_masked_whole(desk: Desk, raw: bytes) -> None:
    """The money has moved, so there is an answer; but nothing in it that nobody looked at."""
    desk.upstream.reply = Reply(effect=Effect.EXECUTED, result=msgspec.Raw(raw))
    answer = await desk.allow(redact=("/payer/email",))
    assert isinstance(answer, Executed)
    assert answer.result is not None
    assert msgspec.json.decode(answer.result) == {"content": []}


async def test_an_error_loses_its_data_where_something_is_masked(desk: Desk) -> None:
    """It may repeat the members that are to be masked."""
    error = {"code": -32602, "message": "bad", "data": {"payer": {"email": "x@y.example"}}}
    desk.upstream.reply = Reply(effect=Effect.REFUSED, error=error, is_error=True)
    answer = await desk.allow(redact=("/payer/email",))
    assert isinstance(answer, Executed)
    assert answer.error == {"code": -32602, "message": "bad"}


async def test_a_tool_without_an_approval_is_the_policys_affair(desk: Desk) -> None:
    """No approval is no drift: whether that is enough, the policy has said."""
    assert isinstance(await desk.allow(an_asked(approval=None)), Executed)


class OnceBefore:
    """A journal that knows an equal call; what would be sent is not."""

    def __init__(self, earlier: Earlier) -> None:
        self._earlier = earlier

    async def carried(
        self,
        asked: Asked,
        decision: Allow,
        consent: Consent,
        send: Callable[[], Awaitable[Reply | Question]],
    ) -> Reply | Question | Earlier:
        """See ``Journal``."""
        return self._earlier


BEFORE = {
    "under way": Earlier(transaction_id="t0", outcome=None),
    "unknown": Earlier(transaction_id="t0", outcome=Effect.UNKNOWN),
    "executed, its result too large to keep": Earlier(transaction_id="t0", outcome=Effect.EXECUTED),
}


@pytest.mark.parametrize("before", BEFORE)
async def test_an_equal_call_that_came_first_answers(
    waiting: Waiting, clock: ManualClock, before: str
) -> None:
    """With its own transaction, and nothing is sent."""
    desk = Desk(waiting, clock, journal=OnceBefore(BEFORE[before]))
    answer = await desk.allow(data_class=2)
    assert isinstance(answer, Unknown)
    assert (answer.about.transaction_id, answer.about.duplicate_of) == ("t0", "t0")
    assert "not sent again" in answer.message
    assert (desk.upstream.calls, desk.page.replies) == ([], [])


async def test_the_result_of_an_equal_call_is_masked_for_this_caller(
    waiting: Waiting, clock: ManualClock
) -> None:
    """Whoever asked first may have been allowed to see more."""
    result = msgspec.Raw(b'{"structuredContent":{"payer":"Ada"},"content":[]}')
    earlier = Earlier(transaction_id="t0", outcome=Effect.EXECUTED, result=result)
    answer = await Desk(waiting, clock, journal=OnceBefore(earlier)).allow(redact=("/payer",))
    assert isinstance(answer, Executed)
    assert answer.result is not None
    assert msgspec.json.decode(answer.result)["structuredContent"] == {"payer": MASK}
    assert answer.about.duplicate_of == "t0"
