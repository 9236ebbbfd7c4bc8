"""A deny that more scopes would turn -> HTTP 403 with a challenge (MCP basic/authorization, step-up). Pure."""

from __future__ import annotations

from gateway.door.passing import RECEIPT_META_KEY
from gateway.identity.challenge import Access, InsufficientScope
from gateway.outcome.answer import Answer, Refused
from gateway.policy.decision import Outcome

SCOPE_MISSING = "identity.scope_missing"


def step_up(answer: Answer, access: Access) -> InsufficientScope | None:
    """The refusal to raise instead of the answer, or None.

    Only where nothing but scopes stands in the way: a client that fetched a new token to be refused for another
    reason would ask its user for rights in vain. The scopes are all that the call needs, those that the token has
    included: a token for the missing one alone would lack the others.
    """
    if not isinstance(answer, Refused):
        return None
    forbids = {reason.code for reason in answer.about.reasons if reason.outcome is Outcome.DENY}
    if forbids != {SCOPE_MISSING}:
        return None
    missing = access.step_up(answer.issuer, answer.scopes)
    if missing is not None and answer.about.receipt is not None:
        missing.data[RECEIPT_META_KEY] = answer.about.receipt
    return missing
