"""Answers and refusals -> status and body of the REST handshake, as the how-to guide (sections 2 and 3) has them. Pure.

Where the guide gives a body, it is that body and nothing beside it; every other error has a ``code`` and the ``callId``
by which the operator finds it in the audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from gateway.door.call import Era
from gateway.door.passing import MAX_ERROR_CHARS, RECEIPT_META_KEY, pass_on
from gateway.door.rest_message import Phase
from gateway.errors import CountersignError, TokenRefused, Unauthenticated
from gateway.outcome.answer import About, Again, Answer, Executed, MoreInput, Refused, Unknown
from gateway.policy.decision import Outcome, Reason
from gateway.upstream.target import Effect

INVALID_SESSION: Final = "Invalid session"
INVALID_TOKEN: Final = "Invalid or expired token"  # noqa: S105 - a message
MISMATCH: Final = "Transaction mismatch"
DENIED: Final = "Denied by confirmation agent: "
WORDS_OF_THE_GUIDE: Final = frozenset(
    {
        INVALID_SESSION,
        INVALID_TOKEN,
        MISMATCH,
        "Invalid signature",
        "Parameters failed regex validation",
        "Invalid parameter structure",
        "Unknown sensitivity level",
    }
)
"""Errors whose body is ``{"error": …}`` alone."""
TIER_WORDS: Final[Mapping[str, str]] = {
    "arguments.signature_invalid": "Invalid signature",
    "arguments.signature_missing": "Invalid signature",
    "arguments.pattern_mismatch": "Parameters failed regex validation",
    "arguments.structure_invalid": "Invalid parameter structure",
    "arguments.schema_invalid": "Invalid parameter structure",
}
"""What the guide (section 3) says where a tier's check fails, in its order."""
OUTCOME_UNKNOWN: Final = "upstream.outcome_unknown"
UPSTREAM_ERROR: Final = "upstream.error"

Answered = tuple[int, bytes]
"""HTTP status and body."""

_TOKEN_ERRORS: Final[Mapping[str, str]] = {
    "handshake.token_unknown": INVALID_TOKEN,
    "handshake.mismatch": MISMATCH,
}
_STATUS: Final[Mapping[str, int]] = {
    "handshake.not_needed": 400,
    "policy.question_too_large": 413,
    "confirm.in_progress": 409,
    "confirm.too_many": 429,
}
_ENCODER = msgspec.json.Encoder()


class _Ended(msgspec.Struct, rename="camel"):
    is_error: bool = False


_ENDED = msgspec.json.Decoder(_Ended)


def answered(answer: Answer, phase: Phase, *, version: str) -> Answered:
    """The answer of one phase."""
    match answer:
        case Executed():
            return _executed(answer, version)
        case Again() if phase == "authorize":
            body = {"transactionId": answer.about.transaction_id, "ephemeralToken": answer.token}
            return 200, _ENCODER.encode(body)
        case Again():
            return 202, _ENCODER.encode(_again(answer))
        case MoreInput():
            # Its question can be answered over MCP only, with this token as ``requestState``.
            body = {
                "status": "input_required",
                "transactionId": answer.about.transaction_id,
                "ephemeralToken": answer.token,
            }
            return 202, _ENCODER.encode(body)
        case Refused():
            return _refused(answer.about)
        case Unknown():
            return _unknown(answer.about, answer.message)


def refused(error: CountersignError, *, call_id: str) -> Answered:
    """What is broken, or was never a proper request."""
    if isinstance(error, Unauthenticated):
        return 401, _only(INVALID_SESSION)
    receipt = error.data.get(RECEIPT_META_KEY)
    if isinstance(error, TokenRefused):
        said = _TOKEN_ERRORS.get(error.code)
        if said is not None:
            return 403, _only(said)
        return _STATUS.get(error.code, 403), _error(error.message, error.code, call_id, receipt)
    return error.http_status, _error(error.message, error.code, call_id, receipt)


