"""Deny: nothing is sent, and the caller learns why and what would help."""

from __future__ import annotations

import msgspec

from gateway.outcome.about import about
from gateway.outcome.answer import Refused
from gateway.outcome.refusal import Refusal
from gateway.policy.decision import Decision, Deny, overruled
from gateway.policy.question import Asked


def deny(asked: Asked, decision: Deny) -> Refused:
    """The refusal as a value."""
    said = about(asked, decision, transaction_id=None)
    return Refused(
        about=msgspec.structs.replace(said, faults=asked.schema.errors),
        issuer=asked.caller.issuer,
        scopes=decision.obligations.scopes,
    )


def refused_by(decision: Decision, who: str | None, refusal: Refusal | None = None) -> Deny:
    """A *no* that is final whatever the policy would answer: a person's, or with ``refusal`` nobody's."""
    if refusal is not None:
        return overruled(decision, refusal.code, refusal.said, "Change the call, or ask the operator.")
    said = f"{who or 'Somebody'} refused this call."
    return overruled(decision, "confirm.refused", said, "Talk to them first.")


def timed_out(decision: Decision) -> Deny:
    """Not confirmed, or not fetched, in time, and silence is a no; the same call begins anew from here."""
    said = "The time to confirm this call is over; it was not executed, and no earlier confirmation counts."
    return overruled(decision, "confirm.timed_out", said, "Make the call again if it is still wanted.")
