"""Every failure to hear an answer is deny, with the failure's own code."""

from typing import Any, Literal

import msgspec
import pytest

from gateway.door.call import Client
from gateway.errors import PolicyUnavailable
from gateway.policy.decision import Allow, Deny
from gateway.policy.engine import Entrypoint, Failure, unavailable
from gateway.policy.policy import MAX_QUESTION_BYTES, Policy
from gateway.policy.question import ConsentFacts, HandshakeFacts, Often, PassageFacts, Within
from gateway.policy.ramp import ramp_of
from tests.support.clock import ManualClock
from tests.support.walking import CALLER, ScriptedEngine, a_call, a_tool, an_answer, an_asked


class Health:
    """A word that a test sets."""

    def __init__(self) -> None:
        self.word: Literal["ok", "degraded"] = "ok"

    def state(self) -> Literal["ok", "degraded"]:
        """See ``Health.state``."""
        return self.word


class Candidate(msgspec.Struct, frozen=True):
    """A candidate beside the policy."""

    held: bool


class Desk:
    """A policy over an engine whose answers the test writes."""

    def __init__(self) -> None:
        self.engine = ScriptedEngine(lambda _: an_answer("allow"))
        self.health = Health()
        self.clock = ManualClock()
        self.policy = Policy(self.engine, paypal="sandbox", health=self.health, now=self.clock, usage=self)

    def often(self, asked: Any, *, begun: bool) -> Often:
        """See ``UsageFacts``: as often as the tool's name is long, and once less in a later round."""
        return Often(calls=Within(hour=len(asked.call.tool) - begun), failures=Within(day=1))

    async def codes(self, asked: Any = None) -> list[str]:
        """The reasons of the deny that this is."""
        decision = await self.policy.decide(asked or an_asked(), ConsentFacts())
        assert isinstance(decision, Deny)
        return [one.code for one in decision.reasons]


@pytest.fixture
def desk() -> Desk:
    """One per test."""
    return Desk()


async def test_an_answer_is_a_decision(desk: Desk) -> None:
    """With the engine's revision, its decision id and its name."""
    decision = await desk.policy.decide(
        an_asked(), ConsentFacts(handshake=HandshakeFacts(satisfied=True, age_s=1))
    )
    assert isinstance(decision, Allow)
    assert (decision.revision, decision.decision_id, decision.engine) == ("r1", "d1", "opa")
    assert desk.engine.questions[0]["consent"]["handshake"] == {"satisfied": True, "age_s": 1}


@pytest.mark.parametrize("failure", Failure)
async def test_every_failure_of_the_engine_is_deny(desk: Desk, failure: Failure) -> None:
    """Its code is the reason, so that the audit tells a timeout from a refused connection."""
    desk.engine.answering = lambda _: unavailable(failure, "internal words")
    assert await desk.codes() == [f"policy.{failure}"]


@pytest.mark.parametrize("answer", [None, b"", b"null", b'"allow"', b"\xff", b"[" * 9999])
async def test_no_usable_answer_is_deny(desk: Desk, answer: bytes | None) -> None:
    """Undefined, or in a form that nobody understands."""
    desk.engine.answering = lambda _: answer
    assert await desk.codes() == ["policy.undefined" if answer is None else "policy.malformed_answer"]


async def test_a_question_that_is_too_large_is_not_asked(desk: Desk) -> None:
    """Judging it would stall the others."""
    assert await desk.codes(an_asked(a_call(arguments={"a": "x" * MAX_QUESTION_BYTES}))) == [
        "policy.question_too_large"
    ]
    assert desk.engine.questions == []


DEEP: Any = []
for _ in range(5000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "hostile", [{"a": "\ud800"}, {"a": DEEP}, {"\ud800": 1}], ids=["text", "depth", "name"]
)
async def test_what_cannot_be_written_is_not_asked(desk: Desk, hostile: dict[str, Any]) -> None:
    """An upstream's annotations are hostile too."""
    assert await desk.codes(an_asked(tool=a_tool(annotations=hostile))) == ["policy.question"]
    assert desk.engine.questions == []


@pytest.mark.parametrize("word", ["ok", "degraded"])
async def test_the_policy_learns_where_and_when(desk: Desk, word: Literal["ok", "degraded"]) -> None:
    """Place, whole seconds, and whether the audit takes records."""
    desk.health.word, desk.clock.now = word, 1_795_224_000.7
    await desk.policy.decide(an_asked(), ConsentFacts())
    ramp = ramp_of(CALLER.issuer, CALLER.subject)
    env = {"paypal": "sandbox", "now": 1_795_224_000, "state": word, "ramp": ramp}
    assert desk.engine.questions[0]["env"] == env


