"""Writes what an agent said into the waiting call, as the console writes what a person said.

A confirmation is for what was shown: the transaction and the view must still be those of the waiting call at the
instant it is written. Writing is compare-and-set; the audit knows before the store does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, Protocol

import msgspec

from gateway.agents.said import Decision, Failure, Said
from gateway.console.decide import AuditOutcome
from gateway.errors import StoreUnavailable
from gateway.outcome.pending import Pending, Status, Waiting
from gateway.outcome.refusal import Refusal
from gateway.policy.question import Confirmation

ATTEMPTS: Final = 5
"""Lost races before giving up: a call has a handful of second parties."""
ASSURANCE: Final = "agent"
AGAIN_AFTER_S: Final = 60.0
"""Seconds that a call stays refused for want of an answer. Nobody said no: what was down may be up again by then."""
NOBODY: Final = "the gateway"
"""In place of an agent, where none confirmed; no agent can be called so."""
REFUSED, NO_ANSWER = "confirm.refused", "confirm.no_answer"

Verdict = Literal["approve", "refuse", "no_answer"]


class AgentAudit(Protocol):
    """Where decisions of agents are recorded."""

    async def agent_decided(
        self,
        *,
        agent: str,
        pending: Pending,
        verdict: Verdict,
        outcome: AuditOutcome,
        reasons: tuple[str, ...],
    ) -> None:
        """Return when the record is written. :raises AuditUnavailable: it is not; nothing will be stored."""
        ...


class Countersigning:
    """Errors: ``StoreUnavailable``, ``AuditUnavailable`` (nothing was stored)."""

    def __init__(self, waiting: Waiting, audit: AgentAudit, *, now: Callable[[], float]) -> None:
        self._waiting = waiting
        self._audit = audit
        self._now = now

    async def said(self, agent: str, said: Said, shown: Pending) -> bool:
        """An agent's yes or no to what it was shown. False: something else stands there now, nothing was written."""
        if said.decision is Decision.REFUSE:
            refusal = Refusal(code=REFUSED, said=f"Denied by confirmation agent: {said.reason}")
            return await self._written(
                agent, "refuse", shown, lambda pending: _refused(pending, agent, refusal)
            )

        def confirmed(pending: Pending) -> Pending:
            return _approved(pending, agent, at=int(self._now()))

        return await self._written(agent, "approve", shown, confirmed)

    async def silent(self, agent: str, failure: Failure, shown: Pending) -> None:
        """No answer: nothing changes, the record tells."""
        await self._record(agent, "no_answer", shown, "rejected", f"agent.{failure.value}")

    async def unconfirmed(self, shown: Pending) -> bool:
        """All agents were asked, and nobody else may confirm: refused, for a short while, unless it is enough."""
        refusal = Refusal(
            code=NO_ANSWER,
            said="No confirmation agent confirmed this call in time, and nobody else may. It was not carried out.",
        )

        def ended(pending: Pending) -> Pending | None:
            if (
                set(pending.obligation.by) != {"agent"}
                or len(agents_of(pending)) >= pending.obligation.quorum
            ):
                return None
            ends = min(pending.expires_at, self._now() + AGAIN_AFTER_S)
            return msgspec.structs.replace(_refused(pending, NOBODY, refusal), expires_at=ends)

        return await self._written(NOBODY, "refuse", shown, ended, NO_ANSWER)

    async def _written(
        self,
        agent: str,
        verdict: Verdict,
        shown: Pending,
        change: Callable[[Pending], Pending | None],
        *reasons: str,
    ) -> bool:
        accepted = False
        for _ in range(ATTEMPTS):
            pending = await self._waiting.current(shown.key)
            changed = None if pending is None or not _still(pending, shown) else change(pending)
            if pending is None or changed is None:
                break
            if not accepted:
                await self._record(agent, verdict, shown, "accepted", *reasons)
                accepted = True
            try:
                if await self._waiting.replace(pending, changed):
                    return True
            except StoreUnavailable as problem:
                await self._record(agent, verdict, shown, "unknown", problem.code)
                raise
        if accepted:
            await self._record(agent, verdict, shown, "void", "agent.changed")
        elif agent != NOBODY:
            await self._record(agent, verdict, shown, "rejected", "agent.changed")
        return False

    async def _record(
        self, agent: str, verdict: Verdict, pending: Pending, outcome: AuditOutcome, *reasons: str
    ) -> None:
        await self._audit.agent_decided(
            agent=agent, pending=pending, verdict=verdict, outcome=outcome, reasons=reasons
        )


def agents_of(pending: Pending) -> frozenset[str]:
    """The different agents whose confirmation is for the present view."""
    view_hash = pending.view.view_hash
    return frozenset(
        one.who for one in pending.confirmations if one.by == "agent" and one.view_hash == view_hash
    )


def _still(pending: Pending, shown: Pending) -> bool:
    """Whether what was shown is what waits. A refusal that came first stays where it is."""
    return (
        pending.status is Status.WAITING
        and pending.transaction_id == shown.transaction_id
        and pending.view.view_hash == shown.view.view_hash
    )


def _approved(pending: Pending, agent: str, *, at: int) -> Pending:
    given = Confirmation(by="agent", who=agent, assurance=ASSURANCE, at=at, view_hash=pending.view.view_hash)
    others = tuple(one for one in pending.confirmations if (one.by, one.who) != ("agent", agent))
    return msgspec.structs.replace(pending, confirmations=(*others, given))


def _refused(pending: Pending, who: str, refusal: Refusal) -> Pending:
    return msgspec.structs.replace(pending, status=Status.REFUSED, refused_by=who, refusal=refusal)
