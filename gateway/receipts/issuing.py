"""Signs the receipt of a call that has ended, after its audit record is written and before its answer leaves.

A call that needs no receipt pays for one comparison. Nothing here raises: the money has moved, and an error now would
invite a second try.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from gateway.audit.chain import Position
from gateway.audit.record import AuditRecord
from gateway.errors import CountersignError, RateLimited, Unauthenticated, UnknownTool
from gateway.outcome.answer import Answer, Executed, Refused, Unknown
from gateway.policy.decision import Decision
from gateway.policy.question import Confirmation
from gateway.receipts.keeping import Keeping
from gateway.receipts.keys import ReceiptKeys
from gateway.receipts.receipt import OUTCOMES, receipt_of

ERROR_RECEIPT = "dev.countersign/receipt"
"""The member of an error's ``data`` with the receipt: the name that it has in a result's ``_meta``."""
Written = tuple[AuditRecord, Position | None]
_LOG = logging.getLogger("countersign.receipts")


class Receipts:
    """Issues receipts in the name of ``issuer``, the gateway's public URL. ``now`` is unix seconds."""

    def __init__(self, keys: ReceiptKeys, keeping: Keeping, *, issuer: str, now: Callable[[], float]) -> None:
        self._signer = keys.signer
        self._keeping = keeping
        self._issuer = issuer
        self._now = now

    def issued(
        self,
        answer: Answer,
        decision: Decision,
        confirmations: tuple[Confirmation, ...],
        written: Written | None,
    ) -> Answer:
        """The answer with its receipt, where one is due: where the policy said so, and where a wall of the gateway's
        own refused what the policy would not have."""
        if not isinstance(answer, Executed | Refused | Unknown) or written is None:
            return answer
        overruled = isinstance(answer, Refused) and answer.about.reasons != decision.reasons
        if not (decision.obligations.receipt or overruled):
            return answer
        record, position = written
        if record.status not in OUTCOMES:
            return answer
        signed = self._signed(
            record, position, confirmations, answer.result if isinstance(answer, Executed) else None
        )
        if signed is None:
            return answer
        return msgspec.structs.replace(answer, about=msgspec.structs.replace(answer.about, receipt=signed))

    def attached(self, error: CountersignError, written: Written | None) -> None:
        """Into ``error.data``: the receipt of a sensitive call that was refused, and ends in an error: a spent token, a
        changed policy, a part that is away. Who is not known, came too often, or named no tool gets none."""
        if written is None or written[0].caller is None or written[0].status not in OUTCOMES:
            return
        if isinstance(error, Unauthenticated | RateLimited | UnknownTool):
            return
        signed = self._signed(*written, (), None)
        if signed is not None:
            error.data[ERROR_RECEIPT] = signed

    def _signed(
        self,
        record: AuditRecord,
        position: Position | None,
        confirmations: tuple[Confirmation, ...],
        result: msgspec.Raw | None,
    ) -> str | None:
        try:
            receipt = receipt_of(
                record,
                position,
                issuer=self._issuer,
                now=self._now(),
                confirmations=confirmations,
                result=result,
            )
            signed = self._signer.sign(receipt)
            self._keeping.keep(receipt, signed)
        except Exception:  # noqa: BLE001 - the money has moved: whatever it is, the answer goes out
            _LOG.exception("no receipt of call %s", record.call_id)
            return None
        return signed
