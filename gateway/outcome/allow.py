"""Allow: send it, once. The only module of this room that reaches the upstream.

Before the call leaves, the gateway looks at what no policy may waive: the definition is the approved one
(invariant 9), the arguments fit the schema, an audit record is open (invariant 5), and whoever waited for a second
signature is taken out of the store by exactly one executor (invariant 4). The journal has the call before it leaves, so
that a crash loses no outcome.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

import msgspec

from gateway.catalog.drift import drift
from gateway.door.call import Era, ToolCall
from gateway.door.host import NOBODY, Host, can_be_asked
from gateway.errors import StoreUnavailable, TokenRefused, UpstreamUnavailable
from gateway.outcome.about import about
from gateway.outcome.answer import About, Executed, MoreInput, Refused, Unknown
from gateway.outcome.consent import Consent, binding_of
from gateway.outcome.counting import Counter, counted
from gateway.outcome.elicitation import ELICITATION_KEY
from gateway.outcome.journal import Earlier, Journal
from gateway.outcome.parked import Parking, Question
from gateway.outcome.pending import Binding, Continuation
from gateway.outcome.redact import masked_result
from gateway.policy.decision import Allow, Confirm, Deny, overruled
from gateway.policy.question import Asked
from gateway.upstream.target import Effect, Reply, Resumed, Upstream

LEAST_SENSITIVE_DURABLE = 3
"""Classes 1 to 3 leave only after their audit record is on disk; an unknown class counts as sensitive."""
MAX_TARGET_CHARS = 300
"""Characters of a target's own error message in ours."""
MAX_STATE_CHARS = 64 * 1024
"""Characters of a target's ``requestState`` that are kept for it; ours in front of it has 64."""
_LOG = logging.getLogger("countersign.outcome")


class Record(Protocol):
    """The part of the audit entry this module writes."""

    async def before_upstream(self, *, durable: bool) -> None:
        """:raises AuditUnavailable: the record cannot be taken and must be."""

    def upstream(self, reply: Reply) -> None:
        """Note how the target answered."""


class Claims(Protocol):
    """Takes a confirmed call out of the store, for exactly one executor; keeps the way back into a call."""

    async def claim(self, pending: Any) -> bool:
        """False: somebody else executes it, or it changed."""
        ...

    async def grant_continuation(
        self, binding: Binding, continuation: Continuation, *, transaction_id: str, revision: str
    ) -> str:
        """A single-use token for the next round of a call that its target has begun."""
        ...


class Lapses(Protocol):
    """Writes the last word on a call that nobody came back to."""

    async def lapsed(self, call: ToolCall, transaction_id: str) -> None:
        """Its target had begun, and was told to stop: the outcome is unknown."""


class AllowOutcome:
    """Carries an :class:`~gateway.policy.decision.Allow` out."""

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        claims: Claims,
        *,
        journal: Journal,
        parking: Parking,
        lapses: Lapses,
        usage: Counter,
        now: Callable[[], float],
    ) -> None:
        self._upstreams = upstreams
        self._claims = claims
        self._journal = journal
        self._parking = parking
        self._lapses = lapses
        self._usage = usage
        self._now = now

    async def carry_out(
        self, asked: Asked, decision: Allow, consent: Consent, record: Record, host: Host = NOBODY
    ) -> Executed | MoreInput | Refused | Unknown:
        """Send the judged arguments to the target and report what is known afterwards.

        ``host`` hears what the target says before it answers, and is asked what the target asks.

        :raises TokenRefused: ``confirm.already_used``, ``transaction.already_begun``.
        :raises AuditUnavailable: nothing was sent.
        :raises StoreUnavailable: nothing was sent.
        :raises UpstreamUnavailable: nothing was sent.
        """
        refusal = _objection(asked, decision, now=self._now())
        if refusal is not None:
            return Refused(about=about(asked, refusal, transaction_id=None))

        sensitive = decision.data_class is None or decision.data_class <= LEAST_SENSITIVE_DURABLE
        await record.before_upstream(durable=sensitive)
        if consent.pending is not None and not await self._claims.claim(consent.pending):
            why = "This confirmation was used already, or taken back, while the call was judged; make the call again"
            raise TokenRefused(why, code="confirm.already_used")

        said = about(asked, decision, transaction_id=consent.transaction_id)
        sending = functools.partial(self._sent, asked, consent, host)
        reply = await self._journal.carried(
            asked, decision, consent, lambda: counted(self._usage, asked, consent, sending)
        )
        if isinstance(reply, Earlier):
            return as_before(reply, asked, decision)
        if isinstance(reply, Question):
            return await self._asks(asked, decision, consent, said, parked=reply)
        record.upstream(reply)
        if reply.effect is Effect.WAITING:
            if reply.result is None or not asked.call.client.can_input_required:
                # A host of the older era without a session has no way to be asked, and none to come back.
                return self._left(asked, consent, said)
            return await self._asks(asked, decision, consent, said, result=reply.result)
        if reply.result is None and (reply.error is None or reply.effect is Effect.UNKNOWN):
            return Unknown(about=said, message=_not_known(reply, consent.transaction_id))
        pointers = decision.obligations.redact
        return Executed(
            about=said,
            result=masked_result(reply.result, pointers) if pointers else reply.result,
            error=_masked_error(reply.error) if pointers else reply.error,
            result_type=reply.result_type,
            warn=decision.obligations.warn,
            effect=reply.effect,
        )

    async def _sent(self, asked: Asked, consent: Consent, host: Host) -> Reply | Question:
        call, upstream, before = asked.call, self._upstreams[asked.call.server], consent.continuation
        try:
            if before is not None and before.parked is not None:
                return await self._parking.resumed(before.parked, call.input_responses, host)
            resumed = _resumed(before, call)
            if before is None and resumed is not None and (await upstream.about()).era is not Era.MODERN:
                resumed = None  # it asked nothing in that way, and would not know what to do with the answers

            def send(asking: Host) -> Coroutine[Any, Any, Reply]:
                return upstream.call(
                    call.tool,
                    call.arguments,
                    transaction_id=consent.transaction_id,
                    meta=call.meta,
                    host=asking,
                    resumed=resumed,
                )

            if not can_be_asked(host) or host.asks_in_band or (await upstream.about()).era is Era.MODERN:
                return await send(host)
            return await self._parking.started(host, send, lapsed=lambda: self._lapsed(asked, consent))
        except UpstreamUnavailable:
            raise
        except Exception:  # noqa: BLE001 - nothing else may come; if it does, bytes may have left
            _LOG.exception("the upstream %r broke in call %s", call.server, call.call_id)
            return Reply(effect=Effect.UNKNOWN)

    async def _asks(
        self,
        asked: Asked,
        decision: Allow,
        consent: Consent,
        said: About,
        *,
        result: msgspec.Raw | None = None,
        parked: Question | None = None,
    ) -> MoreInput | Unknown:
        """The target's question as an answer, and the token that brings the host's answer back into this very call."""
        if parked is not None:
            state = None
            result = msgspec.Raw(msgspec.json.encode({"inputRequests": parked.input_requests}))
        else:
            assert result is not None
            try:
                state = state_of(result)
            except ValueError:
                return self._left(asked, consent, said)
        continuation = Continuation(
            facts=consent.facts, request_state=state, parked=None if parked is None else parked.parked
        )
        try:
            token = await self._claims.grant_continuation(
                binding_of(asked),
                continuation,
                transaction_id=consent.transaction_id,
                revision=decision.revision,
            )
        except StoreUnavailable:
            # A parked call counts as failed when it lapses, as it will now.
            return self._left(asked, consent, said, counts=parked is None)
        return MoreInput(about=said, result=result, token=token)

    def _left(self, asked: Asked, consent: Consent, said: About, *, counts: bool = True) -> Unknown:
        """The target has begun, and nobody will be able to come back to it."""
        if counts:
            self._usage.failed(asked)
        return Unknown(about=said, message=_not_known(Reply(effect=Effect.UNKNOWN), consent.transaction_id))

    async def _lapsed(self, asked: Asked, consent: Consent) -> None:
        self._usage.failed(asked)
        await self._lapses.lapsed(asked.call, consent.transaction_id)


