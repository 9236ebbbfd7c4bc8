"""Approve or refuse one waiting call: the pure half, and the half that writes.

A signature is for what was shown: the form carries the transaction id and the hash of the view, and both must still
be those of the waiting call at the instant it is written. Writing is compare-and-set; who loses a race looks again,
from the start. The audit knows before the store does: an approval that cannot be recorded is not given.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Literal, Protocol

import msgspec

from gateway.console.permission import Action, Permissions
from gateway.console.person import Person
from gateway.errors import StoreUnavailable
from gateway.outcome.pending import Pending, Status, Waiting
from gateway.outcome.people import same_name
from gateway.policy.decision import Reason
from gateway.policy.question import Confirmation

ATTEMPTS = 5
"""Lost races before giving up: a quorum has at most ten people, and they do not press in the same millisecond."""


class Verdict(StrEnum):
    """The buttons. ``revoke`` takes one's own approval back, until somebody has claimed the call to execute it."""

    APPROVE = "approve"
    REFUSE = "refuse"
    REVOKE = "revoke"


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What the person had before their eyes when they pressed."""

    transaction_id: str
    view_hash: str


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """It is written. ``pending`` is as it stands now."""

    pending: Pending


class Gone(msgspec.Struct, frozen=True):
    """Nothing of that name waits: unknown, expired, or carried out."""


class Changed(msgspec.Struct, frozen=True):
    """Something else waits now than what was shown, or it kept moving; nothing was written."""


class AlreadyRefused(msgspec.Struct, frozen=True):
    """Somebody said no before, and that is final."""

    by: str


class NotSigned(msgspec.Struct, frozen=True):
    """This person has no approval under this view that could be taken back."""


class Denied(msgspec.Struct, frozen=True):
    """The policy does not let this person."""

    reasons: tuple[Reason, ...]


Result = Recorded | Gone | Changed | AlreadyRefused | NotSigned | Denied

_CODES = {
    Gone: "console.gone",
    Changed: "console.changed",
    AlreadyRefused: "console.already_refused",
    NotSigned: "console.not_signed",
}

AuditOutcome = Literal["accepted", "denied", "rejected", "void", "unknown"]
"""``accepted`` is written BEFORE the store; ``void``: an accepted one was not stored after all; ``unknown``: the store
could not say; ``denied``: the policy said no; ``rejected``: what was shown is not what waits."""


class ConsoleAudit(Protocol):
    """Where decisions of people are recorded."""

    async def decided(
        self,
        *,
        person: Person,
        pending: Pending,
        verdict: Verdict,
        outcome: AuditOutcome,
        reasons: tuple[str, ...],
    ) -> None:
        """Return when the record is written. :raises AuditUnavailable: it is not; nothing will be stored."""
        ...


def objection(pending: Pending | None, shown: Shown, *, now: float) -> Gone | Changed | AlreadyRefused | None:
    """What the facts say against deciding this call, whoever decides."""
    if pending is None or now >= pending.expires_at:
        return Gone()
    if (shown.transaction_id, shown.view_hash) != (pending.transaction_id, pending.view.view_hash):
        return Changed()
    if pending.status is not Status.WAITING:
        return AlreadyRefused(pending.refused_by or "somebody")
    return None


def approved(pending: Pending, person: Person, *, at: int) -> Pending:
    """The call with this person's signature under its present view; an earlier one of theirs is replaced."""
    signature = Confirmation(
        by="human",
        who=person.subject,
        assurance=person.assurance,
        at=at,
        view_hash=pending.view.view_hash,
    )
    return msgspec.structs.replace(pending, confirmations=(*_of_others(pending, person), signature))


def revoked(pending: Pending, person: Person) -> Pending:
    """The call without this person's signature."""
    return msgspec.structs.replace(pending, confirmations=_of_others(pending, person))


def has_signed(pending: Pending, person: Person) -> bool:
    """Whether a signature of this person, however it was spelt, is under the present view."""
    return any(
        one.by == "human" and one.view_hash == pending.view.view_hash and same_name(one.who, person.subject)
        for one in pending.confirmations
    )


