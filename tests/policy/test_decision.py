"""What is not understood is deny: whatever bytes come from the engine."""

import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.decision import (
    MAX_ANSWER_BYTES,
    MAX_CONFIRM_TTL_S,
    MAX_TOKEN_TTL_S,
    Allow,
    Confirm,
    Decision,
    Deny,
    Handshake,
    Obligations,
    Outcome,
    denied,
    outcome_of,
    overruled,
    read_answer,
)
from gateway.policy.embedded import Embedded
from gateway.policy.engine import Entrypoint
from tests.support.policy_cases import load_cases
from tests.support.walking import a_reason, an_answer

PACK = Path(__file__).parents[2] / "policies" / "gateway"
KINDS = {"allow": Allow, "handshake": Handshake, "confirm": Confirm, "deny": Deny}
OUTCOMES = tuple(KINDS)


def read(answer: Any) -> Decision:
    """The decision of an answer, given as a document or as bytes."""
    encoded = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
    return read_answer(encoded, revision="r1", decision_id="d1", engine="opa")


def codes(decision: Decision) -> list[str]:
    """The codes of its reasons."""
    return [one.code for one in decision.reasons]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_answer_has_its_decision(outcome: str) -> None:
    """With everything the policy said, and who said it."""
    decision = read(an_answer(outcome, data_class=3, tier="confidential", phase="enforcement"))
    assert isinstance(decision, KINDS[outcome])
    assert outcome_of(decision) == outcome
    assert (decision.data_class, decision.tier, decision.phase) == (3, "confidential", "enforcement")
    assert (decision.revision, decision.decision_id, decision.engine) == ("r1", "d1", "opa")


def test_what_is_left_out_has_its_default() -> None:
    """Only outcome and reasons must be there; 30 seconds, one of them, by a link, not by the caller."""
    decision = read({"outcome": "allow", "reasons": [a_reason("allow")]})
    assert isinstance(decision, Allow)
    assert (decision.data_class, decision.would_be, decision.obligations.redact) == (None, None, ())
    waiting = read(an_answer("confirm"))
    wanted = waiting.obligations.confirm
    assert wanted is not None
    assert (wanted.quorum, wanted.min_assurance, wanted.separation_of_duties) == (1, "link", True)


def test_undefined_is_deny() -> None:
    """The rule gave nothing."""
    decision = read_answer(None, revision="r1", decision_id=None, engine="opa")
    assert isinstance(decision, Deny)
    assert codes(decision) == ["policy.undefined"]
    assert decision.revision == "r1"


