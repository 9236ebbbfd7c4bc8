"""Answers as values -> results in the dialect of the request."""

from typing import Any

import msgspec
import pytest
from mcp_types import (
    CallToolResult,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    Implementation,
    InputRequiredResult,
    JSONRPCResponse,
)

from gateway.door.answers import result_of
from gateway.door.call import Era
from gateway.door.passing import DECISION_META_KEY
from gateway.door.protocol import META_SERVER
from gateway.outcome.answer import About, Again, Answer, Executed, Refused, Unknown
from gateway.outcome.elicitation import ELICITATION_KEY, MAX_FORM_LINES
from gateway.outcome.view import View, render
from gateway.policy.decision import Outcome, Reason
from gateway.policy.money import Money

REASON = Reason(code="money.over_limit", outcome=Outcome.DENY, message="Too much.", remedy="Ask for less.")
ERAS = [Era.MODERN, Era.LEGACY]


def about(*, shaped: bool = False) -> About:
    """What every answer says; ``shaped``: the tool has an output schema."""
    return About(
        call_id="call-1",
        tool="create_refund",
        data_class=2,
        tier="restricted",
        reasons=(REASON,),
        transaction_id="transaction-1",
        error_result_only=shaped,
    )


def view(**arguments: Any) -> View:
    """What an approver sees of these arguments."""
    return render(
        server="paypal",
        tool="create_refund",
        arguments=arguments or {"capture_id": "2GG279541U471931P"},
        money=Money(amount="12.00", currency="USD", payee="buyer@example.com", source="lookup"),
        asked_by="agent-one",
        reasons=(),
    )


def again(*, token: str | None = "t" * 64, shaped: bool = False, **members: Any) -> Again:
    """A call that has to come again."""
    return Again(
        about=about(shaped=shaped),
        status="confirmation_required",
        message="Not executed yet.",
        token=token,
        expires_in_s=60,
        **{
            "view": view(),
            "approve_url": "http://127.0.0.1:3000/console/pending/k",
            "elicit": None,
            **members,
        },
    )


def executed(result: Any, **members: Any) -> Executed:
    """An upstream's result, encoded as it would come."""
    raw = result if isinstance(result, bytes) else msgspec.json.encode(result)
    return Executed(about=about(), result=msgspec.Raw(raw), **members)


def sent(answer: Answer, era: Era) -> dict[str, Any]:
    """The result as the host gets it, valid by the types of MCP."""
    result = result_of(answer, era, version="1.2.3")
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "result": result})
    JSONRPCResponse.model_validate_json(body)
    decoded: dict[str, Any] = msgspec.json.decode(body)["result"]
    return decoded


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("shaped", [False, True])
@pytest.mark.parametrize(
    "kind",
    [
        lambda shaped: Refused(about=about(shaped=shaped)),
        lambda shaped: Unknown(about=about(shaped=shaped), message="The outcome is unknown."),
    ],
    ids=["refused", "unknown"],
)
def test_a_no_is_a_result_that_the_model_can_read(kind: Any, shaped: bool, era: Era) -> None:  # noqa: FBT001
    """``isError``, words, and the facts in ``_meta``; never structuredContent, which a host may hold against the
    tool's output schema."""
    result = sent(kind(shaped), era)
    read = CallToolResult.model_validate(result)
    assert read.is_error
    assert "structuredContent" not in result
    facts = result["_meta"][DECISION_META_KEY]
    assert facts["call_id"] == "call-1"
    assert facts["reasons"][0]["code"] == "money.over_limit"
    assert result.get("resultType") == ("complete" if era is Era.MODERN else None)
    assert (META_SERVER in result["_meta"]) == (era is Era.MODERN)


def test_a_refusal_says_why_and_what_would_help() -> None:
    """Code, message and remedy, and that nothing happened."""
    text = sent(Refused(about=about()), Era.LEGACY)["content"][0]["text"]
    for part in ("nothing was executed", "[money.over_limit]", "Too much.", "Ask for less."):
        assert part in text


def test_a_refusal_says_where_the_arguments_are_wrong() -> None:
    """In words for a model, and as a list for a program; a refusal for another reason has neither."""
    said = msgspec.structs.replace(about(), faults=("/page: violates properties/type",))
    result = sent(Refused(about=said), Era.MODERN)
    assert "/page: violates properties/type" in result["content"][0]["text"]
    assert result["_meta"][DECISION_META_KEY]["faults"] == ["/page: violates properties/type"]
    other = sent(Refused(about=about()), Era.MODERN)
    assert "faults" not in other["_meta"][DECISION_META_KEY]
    assert "Faults" not in other["content"][0]["text"]


def test_an_unknown_outcome_is_never_called_refused() -> None:
    """Invariant 4: the money may have moved."""
    result = sent(Unknown(about=about(), message="Look at the target first."), Era.MODERN)
    assert result["_meta"][DECISION_META_KEY]["status"] == "unknown"
    assert "efused" not in result["content"][0]["text"]


