"""Allow: send it, once. The only module of this room that reaches the upstream.

Before the call leaves, the gateway looks at what no policy may waive: the definition is the approved one
(invariant 9), the arguments fit the schema, an audit record is open (invariant 5), and whoever waited for a second
signature is taken out of the store by exactly one executor (invariant 4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from gateway.catalog.drift import drift
from gateway.errors import TokenRefused
from gateway.outcome.about import about
from gateway.outcome.answer import Executed, Refused, Unknown
from gateway.outcome.consent import Consent
from gateway.outcome.redact import redact
from gateway.policy.decision import Allow, denied
from gateway.policy.question import Asked
from gateway.upstream.target import Reply, Upstream

LEAST_SENSITIVE_DURABLE = 3
"""Classes 1 to 3 leave only after their audit record is on disk; an unknown class counts as sensitive."""


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
        drifted = drift(asked.tool, asked.approval, now=self._now())
        if drifted is not None:
            no = denied(drifted, "The tool is not the one that was approved.", "Have it approved anew.")
            return Refused(about=about(asked, no, transaction_id=None))
        if not asked.schema.valid:
            no = denied("arguments.schema_invalid", "; ".join(asked.schema.errors), "Mend the arguments.")
            return Refused(about=about(asked, no, transaction_id=None))

        sensitive = decision.data_class is None or decision.data_class <= LEAST_SENSITIVE_DURABLE
        await record.before_upstream(durable=sensitive)
        if consent.pending is not None and not await self._claims.claim(consent.pending):
            raise TokenRefused("This confirmation was used already", code="confirm.already_used")

        reply = await self._upstreams[asked.call.server].call(
            asked.call.tool,
            asked.call.arguments,
            transaction_id=consent.transaction_id,
            meta=asked.call.meta,
        )
        record.upstream(reply)
        said = about(asked, decision, transaction_id=consent.transaction_id)
        if reply.result is None and reply.error is None:
            return Unknown(
                about=said,
                message=(
                    "The call was sent, and its outcome is unknown. Do not repeat it blindly: look at the target "
                    f"first. Transaction {consent.transaction_id}."
                ),
            )
        return Executed(
            about=said,
            result=_masked(reply.result, decision.obligations.redact),
            error=reply.error,
            result_type=reply.result_type,
            warn=decision.obligations.warn,
        )


def _masked(result: msgspec.Raw | None, pointers: tuple[str, ...]) -> msgspec.Raw | None:
    if result is None or not pointers:
        return result
    return msgspec.Raw(msgspec.json.encode(redact(msgspec.json.decode(result), pointers)))
