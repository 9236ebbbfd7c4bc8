"""The answer of the policy -> a frozen :class:`Decision`. Pure, and strict: what is not understood is deny.

``Allow | Handshake | Confirm | Deny`` is a closed union; ``walk.py`` matches on it and mypy proves that none is
forgotten. The order of strictness is deny > handshake > confirm > allow.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAX_TOKEN_TTL_S = 60
"""Hard cap on a handshake token's life (invariant 3, conflict C12), whatever the policy or the settings say."""
MAX_CONFIRM_TTL_S = 24 * 3600
"""A confirmation that waits longer than a day is about a world that no longer exists."""
MAX_DUPLICATES_S = 24 * 3600
"""A day: longer than a settled transaction is kept, an equal call could not be told from a first one."""

MAX_BUDGET_WINDOW_S = 31 * 24 * 3600
"""Each call that counts against a budget is remembered for the budget's window."""

MAX_ANSWER_BYTES = 256 * 1024
"""An answer names a handful of reasons; what is larger is no answer of a policy that anybody reviewed."""

OFTEN_BYTES = 4 * 1024
"""Answers up to this length are remembered, 256 of them: 1 MiB."""

Pointer = Annotated[str, Meta(pattern=r"^(/([^~/]|~[01])*)*\Z", max_length=512)]
"""A JSON pointer (RFC 6901 section 3). One that is misspelt would mask another place, or none."""