def refused(pending: Pending, person: Person) -> Pending:
    """The call with this person's no."""
    return msgspec.structs.replace(pending, status=Status.REFUSED, refused_by=person.subject)


def signers(pending: Pending) -> tuple[str, ...]:
    """Different people whose signature is under the present view, for showing; the policy does the counting."""
    return tuple(
        dict.fromkeys(
            one.who
            for one in pending.confirmations
            if one.by in pending.obligation.by and one.view_hash == pending.view.view_hash
        )
    )


def _of_others(pending: Pending, person: Person) -> tuple[Confirmation, ...]:
    return tuple(
        one for one in pending.confirmations if one.by != "human" or not same_name(one.who, person.subject)
    )


class Decisions:
    """Carries a press of a button out. Errors: ``StoreUnavailable``, ``AuditUnavailable`` (nothing was stored)."""

    def __init__(
        self, waiting: Waiting, permissions: Permissions, audit: ConsoleAudit, *, now: Callable[[], float]
    ) -> None:
        self._waiting = waiting
        self._permissions = permissions
        self._audit = audit
        self._now = now

    async def decide(self, person: Person, key: str, verdict: Verdict, shown: Shown) -> Result:
        """Approve, refuse or take back, if what waits under ``key`` is still what was shown.

        Against the executor a revocation is one compare-and-set against another (``Waiting.claim``): it wins, and the
        call is not executed with this signature, or it finds nothing any more.
        """
        accepted: Pending | None = None
        for _ in range(ATTEMPTS):
            pending = await self._waiting.find(key)
            no: Result | None = objection(pending, shown, now=self._now())
            if (
                no is None
                and pending is not None
                and verdict is Verdict.REVOKE
                and not has_signed(pending, person)
            ):
                no = NotSigned()
            if pending is None or no is not None:
                no = no or Gone()
                await self._not_stored(person, verdict, accepted, pending, "rejected", (_CODES[type(no)],))
                return no
            # To take an approval back is a no, and asks for what a no asks for.
            action = Action.CONFIRM if verdict is Verdict.APPROVE else Action.REFUSE
            permission = await self._permissions.may(person, action, pending)
            if not permission.allowed:
                await self._not_stored(person, verdict, accepted, pending, "denied", permission.codes)
                return Denied(permission.reasons)
            if accepted is None:
                await self._write(person, verdict, pending, "accepted", permission.codes)
                accepted = pending
            decided = self._decided(pending, person, verdict)
            if await self._replaced(person, verdict, pending, decided):
                return Recorded(pending=decided)
        await self._not_stored(person, verdict, accepted, None, "rejected", (_CODES[Changed],))
        return Changed()

    def _decided(self, pending: Pending, person: Person, verdict: Verdict) -> Pending:
        if verdict is Verdict.APPROVE:
            return approved(pending, person, at=int(self._now()))
        if verdict is Verdict.REVOKE:
            return revoked(pending, person)
        return refused(pending, person)

    async def _replaced(self, person: Person, verdict: Verdict, old: Pending, new: Pending) -> bool:
        try:
            return await self._waiting.replace(old, new)
        except StoreUnavailable as problem:
            await self._write(person, verdict, old, "unknown", (problem.code,))
            raise

    async def _not_stored(
        self,
        person: Person,
        verdict: Verdict,
        accepted: Pending | None,
        pending: Pending | None,
        outcome: Literal["denied", "rejected"],
        reasons: tuple[str, ...],
    ) -> None:
        """An accepted decision that was not stored is voided; one that was never accepted says why."""
        if accepted is not None:
            await self._write(person, verdict, accepted, "void", reasons)
        elif pending is not None:
            await self._write(person, verdict, pending, outcome, reasons)

    async def _write(
        self,
        person: Person,
        verdict: Verdict,
        pending: Pending,
        outcome: AuditOutcome,
        reasons: tuple[str, ...],
    ) -> None:
        await self._audit.decided(
            person=person, pending=pending, verdict=verdict, outcome=outcome, reasons=reasons
        )