def _executed(answer: Executed, version: str) -> Answered:
    """The target's own result, less what only the gateway may say."""
    if answer.effect is Effect.UNKNOWN:
        said = "The call was sent, and its outcome is unknown. Do not repeat it blindly: look at the target first."
        return _unknown(answer.about, said)
    if answer.result is None:
        message = (answer.error or {}).get("message")
        said = message[:MAX_ERROR_CHARS] if isinstance(message, str) else "The target answered with an error."
        return 400, _error(said, UPSTREAM_ERROR, answer.about.call_id, answer.about.receipt)
    about, decision = answer.about, None
    if answer.warn or about.duplicate_of is not None:
        decision = {"warn": list(answer.warn), "call_id": about.call_id}
    if decision is not None and about.duplicate_of is not None:
        decision["duplicate_of"] = about.duplicate_of
    body = pass_on(
        answer.result,
        Era.REST,
        complete=True,
        version=version,
        decision=decision,
        receipt=about.receipt,
    )
    went_wrong = answer.effect is Effect.REFUSED or _says_error(answer.result)
    return 400 if went_wrong else 200, _ENCODER.encode(body)


def _says_error(result: msgspec.Raw) -> bool:
    try:
        return _ENDED.decode(result).is_error
    except (ValueError, RecursionError):
        return True  # an ``isError`` that is neither: whoever wrote it did not mean success


def _again(answer: Again) -> dict[str, Any]:
    body = {
        "status": answer.status,
        "transactionId": answer.about.transaction_id,
        "ephemeralToken": answer.token,
        "expiresInSeconds": answer.expires_in_s,
    }
    return body if answer.approve_url is None else {**body, "approveUrl": answer.approve_url}


def _refused(about: About) -> Answered:
    """The policy's no, or a person's."""
    # Only what forbids: "nothing to do" beside a refusal leads astray.
    reasons = [one for one in about.reasons if one.outcome is Outcome.DENY]
    codes = [one.code for one in reasons]
    said = _said(reasons)
    if len(reasons) == 1 and said in WORDS_OF_THE_GUIDE and not about.faults:
        return 403, _only(said)
    if any(code.startswith("confirm.") and code.endswith("refused") for code in codes):
        return 403, _only(said if said.startswith(DENIED) else DENIED + said)
    code = codes[0] if codes else "call.refused"
    body = {
        "error": said if about.etdi is None else f"{about.etdi.text}. {said}",
        "code": code,
        "callId": about.call_id,
        "reasons": [{"code": one.code, "message": one.message, "remedy": one.remedy} for one in reasons],
        **({"faults": list(about.faults)} if about.faults else {}),
        **({"etdi": about.etdi.error} if about.etdi is not None else {}),
        **({"receipt": about.receipt} if about.receipt else {}),
    }
    # A policy that could not be heard is a part that is away: the same call may pass later (as ``passage.py`` says it).
    return _STATUS.get(code, 503 if code.startswith("policy.") else 403), _ENCODER.encode(body)


def _said(reasons: Sequence[Reason]) -> str:
    """The guide's word for what its tiers check, whatever else there is to say: its clients compare it. What else
    there is stands in ``reasons``."""
    messages = [one.message for one in reasons]
    for code, word in TIER_WORDS.items():
        if any(one.code == code for one in reasons):
            return word
    return " ".join(messages) or "Refused by policy."


def _unknown(about: About, message: str) -> Answered:
    """504 and never 400: whoever reads "it went wrong" pays twice (invariant 4)."""
    body = {
        "error": message,
        "code": OUTCOME_UNKNOWN,
        "status": "unknown",
        "transactionId": about.transaction_id,
        "callId": about.call_id,
        **({"duplicateOf": about.duplicate_of} if about.duplicate_of is not None else {}),
        **({"receipt": about.receipt} if about.receipt else {}),
    }
    return 504, _ENCODER.encode(body)


def _only(error: str) -> bytes:
    return _ENCODER.encode({"error": error})


def _error(error: str, code: str, call_id: str, receipt: str | None = None) -> bytes:
    body = {"error": error, "code": code, "callId": call_id}
    return _ENCODER.encode(body if receipt is None else {**body, "receipt": receipt})
