"""Confirm: the call waits until a second party has countersigned exactly what would be sent.

No connection is held for a person longer than a short, bounded wait; the standard client repeats by itself, at most
ten times, so each repeat is held open a little (DESIGN section 5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from gateway.door.call import Era
from gateway.outcome.about import about
from gateway.outcome.allow import as_before
from gateway.outcome.answer import Again, Executed, Refused, Unknown
from gateway.outcome.consent import Consent, binding_of, can_carry_token, view_of
from gateway.outcome.deadlines import Deadlines
from gateway.outcome.deny import refused_by, timed_out
from gateway.outcome.elicitation import fits_a_form
from gateway.outcome.journal import Earliers
from gateway.outcome.pending import Pending, Status, Waiting
from gateway.outcome.view import Before, View, with_before
from gateway.policy.decision import Confirm, ConfirmObligation, overruled
from gateway.policy.money import Money
from gateway.policy.question import Asked

TOKEN_TTL_S = 60
"""Life of the token that carries a waiting call: the host may be slow to repeat. What it stands for still needs
the second signature, so the longest life invariant 3 allows is safe here."""

MAX_ROUNDS = 8
"""Repeats in a row that a host is asked for while a person thinks. Hosts give up after ten with an error of their own,
and the person never learns where to go; after these, the answer is a plain result with the link."""


class Opened(Protocol):
    """Who hears that a call waits: the second agents, and whoever tells the people."""

    def opened(self, pending: Pending, arguments: Mapping[str, Any], money: Money | None) -> None:
        """A call was newly let wait, or its picture or what it takes changed. Returns at once, never raises."""


class Unheard:
    """Nobody is told; people look at the console by themselves."""

    def opened(self, pending: Pending, arguments: Mapping[str, Any], money: Money | None) -> None:
        """See :class:`Opened`."""


class Stands(Protocol):
    """Who looks what is at the target now: :class:`gateway.outcome.before.Standing`."""

    async def of(self, asked: Asked) -> Before | None:
        """Within a deadline of its own, never raises. None: there is nothing to look at."""
        ...


class Nothing:
    """Nobody looks."""

    async def of(self, asked: Asked) -> Before | None:
        """See :class:`Stands`."""
        del asked
        return None


class ConfirmOutcome:
    """Carries a :class:`~gateway.policy.decision.Confirm` out."""

    def __init__(
        self,
        waiting: Waiting,
        *,
        public_url: str,
        now: Callable[[], float],
        hold_s: float = 4.0,
        tell: Opened | None = None,
        deadlines: Deadlines | None = None,
        stands: Stands | None = None,
        earlier: Earliers | None = None,
    ) -> None:
        self._stands = stands or Nothing()
        self._earlier = earlier
        self._tell = tell or Unheard()
        self._waiting = waiting
        self._public_url = public_url.rstrip("/")
        self._now = now
        self._hold_s = hold_s
        self._deadlines = deadlines

    async def carry_out(
        self, asked: Asked, decision: Confirm, consent: Consent, *, has_output_schema: bool
    ) -> Again | Executed | Refused | Unknown:
        """Let the call wait, and tell the caller how to come back. Errors: ``StoreUnavailable``."""
        obligation = decision.obligations.confirm
        assert obligation is not None  # read_answer refuses a confirm without it
        authorizing = asked.call.era is Era.REST and asked.call.token is None
        if self._earlier is not None and consent.pending is None and not authorizing:
            # What would be answered with the first result when it is about to leave needs nobody's signature now.
            before = await self._earlier.answered(asked, decision)
            if before is not None:
                return as_before(before, asked, decision)
        try:
            view = _shown(asked, decision)
        except ValueError as problem:
            said = f"This call cannot be shown to an approver: {problem}."
            no = overruled(decision, "confirm.not_viewable", said, "Split it.")
            return Refused(about=about(asked, no, transaction_id=None))
        if consent.pending is None and self._deadlines is not None:
            ended = await self._deadlines.passed(binding_of(asked).key())
            if ended is not None:
                end = about(asked, timed_out(decision), transaction_id=ended.transaction_id)
                return Refused(about=end)
        pending = await self._opened(asked, decision, consent, obligation, view)
        carries = can_carry_token(asked)
        if carries and consent.pending == pending and not authorizing:
            # Held only while it stands as it was judged: who hears of it for the first time must learn where to go,
            # and what moved since then is judged anew at once. Who asks for a token only is given it.
            pending = await self._hold(pending)
        if pending.status is Status.REFUSED:
            no = refused_by(decision, pending.refused_by, pending.refusal)
            return Refused(about=about(asked, no, transaction_id=None))
        elicit = _way_to_ask(asked, obligation, pending.view)
        token = None
        if carries and (asked.call.era is Era.REST or consent.rounds < MAX_ROUNDS):
            token, _ = await self._waiting.grant(
                binding_of(asked),
                transaction_id=pending.transaction_id,
                revision=decision.revision,
                ttl_s=TOKEN_TTL_S,
                view_hash=pending.view.view_hash if elicit == "form" else None,
                rounds=consent.rounds + 1,
            )
        approve_url = f"{self._public_url}/console/pending/{pending.key}"
        return Again(
            about=about(
                asked,
                decision,
                transaction_id=pending.transaction_id,
                has_output_schema=has_output_schema,
            ),
            status="confirmation_required",
            message=(
                f"Not executed yet. {_second_party(obligation)} has to confirm this call at {approve_url} ; "
                "then repeat exactly the same call."
            ),
            token=token,
            expires_in_s=max(0, int(pending.expires_at - self._now())),
            view=pending.view,
            approve_url=approve_url,
            elicit=elicit,
        )

    async def _opened(
        self, asked: Asked, decision: Confirm, consent: Consent, obligation: ConfirmObligation, view: View
    ) -> Pending:
        known = consent.pending
        before = (
            known.view.before if known is not None and _same(view, known) else await self._stands.of(asked)
        )
        now = self._now()
        fresh = Pending(
            transaction_id=consent.transaction_id,
            binding=binding_of(asked),
            status=Status.WAITING,
            view=with_before(view, before),
            obligation=obligation,
            data_class=decision.data_class,
            tier=decision.tier,
            caller_issuer=asked.caller.issuer,
            caller_subject=asked.caller.subject,
            handshake_at=now,
            created_at=now,
            expires_at=now + obligation.ttl_seconds,
        )
        pending = await self._waiting.open(fresh)
        if pending is fresh and self._deadlines is not None:
            await self._deadlines.opened(fresh)
        if pending.status is not Status.WAITING:
            return pending  # somebody said no in the meantime, and nothing here may write over it
        renewed = pending
        if not _same(view, pending):
            # What would be sent reads differently now (a looked-up amount moved): old signatures are void.
            renewed = msgspec.structs.replace(fresh, transaction_id=pending.transaction_id)
        elif pending.obligation != obligation:
            # The policy asks for somebody else now; whether the old signatures still count is its own affair.
            renewed = msgspec.structs.replace(pending, obligation=obligation)
        if renewed is pending:
            if pending is fresh:
                self._tell.opened(fresh, asked.call.arguments, asked.money)
            return pending
        if await self._waiting.replace(pending, renewed):
            if self._deadlines is not None:
                await self._deadlines.opened(renewed)
            self._tell.opened(renewed, asked.call.arguments, asked.money)
            return renewed
        return await self._waiting.current(pending.key) or pending

    async def _hold(self, pending: Pending) -> Pending:
        """Wait a little for somebody to decide; the call as it stands then."""
        if self._hold_s > 0:
            await self._waiting.changes.other_than(pending.key, pending, within_s=self._hold_s)
        return await self._waiting.find(pending.key) or pending


def _same(view: View, pending: Pending) -> bool:
    """Whether what waits is this call, whatever was found at the target when it began to."""
    return with_before(view, pending.view.before).view_hash == pending.view.view_hash


def _shown(asked: Asked, decision: Confirm) -> View:
    """:raises ValueError: nobody could judge that picture."""
    reasons = tuple(f"{one.code}: {one.message}" for one in decision.reasons)
    return msgspec.structs.replace(view_of(asked), reasons=reasons)


def _second_party(obligation: ConfirmObligation) -> str:
    return "A confirmation agent" if set(obligation.by) == {"agent"} else "A person"


def _way_to_ask(asked: Asked, obligation: ConfirmObligation, view: View) -> str | None:
    """Only modes this request declared (mcp-elicitation MUST), and the form only where the policy accepts it, and only
    what it shows whole: else the token would stand for a picture that nobody was sent (invariant 8)."""
    modes = asked.call.client.can_elicit
    if "host" in obligation.by and "form" in modes and fits_a_form(view):
        return "form"
    return "url" if "url" in modes else None