CONFIRM: dict[str, Any] = {"by": ["human"]}
REFUSED: dict[str, Any] = {
    "null": None,
    "true": True,
    "a word": "allow",
    "a list": [an_answer("allow")],
    "nothing": {},
    "no reasons": {"outcome": "allow"},
    "no outcome": {"reasons": [a_reason("allow")]},
    "empty reasons": an_answer("allow", reasons=[]),
    "too many reasons": an_answer("allow", reasons=[a_reason("allow")] * 65),
    "reasons as an object": an_answer("allow", reasons={"0": a_reason("allow")}),
    "an unknown outcome": {**an_answer("allow"), "outcome": "denny"},
    "an outcome in capitals": {**an_answer("allow"), "outcome": "ALLOW"},
    "an outcome with a blank": {**an_answer("allow"), "outcome": "allow "},
    "an empty outcome": {**an_answer("allow"), "outcome": ""},
    "no word as outcome": {**an_answer("allow"), "outcome": None},
    "two outcomes": {**an_answer("allow"), "outcome": ["allow"]},
    "true as outcome": {**an_answer("allow"), "outcome": True},
    "a rank as outcome": {**an_answer("allow"), "outcome": 3},
    "an unknown member": an_answer("allow", allowed=True),
    "a reason with an unknown outcome": an_answer("allow", reasons=[a_reason("permit")]),
    "a reason without an outcome": an_answer("allow", reasons=[{"code": "a.b", "message": "", "remedy": ""}]),
    "a reason without a code": an_answer("allow", reasons=[{**a_reason("allow"), "code": None}]),
    "a reason with a newline in its code": an_answer("allow", reasons=[a_reason("allow", "a.b\n")]),
    "a reason with a sentence as code": an_answer("allow", reasons=[a_reason("allow", "It is fine.")]),
    "a reason with a long code": an_answer("allow", reasons=[a_reason("allow", "a." + "b" * 63)]),
    "a reason with more": an_answer("allow", reasons=[{**a_reason("allow"), "extra": 1}]),
    "class 0": an_answer("allow", data_class=0),
    "class 6": an_answer("allow", data_class=6),
    "a class as text": an_answer("allow", data_class="4"),
    "a class as true": an_answer("allow", data_class=True),
    "a class in halves": an_answer("allow", data_class=4.5),
    "a tier that is none": an_answer("allow", tier=4),
    "a would-be that is none": an_answer("allow", would_be="maybe"),
    "obligations that are none": an_answer("allow", obligations=None),
    "an unknown obligation": an_answer("allow", obligations={"notify": True}),
    "confirm without an obligation": an_answer("confirm", obligations={}),
    "confirm by nobody": an_answer("confirm", obligations={"confirm": {"by": []}}),
    "confirm by somebody unheard of": an_answer("confirm", obligations={"confirm": {"by": ["anyone"]}}),
    "confirm by a text": an_answer("confirm", obligations={"confirm": {"by": "human"}}),
    "confirm without by": an_answer("confirm", obligations={"confirm": {"quorum": 1}}),
    "confirm by none of them": an_answer("confirm", obligations={"confirm": {**CONFIRM, "quorum": 0}}),
    "confirm by eleven": an_answer("confirm", obligations={"confirm": {**CONFIRM, "quorum": 11}}),
    "confirm for ever": an_answer(
        "confirm", obligations={"confirm": {**CONFIRM, "ttl_seconds": MAX_CONFIRM_TTL_S + 1}}
    ),
    "confirm for no time": an_answer("confirm", obligations={"confirm": {**CONFIRM, "ttl_seconds": 0}}),
    "confirm with more": an_answer("confirm", obligations={"confirm": {**CONFIRM, "unless": "urgent"}}),
    "confirm by oneself, perhaps": an_answer(
        "confirm", obligations={"confirm": {**CONFIRM, "separation_of_duties": "no"}}
    ),
    "a token for ever": an_answer(
        "handshake", obligations={"handshake": {"ttl_seconds": MAX_TOKEN_TTL_S + 1}}
    ),
    "a token for no time": an_answer("handshake", obligations={"handshake": {"ttl_seconds": 0}}),
    "allow that wants a confirmation": an_answer("allow", obligations={"confirm": CONFIRM}),
    "allow that wants a handshake": an_answer("allow", obligations={"handshake": {}}),
    "redact without a slash": an_answer("allow", obligations={"redact": ["payer/email"]}),
    "redact with a loose tilde": an_answer("allow", obligations={"redact": ["/payer~email"]}),
    "redact everything, as a text": an_answer("allow", obligations={"redact": "/payer"}),
    "redact null": an_answer("allow", obligations={"redact": [None]}),
    "redact a thousand and one": an_answer("allow", obligations={"redact": ["/a"] * 1001}),
    "warn of a number": an_answer("allow", obligations={"warn": [1]}),
}


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
def test_a_malformed_answer_is_deny(answer: Any) -> None:
    """Every one of these is nearly an answer."""
    decision = read(answer)
    assert isinstance(decision, Deny)
    assert codes(decision) == ["policy.malformed_answer"]
    assert decision.revision == "r1"


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("reason", OUTCOMES)
def test_nothing_is_milder_than_its_strictest_reason(outcome: str, reason: str) -> None:
    """The policy's combining rule is checked; an outcome stricter than its reasons stands."""
    order = ["deny", "handshake", "confirm", "allow"]
    decision = read(an_answer(outcome, reasons=[a_reason("allow"), a_reason(reason)]))
    fits = order.index(outcome) <= order.index(reason)
    assert (codes(decision) == ["test.reason", "test.reason"]) is fits
    assert isinstance(decision, KINDS[outcome] if fits else Deny)


BROKEN = [
    b"",
    b" ",
    b"allow",
    b"{",
    b"\xff",
    b'{"outcome":"allow","reasons":[{"code":"a.b","outcome":"allow","message":"\xff","remedy":""}]}',
    b'{"outcome":"allow","reasons":[{"code":"a.b","outcome":"allow","message":"\\ud800","remedy":""}]}',
    b"[" * 100_000,
    b'{"outcome":' * 20_000,
    b'{"reasons":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    msgspec.json.encode(an_answer("allow")) + b"x",
    msgspec.json.encode(an_answer("allow")) * 2,
    b"\xef\xbb\xbf" + msgspec.json.encode(an_answer("allow")),
]


