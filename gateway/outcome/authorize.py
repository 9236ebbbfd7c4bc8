"""Allow, at a door that must not execute: ``POST /authorize`` of the REST handshake hands out a token or says no.

The house in which that door's first phase is judged has this in the place of ``allow.py``: whatever the policy answers
there, and whatever a person has signed meanwhile, there is nothing in that house that could send a call.
"""

from __future__ import annotations

from gateway.door.host import NOBODY, Host
from gateway.outcome.about import about
from gateway.outcome.allow import LEAST_SENSITIVE_DURABLE, Record
from gateway.outcome.answer import Again, Refused
from gateway.outcome.consent import Consent, binding_of
from gateway.outcome.pending import Waiting
from gateway.policy.decision import Allow, HandshakeObligation, overruled
from gateway.policy.question import Asked

NOT_NEEDED = "handshake.not_needed"


class AuthorizeOutcome:
    """Carries an :class:`~gateway.policy.decision.Allow` no further than to a token."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    async def carry_out(
        self,
        asked: Asked,
        decision: Allow,
        consent: Consent,
        record: Record,  # noqa: ARG002 - as ``AllowOutcome``; nothing is sent, so there is nothing to open
        host: Host = NOBODY,  # noqa: ARG002
    ) -> Again | Refused:
        """A token for the classes that the handshake is for (R017), and for a call that was confirmed meanwhile.

        The first are allowed here only by a policy that asks for no handshake where the shipped one does: a client that
        takes the two steps all the same is let take them. The second brings a client back whose own token ran out
        while a person was thinking.
        Errors: ``StoreUnavailable``: then nothing was handed out.
        """
        handshakes = decision.data_class is not None and decision.data_class <= LEAST_SENSITIVE_DURABLE
        if consent.pending is None and not handshakes:
            said = f"The tool {asked.call.tool} needs no handshake."
            no = overruled(decision, NOT_NEEDED, said, "Call it over MCP.")
            return Refused(about=about(asked, no, transaction_id=None))
        token, life = await self._waiting.grant(
            binding_of(asked),
            transaction_id=consent.transaction_id,
            revision=decision.revision,
            ttl_s=HandshakeObligation().ttl_seconds,
        )
        return Again(
            about=about(asked, decision, transaction_id=consent.transaction_id),
            status="handshake_required",
            message=f"Not executed. Execute exactly this call within {life} seconds.",
            token=token,
            expires_in_s=life,
        )
