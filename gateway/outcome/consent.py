"""What has been countersigned for this very call: burns the token it presents, finds what waited for it.

A token is taken out of the store first and compared afterwards; whatever differs, it is gone (invariant 3). What
this module returns are facts for the policy. Only two things it decides itself, because no policy may decide them
otherwise: a token that does not fit is refused, and a person's *no* is final while the call would still wait.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

import msgspec

from gateway.door.call import Era
from gateway.errors import TokenRefused
from gateway.identity.caller import Caller
from gateway.outcome.deadlines import Deadlines
from gateway.outcome.elicitation import ELICITATION_KEY
from gateway.outcome.pending import Binding, Continuation, GrantedHandshake, Pending, Status, Waiting
from gateway.outcome.people import with_one_spelling
from gateway.outcome.refusal import Refusal
from gateway.outcome.view import View, render, with_before
from gateway.policy.question import Asked, Confirmation, ConsentFacts, HandshakeFacts


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """The consent of one call as far as it goes. ``transaction_id`` is fixed from the first phase on.

    ``rounds``: how often this host was told to come back for a confirmation, in one chain of repeats.
    ``timed_out``: nobody confirmed the call in time; its caller hears so now, and never again.
    """

    transaction_id: str
    facts: ConsentFacts = ConsentFacts()
    revision: str | None = None
    pending: Pending | None = None
    continuation: Continuation | None = None
    rounds: int = 0
    timed_out: bool = False

    @property
    def refused_by(self) -> str | None:
        """Who said no, if somebody did."""
        return self.pending.refused_by if self.pending and self.pending.status is Status.REFUSED else None

    @property
    def refusal(self) -> Refusal | None:
        """Why, where it was no person."""
        return self.pending.refusal if self.pending is not None else None


class Consents:
    """Reads consent. Errors: ``TokenRefused``, ``StoreUnavailable``."""

    def __init__(
        self, waiting: Waiting, *, now: Callable[[], float], deadlines: Deadlines | None = None
    ) -> None:
        self._waiting = waiting
        self._now = now
        self._deadlines = deadlines

    async def presented(self, asked: Asked) -> Consent:
        """The consent this call carries with it. Without a token: none, and the store is not asked.

        :raises TokenRefused: ``handshake.token_unknown`` (unknown, expired, used) or ``handshake.mismatch``.
        """
        token = asked.call.token
        if token is None:
            return Consent(transaction_id=asked.call.call_id)
        granted = await self._waiting.present(token)
        if granted is None:
            raise TokenRefused("Invalid or expired token", code="handshake.token_unknown")
        binding = binding_of(asked)
        if not _same(granted.binding, binding):
            raise TokenRefused("Transaction mismatch", code="handshake.mismatch")
        if granted.continuation is not None:
            return Consent(
                transaction_id=granted.transaction_id,
                facts=granted.continuation.facts,
                revision=granted.revision,
                continuation=granted.continuation,
            )
        return await self._with(binding, granted, asked)

    async def remembered(self, asked: Asked) -> Consent | None:
        """For a caller that presents no token: what an earlier identical call left waiting, or None.

        A repeated call stands for a token only where the dialect cannot carry one; a call that waits for a second
        party is found in every dialect, since the host may have given up its rounds before the person was done.
        """
        binding = binding_of(asked)
        granted = None if can_carry_token(asked) else await self._waiting.present_repeat(binding)
        consent = await self._with(binding, granted, asked)
        return consent if consent.facts.handshake.satisfied or consent.timed_out else None

    async def _with(self, binding: Binding, granted: GrantedHandshake | None, asked: Asked) -> Consent:
        pending = await self._waiting.current(binding.key())
        if pending is None and self._deadlines is not None and self._deadlines.knows(binding.key()):
            ended = await self._deadlines.passed(binding.key())
            if ended is not None:
                return Consent(transaction_id=ended.transaction_id, timed_out=True)
        if pending is not None:
            # What was found at the target when it began to wait is part of what was signed; it is not read anew.
            view_hash = with_before(view_of(asked), pending.view.before).view_hash
            pending = await self._host_answered(pending, granted, asked.call.input_responses)
            # The later one counts: a handshake made anew while the call waits is not as old as the first.
            since = max(pending.handshake_at, granted.granted_at if granted else pending.handshake_at)
            # A confirmation counts only for the picture its giver saw: if the amount that was looked up has moved
            # since, the hash differs and the signature is for something else (invariant 8).
            seen = (one for one in pending.confirmations if one.view_hash == view_hash)
            counted = with_one_spelling(seen, caller=asked.caller.subject)
            return Consent(
                transaction_id=pending.transaction_id,
                facts=ConsentFacts(handshake=self._done(since), confirmations=counted),
                revision=granted.revision if granted else None,
                pending=pending,
                rounds=granted.rounds if granted else 0,
            )
        if granted is not None:
            return Consent(
                transaction_id=granted.transaction_id,
                facts=ConsentFacts(handshake=self._done(granted.granted_at)),
                revision=granted.revision,
            )
        return Consent(transaction_id=asked.call.call_id)

    async def _host_answered(
        self, pending: Pending, granted: GrantedHandshake | None, responses: dict[str, Any]
    ) -> Pending:
        """An accepted elicitation inside the host: the weakest second signature, believed only with a fresh token
        that went out with the form, and only for the picture that form showed (invariant 8).

        Anything but an explicit accept with the flag set is *not confirmed*; it is never a human's no, since some
        hosts decline unseen.
        """
        if granted is None or granted.view_hash is None:
            return pending
        if "host" not in pending.obligation.by or pending.status is not Status.WAITING:
            return pending
        response = responses.get(ELICITATION_KEY)
        if not isinstance(response, dict) or response.get("action") != "accept":
            return pending
        content = response.get("content")
        if not isinstance(content, dict) or content.get("approve") is not True:
            return pending
        said = Confirmation(
            by="host",
            # Whoever sits at the host; all the gateway knows of that person is the caller's own name.
            who=pending.caller_subject,
            assurance="host",
            at=int(self._now()),
            view_hash=granted.view_hash,
        )
        others = tuple(one for one in pending.confirmations if one.by != "host")
        updated = msgspec.structs.replace(pending, confirmations=(*others, said))
        return updated if await self._waiting.replace(pending, updated) else pending

    def _done(self, since: float) -> HandshakeFacts:
        return HandshakeFacts(satisfied=True, age_s=max(0, int(self._now() - since)))


def binding_of(asked: Asked) -> Binding:
    """What a token or a confirmation of this very call is bound to."""
    return Binding(
        principal=asked.caller.principal,
        server=asked.call.server,
        tool=asked.call.tool,
        definition_hash=asked.tool.definition_hash,
        arguments_hash=asked.call.arguments_hash,
    )


def can_carry_token(asked: Asked) -> bool:
    """Whether the dialect of this very call brings a token back by itself (MRTR, or the REST handshake)."""
    return asked.call.era is Era.REST or asked.call.client.can_input_required


def view_of(asked: Asked) -> View:
    """The faithful picture of this call. :raises ValueError: too many values for a person to judge."""
    return render(
        server=asked.call.server,
        tool=asked.call.tool,
        arguments=asked.call.arguments,
        money=asked.money,
        asked_by=_asked_by(asked.caller),
        reasons=(),
    )


def _asked_by(caller: Caller) -> str:
    client = f", client {caller.client_id}" if caller.client_id else ""
    return f"{caller.subject} ({caller.issuer}){client}"


def _same(one: Binding, other: Binding) -> bool:
    """Constant-time over the whole binding: a mismatch does not tell which member differed (R024)."""
    return hmac.compare_digest(msgspec.json.encode(one), msgspec.json.encode(other))
