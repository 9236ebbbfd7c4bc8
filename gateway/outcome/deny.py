"""Deny: nothing is sent, and the caller learns why and what would help."""

from __future__ import annotations

from gateway.outcome.about import about
from gateway.outcome.answer import Refused
from gateway.policy.decision import Deny
from gateway.policy.question import Asked


def deny(asked: Asked, decision: Deny) -> Refused:
    """The refusal as a value."""
    return Refused(about=about(asked, decision, transaction_id=None))
