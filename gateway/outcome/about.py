"""What every answer says about itself, from the facts and the decision. Pure."""

from __future__ import annotations

from gateway.outcome.answer import About
from gateway.outcome.reapproval import etdi_refusal
from gateway.policy.decision import Decision, Deny
from gateway.policy.question import Asked


def about(
    asked: Asked, decision: Decision, *, transaction_id: str | None, has_output_schema: bool = False
) -> About:
    """The part of an answer that is the same for all four outcomes."""
    return About(
        call_id=asked.call.call_id,
        tool=asked.call.tool,
        data_class=decision.data_class,
        tier=decision.tier,
        reasons=decision.reasons,
        transaction_id=transaction_id,
        error_result_only=has_output_schema,
        etdi=etdi_refusal(asked, decision.reasons) if isinstance(decision, Deny) else None,
    )
