"""What a receipt says. Pure: made from the audit record of the call, so that it can say nothing else than the audit.

The claims are those of a JWT (RFC 7519) and ``txn`` of RFC 8417; the rest has the names of the audit record. Times are
unix seconds in ``iat`` and ISO 8601 elsewhere. Hashes are hex SHA-256 over RFC 8785.

NOT in a receipt: arguments, results, tokens, anybody's name but the caller's and the confirmers'.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.audit.chain import Position
from gateway.audit.record import AuditCaller, AuditDecision, AuditRecord, AuditUpstream, Outcome, Status
from gateway.canonical import canonical_hash
from gateway.policy.question import Confirmation

RECEIPT_VERSION = 1
MAX_HASHED_BYTES = 128 * 1024
"""Longest result that is hashed: canonical form costs time on the call path, and receipts are of short answers."""
OUTCOMES = frozenset({Status.EXECUTED, Status.FAILED, Status.REFUSED, Status.UNKNOWN})
"""How a call ends. What waits has not ended, and has no receipt."""
_NOT_THE_TARGETS = ("_meta", "resultType")
"""Members of a result that the gateway may write; they are not hashed."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The claims. ``jti`` is the call's id, ``txn`` its transaction's; ``iss`` the gateway's public URL.

    ``outcome`` is what became of the call (``executed``, ``failed``, ``refused``, ``unknown``), ``judged`` what the
    policy said. ``result_hash`` is over the result as this caller got it, less ``_meta`` and ``resultType``; null where
    there is none, where it is too long, or has no canonical form. ``audit`` is null where the record could not be
    written: then the receipt is the only witness.
    """

    v: int = RECEIPT_VERSION
    iss: str
    iat: int
    jti: str
    txn: str | None
    time: str
    caller: AuditCaller | None
    server: str | None
    tool: str | None
    data_class: int | None
    tier: str | None
    definition_hash: str | None
    arguments_hash: str | None
    judged: Outcome | None
    reasons: tuple[str, ...]
    decision: AuditDecision | None
    confirmations: tuple[Confirmation, ...]
    outcome: Status
    upstream: AuditUpstream | None
    result_hash: str | None
    audit: Position | None


def receipt_of(
    record: AuditRecord,
    position: Position | None,
    *,
    issuer: str,
    now: float,
    confirmations: tuple[Confirmation, ...] = (),
    result: msgspec.Raw | None = None,
) -> Receipt:
    """The statement about one call that has ended."""
    return Receipt(
        iss=issuer,
        iat=int(now),
        jti=record.call_id,
        confirmations=confirmations,
        result_hash=None if result is None else result_hash(result),
        audit=position,
        **facts_of(record),
    )


def facts_of(record: AuditRecord) -> dict[str, Any]:
    """What a receipt takes from the record as it stands there, by the receipt's names."""
    return {
        "txn": record.transaction_id,
        "time": record.time,
        "caller": record.caller,
        "server": record.server,
        "tool": record.tool,
        "data_class": record.data_class,
        "tier": record.tier,
        "definition_hash": record.definition_hash,
        "arguments_hash": record.arguments_hash,
        "judged": record.outcome,
        "reasons": record.reasons,
        "decision": record.decision,
        "outcome": record.status,
        "upstream": record.upstream,
    }


def result_hash(result: bytes | msgspec.Raw) -> str | None:
    """The hash of an encoded MCP tool result; None where it has none. Never raises.

    Of a member that is there twice the last one counts.
    """
    if len(memoryview(result)) > MAX_HASHED_BYTES:
        return None
    try:
        document = msgspec.json.decode(result)
        if not isinstance(document, dict):
            return None
        for member in _NOT_THE_TARGETS:
            document.pop(member, None)
        return canonical_hash(document)
    except (ValueError, RecursionError):
        return None
