"""Counts calls against the budgets that the policy names, and tells the policy what they stand at.

The policy is asked first, without numbers: whoever may not make the call at all is refused there and holds nothing.
What it names in ``obligations.limits`` is reserved in one atomic step, which also tells the numbers; with them the
policy is asked again, and has the last word. One round trip to the store for each phase, none where no budget is named.

A first phase *holds* until what it handed out is over, plus a margin, and then lapses by itself. A call that is about
to be sent *commits* for the whole window: if this process dies now, money that left stays counted, and money that did
not leave is free again when the window is over, or when a recovery or a person says so (``releases.py``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from gateway.budget.account import Count, counts_of
from gateway.budget.booking import NOT_BOOKED, Booking, given_back
from gateway.errors import CountersignError
from gateway.outcome.consent import Consent
from gateway.policy.decision import (
    Allow,
    Confirm,
    Decision,
    Deny,
    Handshake,
    HandshakeObligation,
    LimitObligation,
    overruled,
)
from gateway.policy.question import Asked, ConsentFacts, Counted
from gateway.state.ledger import Extent, Ledger, Mode, Reserved

MARGIN_S = 5.0
"""A reservation outlives the token or the confirmation that it is for: never the other way round, or the last moment of
a token would find its money given to somebody else."""
EXCEEDED, NOT_COUNTED = "budget.exceeded", "budget.not_counted"


class Judge(Protocol):
    """The policy."""

    async def decide(
        self,
        asked: Asked,
        consent: ConsentFacts,
        counted: dict[str, Counted] | None = None,
        *,
        begun: bool = False,
    ) -> Decision:
        """May this call run, given what the budgets stand at? ``begun``: a later round of one. Never raises."""
        ...


class Budgets:
    """The walk's side of it. ``sends`` False: a house that carries nothing out, where even an *allow* only hands out a
    token. Errors: ``StoreUnavailable``; then nothing may go on."""

    def __init__(self, ledger: Ledger, policy: Judge, *, sends: bool = True) -> None:
        self._ledger = ledger
        self._policy = policy
        self._sends = sends

    def without_sending(self) -> Budgets:
        """The same for ``POST /authorize``."""
        return Budgets(self._ledger, self._policy, sends=False)

    async def booked(self, asked: Asked, decision: Decision, consent: Consent) -> tuple[Decision, Booking]:
        """The decision with the budgets counted, and what was reserved for it: to be entered around the carrying out.

        ``decision`` was made without numbers, and names limits. A deny gives back what an earlier phase holds.
        """
        limits, name = decision.obligations.limits, consent.transaction_id
        if isinstance(decision, Deny):
            if name != asked.call.call_id:
                await given_back(self._ledger, name, Extent.HELD)
            return decision, NOT_BOOKED
        counts = counts_of(asked, limits)
        if counts is None:
            return _refused(await self._again(asked, consent, {}), NOT_COUNTED), NOT_BOOKED
        booking, reserved = await self._reserve(asked, counts, decision, consent)
        try:
            judged = await self._again(asked, consent, _facts(counts, reserved))
        except BaseException:
            await booking.undo()
            raise
        if isinstance(judged, Deny) or not reserved.fits:
            await booking.undo()
            return _refused(judged, EXCEEDED), NOT_BOOKED
        if judged.revision != decision.revision or not _same(judged.obligations.limits, limits):
            # Another policy than the one that named what to count: what it would name was not reserved.
            await booking.undo()
            return _refused(judged, NOT_COUNTED), NOT_BOOKED
        if self._mode(judged, consent) is self._mode(decision, consent) and self._life(judged) == self._life(
            decision
        ):
            return judged, booking
        # The numbers changed what the policy asks for: it is reserved as that, or not at all.
        await booking.undo()
        booking, reserved = await self._reserve(asked, counts, judged, consent)
        if reserved.fits:
            return judged, booking
        await booking.undo()
        return _refused(judged, EXCEEDED), NOT_BOOKED

    async def _again(self, asked: Asked, consent: Consent, counted: dict[str, Counted]) -> Decision:
        begun = consent.continuation is not None
        return await self._policy.decide(asked, consent.facts, counted, begun=begun)

    async def _reserve(
        self, asked: Asked, counts: Sequence[Count], decision: Decision, consent: Consent
    ) -> tuple[Booking, Reserved]:
        mode, life = self._mode(decision, consent), self._life(decision)
        lines = [line for one in counts for line in one.lines(life)]
        booking = Booking(self._ledger, consent.transaction_id, mode)
        # A hold that a power cut undoes is made anew in the next phase, if it still fits; for the classes 1 to 3 the
        # journal, which is on the disk before anything leaves, puts on the disk what was written before it.
        durable = mode is not Mode.HOLD and decision.data_class not in (1, 2, 3)
        reserving = asyncio.ensure_future(
            self._ledger.reserve(consent.transaction_id, lines, mode=mode, durable=durable)
        )
        try:
            reserved = await asyncio.shield(reserving)
        except asyncio.CancelledError:
            # Attack: hang up at this moment, again and again, until nothing is left for the others.
            with suppress(CountersignError):
                if (await reserving).fits:
                    await booking.undo()
            raise
        if reserved.fits:
            return booking, reserved
        if consent.transaction_id == asked.call.call_id:
            return NOT_BOOKED, reserved
        return Booking(
            self._ledger, consent.transaction_id, Mode.HOLD
        ), reserved  # an earlier phase's, to be undone

    def _mode(self, decision: Decision, consent: Consent) -> Mode:
        if not isinstance(decision, Allow) or not self._sends:
            return Mode.HOLD
        return Mode.COMMIT if consent.continuation is None else Mode.RESUME

    def _life(self, decision: Decision) -> float | None:
        """Seconds that it is held; None: for the window."""
        obligations = decision.obligations
        match decision:
            case Handshake():
                return (obligations.handshake or HandshakeObligation()).ttl_seconds + MARGIN_S
            case Confirm():
                assert obligations.confirm is not None  # read_answer refuses a confirm without it
                return obligations.confirm.ttl_seconds + MARGIN_S
            case Allow() if not self._sends:
                return HandshakeObligation().ttl_seconds + MARGIN_S
            case _:
                return None


def _facts(counts: Sequence[Count], reserved: Reserved) -> dict[str, Counted]:
    facts, others = {}, list(reserved.others)
    for one in counts:
        facts[one.limit.budget] = one.counted(others[: len(one.accounts)])
        del others[: len(one.accounts)]
    return facts


def _same(one: Sequence[LimitObligation], other: Sequence[LimitObligation]) -> bool:
    return {limit.budget: limit for limit in one} == {limit.budget: limit for limit in other}


def uncounted(decision: Decision) -> Decision:
    """Where nothing counts: what a budget concerns is refused."""
    return _refused(decision, NOT_COUNTED)


def _refused(judged: Decision, code: str) -> Decision:
    """The policy's own no; a wall of the gateway's where the policy would let go what could not be reserved."""
    if isinstance(judged, Deny):
        return judged
    said, remedy = _SAID[code]
    return overruled(judged, code, said, remedy)


_SAID = {
    EXCEEDED: ("With this call a budget would be exceeded.", "Send less, or wait, or ask the operator."),
    NOT_COUNTED: (
        "This call could not be counted against a budget that concerns it.",
        "Make the call again.",
    ),
}
