"""A no, as a value."""

from gateway.catalog.tool import SchemaVerdict
from gateway.outcome.deny import deny, refused_by, timed_out
from gateway.outcome.refusal import Refusal
from gateway.policy.decision import Deny, Outcome, denied
from tests.support.walking import an_asked


def test_a_refusal_says_why_and_starts_no_transaction() -> None:
    """The reasons are the policy's; nothing can be continued."""
    decision = denied("a.b", "No.", "Ask.")
    said = deny(an_asked(), decision)
    assert said.about.reasons == decision.reasons
    assert said.about.transaction_id is None


def test_a_refusal_says_which_arguments_do_not_fit() -> None:
    """Places and rules, as the catalog found them; a call that fits has none."""
    faults = ("/amount: violates properties/type",)
    misfit = an_asked(schema=SchemaVerdict(valid=False, errors=faults))
    assert deny(misfit, denied("a.b", "No.", "Ask.")).about.faults == faults
    assert deny(an_asked(), denied("a.b", "No.", "Ask.")).about.faults == ()


def test_a_persons_no_keeps_what_the_policy_knew() -> None:
    """The record still says which class it was, and which policy had judged it."""
    judged = Deny(reasons=(), data_class=2, tier="restricted", revision="r1", decision_id="d1", engine="opa")
    said = refused_by(judged, "bob")
    assert [one.code for one in said.reasons] == ["confirm.refused"]
    assert said.reasons[0].outcome is Outcome.DENY
    assert "bob" in said.reasons[0].message
    assert (said.data_class, said.tier, said.revision, said.decision_id) == (2, "restricted", "r1", "d1")


def test_a_no_that_no_person_gave_says_why() -> None:
    """An agent's reason, or that nobody answered, under its own code."""
    refusal = Refusal(code="confirm.no_answer", said="No agent answered.")
    (reason,) = refused_by(Deny(reasons=()), "nobody", refusal).reasons
    assert (reason.code, reason.message, reason.outcome) == (refusal.code, refusal.said, Outcome.DENY)


def test_the_end_of_the_time_is_a_no_of_its_own() -> None:
    """With what to do about it, and what the policy said about the call."""
    decision = timed_out(Deny(reasons=(), data_class=2, revision="r1"))
    [reason] = decision.reasons
    assert (reason.code, reason.outcome) == ("confirm.timed_out", "deny")
    assert "not executed" in reason.message
    assert "again" in reason.remedy
    assert (decision.data_class, decision.revision) == (2, "r1")