@pytest.mark.parametrize("shaped", [False, True])
def test_a_modern_host_repeats_the_call_with_the_token(shaped: bool) -> None:  # noqa: FBT001
    """MRTR: requestState alone, which a host repeats by itself; also for a tool with an output schema."""
    result = sent(again(shaped=shaped), Era.MODERN)
    read = InputRequiredResult.model_validate(result)
    assert read.request_state == "t" * 64
    assert read.input_requests is None
    assert "content" not in result
    assert Implementation.model_validate(result["_meta"][META_SERVER]).version == "1.2.3"
    facts = result["_meta"][DECISION_META_KEY]
    assert (facts["status"], facts["expires_in_s"]) == ("confirmation_required", 60)
    assert facts["approve_url"].endswith("/console/pending/k")


@pytest.mark.parametrize("elicit", ["form", "url", None])
def test_the_host_is_asked_in_the_declared_way_only(elicit: str | None) -> None:
    """One elicitation under our key, or none."""
    read = InputRequiredResult.model_validate(sent(again(elicit=elicit), Era.MODERN))
    requests = read.input_requests or {}
    assert set(requests) == ({ELICITATION_KEY} if elicit else set())
    if elicit:
        kind = ElicitRequestFormParams if elicit == "form" else ElicitRequestURLParams
        assert isinstance(requests[ELICITATION_KEY].params, kind)


def test_a_form_shows_everything_that_will_be_sent() -> None:
    """Tool, money, payee, asker and each argument, with a mark on what is not what it seems."""
    result = sent(again(elicit="form", view=view(note="pay\u202eeeyap", id="X1")), Era.MODERN)
    params = result["inputRequests"][ELICITATION_KEY]["params"]
    for part in (
        "create_refund",
        "12.00 USD",
        "buyer@example.com",
        "agent-one",
        "/id: X1",
        "<U+202E>",
        "look twice",
    ):
        assert part in params["message"]
    schema = params["requestedSchema"]
    assert schema["properties"]["approve"]["type"] == "boolean"
    assert schema["required"] == ["approve"]
    assert "default" not in schema["properties"]["approve"]


def test_a_form_that_could_not_show_all_of_it_is_not_offered() -> None:
    """What a person does not see they do not sign; the page with everything stays."""
    fits = view(**{f"k{n}": n for n in range(MAX_FORM_LINES)})
    too_long = view(**{f"k{n}": n for n in range(MAX_FORM_LINES + 1)})
    assert "inputRequests" in sent(again(elicit="form", view=fits), Era.MODERN)
    result = sent(again(elicit="form", view=too_long), Era.MODERN)
    assert "inputRequests" not in result
    assert result["_meta"][DECISION_META_KEY]["approve_url"]
    assert "inputRequests" in sent(again(elicit="url", view=too_long), Era.MODERN)


def test_a_url_that_a_person_opens_carries_no_token() -> None:
    """It is no way in: the page asks for a login (client/elicitation, phishing)."""
    params = sent(again(elicit="url"), Era.MODERN)["inputRequests"][ELICITATION_KEY]["params"]
    assert params["url"] == "http://127.0.0.1:3000/console/pending/k"
    assert "t" * 64 not in msgspec.json.encode(params).decode()


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("shaped", [False, True])
def test_a_host_that_cannot_repeat_is_told_to(era: Era, shaped: bool) -> None:  # noqa: FBT001
    """Without a token: a plain result; an error where the tool's output schema allows nothing else."""
    result = sent(again(token=None, shaped=shaped), era)
    read = CallToolResult.model_validate(result)
    assert bool(read.is_error) == shaped
    assert ("structuredContent" in result) == (not shaped)
    assert result["_meta"][DECISION_META_KEY]["status"] == "confirmation_required"


def test_a_legacy_host_never_gets_a_token() -> None:
    """It would show it to the model, and the model is who must not confirm."""
    assert "t" * 64 not in msgspec.json.encode(sent(again(elicit="form"), Era.LEGACY)).decode()


@pytest.mark.parametrize("era", ERAS)
def test_a_warning_rides_along(era: Era) -> None:
    """In ``_meta``, under our key, beside what the upstream said."""
    result = sent(executed({"content": [], "_meta": {"a": 1}}, warn=("Soon this will be denied.",)), era)
    facts = result["_meta"][DECISION_META_KEY]
    assert facts["warn"] == ["Soon this will be denied."]
    assert facts["transaction_id"] == "transaction-1"
    assert result["_meta"]["a"] == 1


@pytest.mark.parametrize("era", ERAS)
def test_a_call_that_was_not_sent_again_says_so(era: Era) -> None:
    """With the first one's result, or with the doubt about it; other answers have no such member."""
    first = msgspec.structs.replace(about(), duplicate_of="transaction-0")
    done = Executed(about=first, result=msgspec.Raw(b'{"content":[]}'))
    for answer in (done, Unknown(about=first, message="m")):
        facts = sent(answer, era)["_meta"][DECISION_META_KEY]
        assert facts["duplicate_of"] == "transaction-0"
    other = sent(Unknown(about=about(), message="m"), era)
    assert "duplicate_of" not in other["_meta"][DECISION_META_KEY]