def _resumed(before: Continuation | None, call: ToolCall) -> Resumed | None:
    """What goes back to the target: its own state, and the answers less what was meant for the gateway.

    A target that keeps no state may be answered without any (2026-07-28/basic/patterns/mrtr).
    """
    responses = {key: one for key, one in call.input_responses.items() if key != ELICITATION_KEY}
    if before is None and not responses:
        return None
    return Resumed(
        request_state=None if before is None else before.request_state,
        input_responses=msgspec.Raw(msgspec.json.encode(responses)) if responses else None,
    )


class _Stated(msgspec.Struct, rename="camel"):
    request_state: str | None = None


_STATED = msgspec.json.Decoder(_Stated)


def state_of(result: msgspec.Raw) -> str | None:
    """The target's own ``requestState``. :raises ValueError: more of it than is kept for a target, or no text."""
    try:
        state = _STATED.decode(result).request_state
    except RecursionError:
        raise ValueError("nested too deep") from None
    if state is not None and len(state) > MAX_STATE_CHARS:
        raise ValueError(f"over {MAX_STATE_CHARS} characters")
    return state


def _objection(asked: Asked, decision: Allow, *, now: float) -> Deny | None:
    """What no policy may waive."""
    drifted = drift(asked.tool, asked.approval, now=now)
    if drifted is not None:
        return overruled(
            decision, drifted, "The tool is not the one that was approved.", "Have it approved anew."
        )
    if not asked.schema.valid:
        wrong = "; ".join(asked.schema.errors)
        return overruled(decision, "arguments.schema_invalid", wrong, "Mend the arguments.")
    return None


def as_before(earlier: Earlier, asked: Asked, decision: Allow | Confirm) -> Executed | Unknown:
    """What became of the equal call that came first; this one was not sent, and says so."""
    said = msgspec.structs.replace(
        about(asked, decision, transaction_id=earlier.transaction_id), duplicate_of=earlier.transaction_id
    )
    if earlier.outcome is Effect.EXECUTED and earlier.result is not None:
        pointers = decision.obligations.redact
        return Executed(
            about=said,
            result=masked_result(earlier.result, pointers) if pointers else earlier.result,
            result_type=earlier.result_type,
            warn=decision.obligations.warn,
        )
    state = "is being carried out" if earlier.outcome is None else f"has the outcome {earlier.outcome}"
    message = (
        f"Exactly this call was made before and {state}, so it was not sent again. "
        f"Look at the target, or ask the operator about transaction {earlier.transaction_id}."
    )
    return Unknown(about=said, message=message)


def _not_known(reply: Reply, transaction_id: str) -> str:
    said = (
        "The call was sent, and its outcome is unknown. Do not repeat it blindly: look at the target first. "
        f"Transaction {transaction_id}."
    )
    message = None if reply.error is None else reply.error.get("message")
    if not isinstance(message, str):
        return said
    return f"{said} The target said: {message[:MAX_TARGET_CHARS]}"


def _masked_error(error: dict[str, Any] | None) -> dict[str, Any] | None:
    """Of an error only what it is: its ``data`` may repeat the very members that are to be masked."""
    return None if error is None else {key: error[key] for key in ("code", "message") if key in error}
