"""Answers and refusals in the words of the guide."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.door.rest_answers import answered, refused
from gateway.errors import (
    CountersignError,
    Forbidden,
    HeaderMismatch,
    MalformedRequest,
    PolicyUnavailable,
    StoreUnavailable,
    TokenRefused,
    TooLarge,
    UnknownTool,
    UpstreamUnavailable,
)
from gateway.identity.errors import Code, CredentialRefused, IssuerUnavailable
from gateway.outcome.answer import About, Again, Executed, MoreInput, Refused
from gateway.policy.decision import Outcome, Reason
from gateway.upstream.target import Effect

ABOUT = About(call_id="c1", tool="pay", transaction_id="t1")


def read(answer: tuple[int, bytes]) -> tuple[int, dict[str, Any]]:
    """Status and document."""
    return answer[0], msgspec.json.decode(answer[1])


def a_no(*reasons: tuple[str, str], outcome: Outcome = Outcome.DENY) -> Refused:
    """A refusal for these codes and messages."""
    said = tuple(Reason(code=code, outcome=outcome, message=text, remedy="r") for code, text in reasons)
    return Refused(about=msgspec.structs.replace(ABOUT, reasons=said))


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (CredentialRefused(Code.TOKEN_EXPIRED), 401, {"error": "Invalid session"}),
        (CredentialRefused(Code.PROOF_MISSING), 401, {"error": "Invalid session"}),
        (TokenRefused("any words"), 403, {"error": "Invalid or expired token"}),
        (TokenRefused("any words", code="handshake.mismatch"), 403, {"error": "Transaction mismatch"}),
    ],
)
def test_the_bodies_of_the_guide(error: CountersignError, status: int, body: dict[str, str]) -> None:
    """And nothing beside them."""
    assert read(refused(error, call_id="c1")) == (status, body)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MalformedRequest("m"), 400),
        (HeaderMismatch("m"), 400),
        (TooLarge("m"), 413),
        (UnknownTool("m"), 400),
        (Forbidden("m"), 403),
        (StoreUnavailable("m"), 503),
        (PolicyUnavailable("m"), 503),
        (UpstreamUnavailable("m"), 503),
        (IssuerUnavailable(), 503),
        (TokenRefused("m", code="handshake.policy_changed"), 403),
        (TokenRefused("m", code="confirm.already_used"), 403),
        (TokenRefused("m", code="confirm.in_progress"), 409),
        (TokenRefused("m", code="confirm.too_many"), 429),
        (CountersignError("m"), 500),
    ],
)
def test_every_other_error_has_a_code_and_the_call(error: CountersignError, status: int) -> None:
    """So that the caller can branch, and the operator can find it."""
    assert read(refused(error, call_id="c1")) == (
        status,
        {"error": error.message, "code": error.code, "callId": "c1"},
    )


def test_several_reasons_are_all_told() -> None:
    """The first is the code; what does not forbid is left out."""
    answer = a_no(("a.one", "One."), ("b.two", "Two."))
    mild = Reason(code="c.three", outcome=Outcome.HANDSHAKE, message="Three.", remedy="r")
    reasons = (*answer.about.reasons, mild)
    answer = Refused(about=msgspec.structs.replace(answer.about, reasons=reasons, faults=("/a: required",)))
    status, body = read(answered(answer, "authorize", version="1"))
    assert (status, body["error"], body["code"]) == (403, "One. Two.", "a.one")
    assert [one["code"] for one in body["reasons"]] == ["a.one", "b.two"]
    assert body["faults"] == ["/a: required"]


@pytest.mark.parametrize("code", ["confirm.refused", "confirm.agent_refused"])
@pytest.mark.parametrize("said", ["too much", "Denied by confirmation agent: too much"])
def test_a_second_partys_no(code: str, said: str) -> None:
    """The guide's words, once."""
    body = {"error": "Denied by confirmation agent: too much"}
    assert read(answered(a_no((code, said)), "execute", version="1")) == (403, body)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("policy.timeout", 503),
        ("policy.undefined", 503),
        ("policy.question_too_large", 413),
        ("money.over_limit", 403),
        ("handshake.not_needed", 400),
    ],
)
def test_a_policy_that_was_not_heard_is_not_a_no(code: str, status: int) -> None:
    """Nothing is sent in either case; the one is worth another try."""
    assert answered(a_no((code, "m")), "authorize", version="1")[0] == status


def test_a_refusal_for_nothing_in_particular() -> None:
    """Still an error with a code."""
    status, body = read(answered(Refused(about=ABOUT), "execute", version="1"))
    assert (status, body["code"]) == (403, "call.refused")


def test_the_first_phase_says_two_things() -> None:
    """Also where the call waits for somebody already."""
    again = Again(
        about=ABOUT, status="confirmation_required", message="m", token="k", expires_in_s=9, approve_url="u"
    )
    assert read(answered(again, "authorize", version="1")) == (
        200,
        {"transactionId": "t1", "ephemeralToken": "k"},
    )
    status, body = read(answered(again, "execute", version="1"))
    assert status == 202
    assert body == {
        "status": "confirmation_required",
        "transactionId": "t1",
        "ephemeralToken": "k",
        "expiresInSeconds": 9,
        "approveUrl": "u",
    }


def test_a_question_of_the_target_is_answered_elsewhere() -> None:
    """202, and the token that leads back into the call."""
    more = MoreInput(about=ABOUT, result=msgspec.Raw(b"{}"), token="k")
    assert read(answered(more, "execute", version="1")) == (
        202,
        {"status": "input_required", "transactionId": "t1", "ephemeralToken": "k"},
    )


@pytest.mark.parametrize(
    ("result", "effect", "status"),
    [
        (b'{"content":[]}', Effect.EXECUTED, 200),
        (b'{"content":[],"isError":false}', Effect.EXECUTED, 200),
        (b'{"content":[],"isError":true}', Effect.EXECUTED, 400),
        (b'{"content":[]}', Effect.REFUSED, 400),
        (b'{"content":[],"isError":"yes"}', Effect.EXECUTED, 400),
    ],
)
def test_the_result_is_the_targets(result: bytes, effect: Effect, status: int) -> None:
    """Success is 200 and failure 400, with the same object; numbers keep their spelling."""
    answer = Executed(about=ABOUT, result=msgspec.Raw(result), effect=effect)
    assert answered(answer, "execute", version="1") == (status, result)


def test_a_warning_of_the_policy_stands_beside_the_result() -> None:
    """In ``_meta``, where upstreams cannot write it."""
    answer = Executed(about=ABOUT, result=msgspec.Raw(b'{"content":[]}'), warn=("soon",))
    assert read(answered(answer, "execute", version="1")) == (
        200,
        {"content": [], "_meta": {"dev.countersign/decision": {"warn": ["soon"], "call_id": "c1"}}},
    )


def test_an_error_without_words() -> None:
    """Nothing of a target's error but its message is passed on."""
    answer = Executed(about=ABOUT, result=None, error={"code": 1, "message": {"secret": 1}})
    status, body = read(answered(answer, "execute", version="1"))
    assert (status, body["error"], body["code"]) == (
        400,
        "The target answered with an error.",
        "upstream.error",
    )