@pytest.mark.parametrize("raw", BROKEN, ids=lambda raw: repr(raw[:20]))
def test_broken_bytes_are_deny(raw: bytes) -> None:
    """No bytes whatever raise."""
    assert codes(read(raw)) == ["policy.malformed_answer"]


def test_a_huge_answer_is_deny() -> None:
    """However well-formed; and one that just fits is read."""
    answer = an_answer("allow", obligations={"warn": [""]})
    room = MAX_ANSWER_BYTES - len(msgspec.json.encode(answer))
    answer["obligations"]["warn"] = ["w" * room]
    assert isinstance(read(answer), Allow)
    answer["obligations"]["warn"] = ["w" * (room + 1)]
    assert isinstance(read(answer), Deny)


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_bytes_are_anything_but_deny(raw: bytes) -> None:
    """Unless they are a well-formed answer, and no sixty bytes are."""
    assert isinstance(read(raw), Deny)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_an_answer_that_was_cut_or_altered_never_grows_milder(data: st.DataObject) -> None:
    """One byte changed, or the end missing: either the same decision with another text in it, or deny."""
    outcome = data.draw(st.sampled_from(["handshake", "confirm", "deny"]))
    raw = bytearray(msgspec.json.encode(an_answer(outcome)))
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    else:
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(read(bytes(raw)), KINDS[outcome] | Deny)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["allow", "deny", "human", "a.b", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["outcome", "reasons", "code", "by", "confirm", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def _are_obligations(value: Any) -> bool:
    try:
        msgspec.convert(value, Obligations)
    except msgspec.ValidationError:
        return False
    return True


@given(st.sampled_from([*an_answer("allow"), "extra"]), JSON)
@settings(max_examples=200, deadline=None)
def test_allow_needs_every_member_in_order(member: str, value: Any) -> None:
    """One member replaced by anything: allow only where that anything is a proper value of it."""
    answer = copy.deepcopy(an_answer("allow"))
    answer[member] = value
    proper = {
        "outcome": value == "allow",
        "data_class": value is None or (type(value) is int and 1 <= value <= 5),
        "tier": value is None or isinstance(value, str),
        "phase": value is None or isinstance(value, str),
        "would_be": value in (None, *Outcome),
        "obligations": _are_obligations(value),
    }
    assert isinstance(read(answer), Allow) == proper.get(member, False)


def test_a_deny_of_our_own() -> None:
    """One reason, one code, the policy's revision where it is known."""
    decision = denied("a.b", "m", "r", revision="r1")
    assert (codes(decision), decision.revision, decision.data_class) == (["a.b"], "r1", None)
    assert decision.reasons[0].outcome is Outcome.DENY


def test_an_overruled_decision_keeps_its_facts() -> None:
    """Class, tier, phase and who had judged; the reasons and obligations go."""
    allowed = read(an_answer("allow", data_class=2, tier="restricted", obligations={"warn": ["w"]}))
    decision = overruled(allowed, "a.b", "m", "r")
    assert codes(decision) == ["a.b"]
    assert (decision.data_class, decision.tier, decision.phase) == (2, "restricted", "enforcement")
    assert (decision.revision, decision.decision_id, decision.engine) == ("r1", "d1", "opa")
    assert decision.obligations.warn == ()


@pytest.fixture(scope="module")
async def pack() -> AsyncIterator[Embedded]:
    """The policies that ship, in the embedded engine."""
    engine = await Embedded.load(PACK, deadline_s=30)
    yield engine
    await engine.aclose()


async def test_every_answer_of_the_pack_is_understood(pack: Embedded) -> None:
    """The contract with Rego: of all cases of the default policy none is malformed, and every outcome comes up."""
    seen = set()
    for case in load_cases():
        if case.entrypoint != "decision" or case.policy.overlay or case.policy.data or case.policy.without:
            continue
        evaluation = await pack.evaluate(Entrypoint.DECISION, msgspec.json.encode(case.question))
        decision = read_answer(evaluation.result, revision="r", decision_id=None, engine="embedded")
        assert "policy.malformed_answer" not in codes(decision), case.name
        seen.add(outcome_of(decision))
    assert seen == set(Outcome)