ScopeToken = Annotated[str, Meta(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+\Z", max_length=256)]
"""RFC 6749 section 3.3. It goes into a response header; anything else would break out of its quotes."""


class Outcome(StrEnum):
    """The four answers, strictest first."""

    DENY = "deny"
    HANDSHAKE = "handshake"
    CONFIRM = "confirm"
    ALLOW = "allow"


class Reason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why. ``code`` is the same word in Rego, here, in the audit and in the docs."""

    code: Annotated[str, Meta(pattern=r"^[a-z_]+\.[a-z_]+\Z", max_length=64)]
    outcome: Outcome
    message: str
    remedy: str


class HandshakeObligation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the token may live, in seconds."""

    ttl_seconds: Annotated[int, Meta(ge=1, le=MAX_TOKEN_TTL_S)] = 30


class AtLeast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many confirmations of each kind there must be among them; 0 asks for none."""

    human: Annotated[int, Meta(ge=0, le=10)] = 0
    agent: Annotated[int, Meta(ge=0, le=10)] = 0
    host: Annotated[int, Meta(ge=0, le=10)] = 0


class ConfirmObligation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who must countersign before this call may run."""

    by: Annotated[tuple[Literal["agent", "human", "host"], ...], Meta(min_length=1, max_length=3)]
    quorum: Annotated[int, Meta(ge=1, le=10)] = 1
    min_assurance: str = "link"
    ttl_seconds: Annotated[int, Meta(ge=1, le=MAX_CONFIRM_TTL_S)] = 600
    separation_of_duties: bool = True
    at_least: AtLeast = AtLeast()


class DuplicatesObligation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long an equal call (same caller, server, tool, arguments) is recognised, in seconds.

    ``answers``: with which first calls it is answered instead of being sent: those whose outcome is open or unknown
    (``unsettled``), or those that were carried out as well (``all``).
    """

    window_seconds: Annotated[int, Meta(ge=1, le=MAX_DUPLICATES_S)]
    answers: Literal["unsettled", "all"] = "unsettled"


class ReplayObligation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how many seconds a recovery may ask the target again with the same idempotency key."""

    within_seconds: Annotated[int, Meta(ge=1, le=MAX_DUPLICATES_S)]


class LimitObligation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A budget that the call counts against, to be reserved before anything is handed out or sent.

    ``per``: what has an account of its own in it; ``limit``: the most that may be taken within any ``window_seconds``,
    a decimal string in ``currency``.
    """

    budget: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,64}\Z")]
    per: Annotated[tuple[Literal["caller", "tool", "payee"], ...], Meta(max_length=3)]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
    limit: Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?\Z")]
    window_seconds: Annotated[int, Meta(ge=60, le=MAX_BUDGET_WINDOW_S)]


class Obligations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the gateway must do besides. An obligation it does not know makes the whole answer unusable."""

    handshake: HandshakeObligation | None = None
    confirm: ConfirmObligation | None = None
    redact: Annotated[tuple[Pointer, ...], Meta(max_length=1_000)] = ()
    warn: tuple[str, ...] = ()
    softened: Annotated[tuple[str, ...], Meta(max_length=64)] = ()
    """The codes that a migration phase turned into warnings, for the audit; the caller is told by ``warn``."""
    duplicates: DuplicatesObligation | None = None
    replay: ReplayObligation | None = None
    scopes: Annotated[tuple[ScopeToken, ...], Meta(max_length=64)] = ()
    """With a deny for missing scopes: all that the call needs, held ones included (step-up)."""
    limits: Annotated[tuple[LimitObligation, ...], Meta(max_length=16)] = ()
    """What the call counts against. With a deny: what an earlier phase of it may have reserved."""
    receipt: bool = False
    """What becomes of the call is signed, for the caller to keep (``gateway/receipts``)."""


class _Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    outcome: Outcome
    reasons: Annotated[tuple[Reason, ...], Meta(min_length=1, max_length=64)]
    data_class: Annotated[int, Meta(ge=1, le=5)] | None = None
    tier: str | None = None
    phase: str | None = None
    would_be: Outcome | None = None
    obligations: Obligations = Obligations()


class _Decided(msgspec.Struct, frozen=True, kw_only=True):
    reasons: tuple[Reason, ...]
    data_class: int | None = None
    tier: str | None = None
    phase: str | None = None
    would_be: Outcome | None = None
    obligations: Obligations = Obligations()
    revision: str = ""
    decision_id: str | None = None
    engine: str = ""


class Allow(_Decided, frozen=True, kw_only=True):
    """Send it, once."""


class Handshake(_Decided, frozen=True, kw_only=True):
    """Hand out a token; the same call must come again with it."""


class Confirm(_Decided, frozen=True, kw_only=True):
    """A second party must countersign; ``obligations.confirm`` is never None here."""


class Deny(_Decided, frozen=True, kw_only=True):
    """Nothing is sent."""


Decision = Allow | Handshake | Confirm | Deny

_BY_OUTCOME: dict[Outcome, type[Allow] | type[Handshake] | type[Confirm] | type[Deny]] = {
    Outcome.ALLOW: Allow,
    Outcome.HANDSHAKE: Handshake,
    Outcome.CONFIRM: Confirm,
    Outcome.DENY: Deny,
}
_DECODER = msgspec.json.Decoder(_Answer)


def outcome_of(decision: Decision) -> Outcome:
    """The word for a decision, as Rego and the audit spell it."""
    match decision:
        case Allow():
            return Outcome.ALLOW
        case Handshake():
            return Outcome.HANDSHAKE
        case Confirm():
            return Outcome.CONFIRM
        case Deny():
            return Outcome.DENY


def denied(code: str, message: str, remedy: str, *, revision: str = "") -> Deny:
    """A deny of the gateway's own, where no policy could be heard (invariant 1)."""
    reason = Reason(code=code, outcome=Outcome.DENY, message=message, remedy=remedy)
    return Deny(reasons=(reason,), revision=revision)


def overruled(decision: Decision, code: str, message: str, remedy: str) -> Deny:
    """A deny of the gateway's own, where the policy was heard and something stronger speaks against the call.

    What the policy said about class, tier and phase stays, for the record. Such a refusal always has a receipt.
    """
    reason = Reason(code=code, outcome=Outcome.DENY, message=message, remedy=remedy)
    return Deny(
        reasons=(reason,),
        data_class=decision.data_class,
        tier=decision.tier,
        phase=decision.phase,
        revision=decision.revision,
        decision_id=decision.decision_id,
        engine=decision.engine,
        obligations=Obligations(receipt=True),
    )


def read_answer(
    result: bytes | msgspec.Raw | None, *, revision: str, decision_id: str | None, engine: str
) -> Decision:
    """The policy's encoded answer -> a decision.

    Undefined, an unknown outcome, a missing member, an unknown obligation, a reason stricter than the outcome, a
    confirm without saying by whom, an allow that still asks for consent: all are deny with
    ``policy.malformed_answer`` (invariant 1). NOT seen: a member that is there twice; the last one is read. Engines
    encode maps, which have none.
    """
    if result is None:
        return denied(
            "policy.undefined", "The policy gave no answer.", "Ask the operator.", revision=revision
        )
    view = memoryview(result)
    answer = _read_often(bytes(view)) if len(view) <= OFTEN_BYTES else _read(result)
    if answer is None:
        return _malformed(revision)
    return _BY_OUTCOME[answer.outcome](
        reasons=answer.reasons,
        data_class=answer.data_class,
        tier=answer.tier,
        phase=answer.phase,
        would_be=answer.would_be,
        obligations=answer.obligations,
        revision=revision,
        decision_id=decision_id,
        engine=engine,
    )


def _read(result: bytes | msgspec.Raw) -> _Answer | None:
    """The answer, if it is one."""
    if len(memoryview(result)) > MAX_ANSWER_BYTES:
        return None
    try:
        answer = _DECODER.decode(result)
    except (ValueError, RecursionError):
        # Of msgspec all but two are ValueErrors of its own: broken UTF-8 and depth are Python's.
        return None
    outcome, obligations = answer.outcome, answer.obligations
    if outcome is Outcome.CONFIRM and obligations.confirm is None:
        return None
    if outcome is Outcome.ALLOW and (obligations.confirm or obligations.handshake):
        return None
    # The policy's own combining rule is checked, not believed: nothing may be milder than its strictest reason.
    if min(_ORDER[reason.outcome] for reason in answer.reasons) < _ORDER[outcome]:
        return None
    return answer


# A policy has few different answers and gives them again and again; the same bytes are the same value.
_read_often = lru_cache(maxsize=256)(_read)
_ORDER = {outcome: rank for rank, outcome in enumerate(Outcome)}


def _malformed(revision: str) -> Deny:
    return denied(
        "policy.malformed_answer",
        "The policy answered in a form that this gateway does not understand.",
        "Ask the operator to run `countersign check`.",
        revision=revision,
    )
