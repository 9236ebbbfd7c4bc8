"""Allow: send it, once. The only module of this room that reaches the upstream.

Before the call leaves, the gateway looks at what no policy may waive: the definition is the approved one
(invariant 9), the arguments fit the schema, an audit record is open (invariant 5), and whoever waited for a second
signature is taken out of the store by exactly one executor (invariant 4).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from gateway.catalog.drift import drift
from gateway.errors import TokenRefused, UpstreamUnavailable
from gateway.outcome.about import about
from gateway.outcome.answer import Executed, Refused, Unknown
from gateway.outcome.consent import Consent
from gateway.outcome.redact import redact
from gateway.policy.decision import Allow, Deny, overruled
from gateway.policy.question import Asked
from gateway.upstream.target import Effect, Reply, Upstream

LEAST_SENSITIVE_DURABLE = 3
"""Classes 1 to 3 leave only after their audit record is on disk; an unknown class counts as sensitive."""
MAX_TARGET_CHARS = 300
"""Characters of a target's own error message in ours."""
_LOG = logging.getLogger("countersign.outcome")


class Record(Protocol):
    """The part of the audit entry this module writes."""

    async def before_upstream(self, *, durable: bool) -> None:
        """:raises AuditUnavailable: the record cannot be taken and must be."""

    def upstream(self, reply: Reply) -> None:
        """Note how the target answered."""


class Claims(Protocol):
    """Takes a confirmed call out of the store, for exactly one executor."""

    async def claim(self, pending: Any) -> bool:
        """False: somebody else executes it, or it changed."""
        ...


class AllowOutcome:
    """Carries an :class:`~gateway.policy.decision.Allow` out."""

    def __init__(
        self, upstreams: Mapping[str, Upstream], claims: Claims, *, now: Callable[[], float]
    ) -> None:
        self._upstreams = upstreams
        self._claims = claims
        self._now = now

    async def carry_out(
        self, asked: Asked, decision: Allow, consent: Consent, record: Record
    ) -> Executed | Refused | Unknown:
        """Send the judged arguments to the target and report what is known afterwards.

        :raises TokenRefused: ``confirm.already_used``.
        :raises AuditUnavailable: nothing was sent.
        :raises UpstreamUnavailable: nothing was sent.
        """
        refusal = _objection(asked, decision, now=self._now())
        if refusal is not None:
            return Refused(about=about(asked, refusal, transaction_id=None))

        sensitive = decision.data_class is None or decision.data_class <= LEAST_SENSITIVE_DURABLE
        await record.before_upstream(durable=sensitive)
        if consent.pending is not None and not await self._claims.claim(consent.pending):
            raise TokenRefused("This confirmation was used already", code="confirm.already_used")

        reply = await self._sent(asked, consent.transaction_id)
        record.upstream(reply)
        said = about(asked, decision, transaction_id=consent.transaction_id)
        if reply.result is None and (reply.error is None or reply.effect is Effect.UNKNOWN):
            return Unknown(about=said, message=_not_known(reply, consent.transaction_id))
        pointers = decision.obligations.redact
        return Executed(
            about=said,
            result=_masked(reply.result, pointers) if pointers else reply.result,
            error=_masked_error(reply.error) if pointers else reply.error,
            result_type=reply.result_type,
            warn=decision.obligations.warn,
        )

    async def _sent(self, asked: Asked, transaction_id: str) -> Reply:
        call = asked.call
        try:
            return await self._upstreams[call.server].call(
                call.tool, call.arguments, transaction_id=transaction_id, meta=call.meta
            )
        except UpstreamUnavailable:
            raise
        except Exception:  # noqa: BLE001 - nothing else may come; if it does, bytes may have left
            _LOG.exception("the upstream %r broke in call %s", call.server, call.call_id)
            return Reply(effect=Effect.UNKNOWN)


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


def _not_known(reply: Reply, transaction_id: str) -> str:
    said = (
        "The call was sent, and its outcome is unknown. Do not repeat it blindly: look at the target first. "
        f"Transaction {transaction_id}."
    )
    message = None if reply.error is None else reply.error.get("message")
    if not isinstance(message, str):
        return said
    return f"{said} The target said: {message[:MAX_TARGET_CHARS]}"


def _masked(result: msgspec.Raw | None, pointers: tuple[str, ...]) -> msgspec.Raw | None:
    if result is None:
        return None
    try:
        shown = redact(msgspec.json.decode(result), pointers)
    except (ValueError, RecursionError):
        # The money has moved: an error now would invite a second try, and the bytes as they are may tell too much.
        shown = redact({"content": []}, pointers)
    return msgspec.Raw(msgspec.json.encode(shown))


def _masked_error(error: dict[str, Any] | None) -> dict[str, Any] | None:
    """Of an error only what it is: its ``data`` may repeat the very members that are to be masked."""
    return None if error is None else {key: error[key] for key in ("code", "message") if key in error}
