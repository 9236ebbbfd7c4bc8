"""Only missing scopes become a 403."""

from __future__ import annotations

from gateway.door.step_up import step_up
from gateway.identity.challenge import Access
from gateway.outcome.answer import About, Refused
from gateway.policy.decision import Outcome, Reason

ISSUER = "https://a.example"
ACCESS = Access(names={ISSUER: None})


def refused(*codes: str, issuer: str = ISSUER) -> Refused:
    """A refusal for these reasons, and a milder one beside them."""
    reasons = [Reason(code=one, outcome=Outcome.DENY, message="m", remedy="r") for one in codes]
    mild = Reason(code="consent.handshake_required", outcome=Outcome.HANDSHAKE, message="m", remedy="r")
    about = About(call_id="1", tool="t", reasons=(*reasons, mild))
    return Refused(about=about, issuer=issuer, scopes=("read", "pay"))


def test_missing_scopes_alone_are_asked_for() -> None:
    """All that the call needs."""
    error = step_up(refused("identity.scope_missing"), ACCESS)
    assert error is not None
    assert (error.http_status, error.scopes) == (403, ("read", "pay"))


def test_another_reason_keeps_the_refusal_a_refusal() -> None:
    """A new token would be fetched in vain."""
    assert step_up(refused("identity.scope_missing", "catalog.unapproved"), ACCESS) is None
    assert step_up(refused("catalog.unapproved"), ACCESS) is None
    assert step_up(refused("identity.scope_missing", issuer="urn:countersign:static"), ACCESS) is None