async def test_the_policy_learns_how_often(desk: Desk) -> None:
    """What the counter says of this very call, and of a later round of it."""
    await desk.policy.decide(an_asked(), ConsentFacts())
    await desk.policy.decide(an_asked(), ConsentFacts(), begun=True)
    first, later = [question["usage"] for question in desk.engine.questions]
    assert first["calls"] == {"ten_minutes": 0, "hour": len("pay_bill"), "day": 0}
    assert later["calls"]["hour"] == len("pay_bill") - 1
    assert first["failures"] == {"ten_minutes": 0, "hour": 0, "day": 1}


@pytest.mark.parametrize(("held", "word"), [(True, "held"), (False, "ok")])
async def test_the_policy_learns_how_the_candidate_does(desk: Desk, held: bool, word: str) -> None:  # noqa: FBT001
    """In questions about tools; where there is no candidate nothing is said."""
    policy = Policy(
        desk.engine,
        paypal="sandbox",
        health=desk.health,
        now=desk.clock,
        usage=desk,
        shadow=Candidate(held=held),
    )
    await policy.decide(an_asked(), ConsentFacts())
    assert desk.engine.questions[0]["env"]["shadow"] == word
    assert policy.environment().shadow is policy.environment().ramp is msgspec.UNSET


async def test_another_entrypoint_is_asked_as_it_is(desk: Desk) -> None:
    """The document goes there and the answer comes back."""
    desk.engine.answering = lambda question: {"tools": question["tools"]}
    assert await desk.policy.ask(Entrypoint.LISTING, {"tools": {}}) == {"tools": {}}


@pytest.mark.parametrize("said", [None, unavailable(Failure.TIMEOUT, "late")])
async def test_another_entrypoint_without_an_answer_is_unavailable(
    desk: Desk, said: PolicyUnavailable | None
) -> None:
    """Its caller shows nothing."""
    desk.engine.answering = lambda _: said
    with pytest.raises(PolicyUnavailable):
        await desk.policy.ask(Entrypoint.LISTING, {})


# Requests that are no call -------------------------------------------------------------------------------------------

READING = PassageFacts(
    id="p1",
    time=1,
    server="docs",
    method="resources/read",
    target="note://one",
    protocol="2026-07-28",
    era="modern",
    client=Client(),
)


async def passed(desk: Desk, said: Any) -> Any:
    """What becomes of reading one resource, where the policy says that."""
    desk.engine.answering = lambda _: said
    return await desk.policy.passes(READING, CALLER)


async def test_a_yes_passes(desk: Desk) -> None:
    """And the question names the resource and who asks."""
    answer = {"outcome": "allow", "reasons": an_answer("allow")["reasons"]}
    assert isinstance(await passed(desk, answer), Allow)
    question = desk.engine.questions[0]
    assert (question["call"]["method"], question["call"]["target"]) == ("resources/read", "note://one")
    assert question["caller"]["subject"] == CALLER.subject
    assert question["env"]["state"] == "ok"


@pytest.mark.parametrize("failure", Failure)
async def test_nothing_passes_while_the_engine_fails(desk: Desk, failure: Failure) -> None:
    """Deny, with the failure's code."""
    decision = await passed(desk, unavailable(failure, "no"))
    assert isinstance(decision, Deny)
    assert decision.reasons[0].code == f"policy.{failure}"


@pytest.mark.parametrize(
    "said",
    [
        None,
        b"[]",
        {},
        {"outcome": "perhaps", "reasons": an_answer("allow")["reasons"]},
        {"outcome": "allow", "reasons": []},
        an_answer("handshake", obligations={"handshake": {"ttl_seconds": 30}}),
        an_answer("confirm"),
        an_answer("allow", obligations={"redact": ["/secret"]}),
        an_answer("allow", obligations={"warn": ["soon"]}),
    ],
    ids=repr,
)
async def test_what_is_no_plain_yes_does_not_pass(desk: Desk, said: Any) -> None:
    """Silence, nonsense, a yes under conditions that nobody would carry out here."""
    assert isinstance(await passed(desk, said), Deny)


async def test_a_target_that_cannot_be_written_does_not_pass(desk: Desk) -> None:
    """A lone surrogate is no text; and the engine is not asked."""
    facts = msgspec.structs.replace(READING, target="note://\ud800")
    assert isinstance(await desk.policy.passes(facts, CALLER), Deny)
    assert desk.engine.questions == []
