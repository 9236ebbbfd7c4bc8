"""What people, agents and hosts said about a waiting call, as records: their part of ``books.py``."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from gateway.audit.ledger import Audit
from gateway.audit.record import Phase, Status
from gateway.console.decide import AuditOutcome, Verdict
from gateway.console.person import Person
from gateway.outcome.in_band import Said
from gateway.outcome.pending import Pending
from gateway.policy.question import Asked

_CONSOLE: Mapping[AuditOutcome, tuple[str, Status]] = {
    "accepted": ("allow", Status.EXECUTED),
    "denied": ("deny", Status.REFUSED),
    "rejected": ("deny", Status.REFUSED),
    "void": ("error", Status.FAILED),
    "unknown": ("error", Status.UNKNOWN),
}

AGENT_ISSUER = "countersign:agent"
"""In place of an issuer, for a party that the settings name; no token can have it (issuers are https)."""


class SignatureBook:
    """Opens a page for each word about a call that waits."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def decided(
        self,
        *,
        person: Person,
        pending: Pending,
        verdict: Verdict,
        outcome: AuditOutcome,
        reasons: tuple[str, ...],
    ) -> None:
        """A person's decision at the console; on disk when this returns (``console.decide.ConsoleAudit``).

        :raises AuditUnavailable: then the decision does not stand.
        """
        await self._decided(
            pending, person.issuer, person.subject, outcome=outcome, reasons=(f"console.{verdict}", *reasons)
        )

    async def agent_decided(
        self,
        *,
        agent: str,
        pending: Pending,
        verdict: str,
        outcome: AuditOutcome,
        reasons: tuple[str, ...],
    ) -> None:
        """The same of a confirmation agent, by the operator's name for it (``agents.countersigning.AgentAudit``)."""
        await self._decided(
            pending, AGENT_ISSUER, agent, outcome=outcome, reasons=(f"agent.{verdict}", *reasons)
        )

    async def _decided(
        self, pending: Pending, issuer: str, subject: str, *, outcome: AuditOutcome, reasons: tuple[str, ...]
    ) -> None:
        async with self._audit.record(call_id=str(uuid.uuid4()), phase=Phase.CONFIRM) as entry:
            entry.caller(issuer=issuer, subject=subject, client_id=None)
            entry.transaction(pending.transaction_id)
            entry.tool(
                server=pending.binding.server,
                name=pending.binding.tool,
                definition_hash=pending.binding.definition_hash,
                arguments_hash=pending.binding.arguments_hash,
            )
            said, status = _CONSOLE[outcome]
            entry.decided(
                said,
                reasons=reasons,
                data_class=pending.data_class,
                tier=pending.tier,
            )
            entry.finished(status)
            await entry.before_upstream(durable=True)

    async def host_said(self, *, asked: Asked, transaction_id: str, said: Said) -> None:
        """What a host answered when it was asked inside its call (``outcome.in_band.HostAudit``); on disk when this
        returns. Only an accept is anybody's word; all else is *not confirmed*, and never a person's no.

        :raises AuditUnavailable: then the answer does not count.
        """
        call, caller = asked.call, asked.caller
        async with self._audit.record(call_id=call.call_id, phase=Phase.CONFIRM) as entry:
            entry.caller(issuer=caller.issuer, subject=caller.subject, client_id=caller.client_id)
            entry.transaction(transaction_id)
            entry.tool(
                server=call.server,
                name=call.tool,
                era=call.era,
                definition_hash=asked.tool.definition_hash,
                arguments_hash=call.arguments_hash,
            )
            entry.decided("allow" if said == "accepted" else "confirm", reasons=[f"host.{said}"])
            entry.finished(Status.EXECUTED if said == "accepted" else Status.WAITING)
            await entry.before_upstream(durable=True)

    async def timed_out(self, pending: Pending) -> None:
        """A call that nobody confirmed in time (``outcome.deadlines.TimedOut``). :raises AuditUnavailable:"""
        async with self._audit.record(call_id=str(uuid.uuid4()), phase=Phase.CONFIRM) as entry:
            entry.caller(issuer=pending.caller_issuer, subject=pending.caller_subject, client_id=None)
            entry.transaction(pending.transaction_id)
            entry.tool(
                server=pending.binding.server,
                name=pending.binding.tool,
                definition_hash=pending.binding.definition_hash,
                arguments_hash=pending.binding.arguments_hash,
            )
            entry.decided(
                "deny", reasons=["confirm.timed_out"], data_class=pending.data_class, tier=pending.tier
            )
            entry.finished(Status.REFUSED)
