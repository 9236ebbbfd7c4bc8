"""Handshake: hand out a single-use token; the same call must come again with it.

Phase 1 of two. Nothing is sent, nothing is promised: phase 2 is judged afresh.
"""

from __future__ import annotations

from gateway.outcome.about import about
from gateway.outcome.answer import Again
from gateway.outcome.consent import Consent, binding_of, can_carry_token
from gateway.outcome.pending import Waiting
from gateway.policy.decision import Handshake, HandshakeObligation
from gateway.policy.question import Asked


class HandshakeOutcome:
    """Carries a :class:`~gateway.policy.decision.Handshake` out."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    async def carry_out(
        self, asked: Asked, decision: Handshake, consent: Consent, *, has_output_schema: bool
    ) -> Again:
        """Mint what phase 2 needs. Errors: ``StoreUnavailable``: then nothing was handed out."""
        ttl_s = (decision.obligations.handshake or HandshakeObligation()).ttl_seconds
        token: str | None = None
        if can_carry_token(asked):
            token, life = await self._waiting.grant(
                binding_of(asked),
                transaction_id=consent.transaction_id,
                revision=decision.revision,
                ttl_s=ttl_s,
            )
        else:
            life = await self._waiting.grant_repeat(
                binding_of(asked),
                transaction_id=consent.transaction_id,
                revision=decision.revision,
                ttl_s=ttl_s,
            )
        return Again(
            about=about(
                asked,
                decision,
                transaction_id=consent.transaction_id,
                has_output_schema=has_output_schema,
            ),
            status="handshake_required",
            message=_said(life, then_confirmed=decision.obligations.confirm is not None),
            token=token,
            expires_in_s=life,
        )


def _said(life_s: int, *, then_confirmed: bool) -> str:
    if then_confirmed:
        return (
            f"Not executed yet. Repeat exactly this call within {life_s} seconds; "
            "a person will then have to confirm it before it is carried out."
        )
    return f"Not executed yet. Repeat exactly this call within {life_s} seconds to carry it out."
