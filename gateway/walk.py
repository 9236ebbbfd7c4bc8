"""READ FIRST. One tool call, from the door to the record. Each numbered line is one room.

1. ``door``       made ``call`` out of bytes: one strict parse, everything bounded.
2. ``identity``   who asks.
3. ``catalog``    what is asked for: the tool as it is now, its approval, whether the arguments fit.
4. ``policy``     may they. The engine answers, the strictest reason wins, silence is deny.
5. ``outcome``    carry the answer out. A handshake or a confirmation sends nothing: the same call comes again,
                  and the same question is asked again with ``consent`` filled in.
6. ``upstream``   is reached from ``outcome/allow.py`` and from nowhere else.
7. ``audit``      was opened first and closes last, whatever happens in between.

Beside the walk: ``kill`` and ``rate`` stop a call that no policy has to be asked about, ``budget`` reserves what the
policy counts over many calls, ``usage`` tells it how often they were made, ``transactions`` writes down what leaves
before it leaves, ``receipts`` signs what became of it once the record is written.

What holds whatever the policy says (DESIGN section 4) has one test file each under ``tests/invariants/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from gateway.books import Books, CallBook
from gateway.budget.booking import NOT_BOOKED, Booking
from gateway.budget.budgets import Budgets, uncounted
from gateway.catalog.catalog import Catalog
from gateway.catalog.mirrored import check_mirrored
from gateway.catalog.shown import Annotations
from gateway.door.call import PROOF_META, ToolCall
from gateway.door.host import NOBODY, Host
from gateway.errors import CountersignError, TokenRefused
from gateway.identity.caller import Caller, Proof
from gateway.identity.parameters import ABSENT, ParameterProofs
from gateway.identity.verifier import Identity
from gateway.kill.switch import KillSwitch
from gateway.outcome.allow import AllowOutcome
from gateway.outcome.answer import Again, Answer
from gateway.outcome.authorize import AuthorizeOutcome
from gateway.outcome.confirm import ConfirmOutcome
from gateway.outcome.consent import Consent, Consents, binding_of, can_carry_token
from gateway.outcome.deny import deny, refused_by, timed_out
from gateway.outcome.handshake import HandshakeOutcome
from gateway.outcome.in_band import InBand
from gateway.outcome.pending import Waiting
from gateway.policy.amounts import Amounts
from gateway.policy.classes import Classes
from gateway.policy.decision import Allow, Confirm, Decision, Deny, Handshake
from gateway.policy.policy import Policy
from gateway.policy.question import Asked
from gateway.rate.limits import ToolLimit
from gateway.receipts.issuing import Receipts
from gateway.upstream.target import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The rooms, wired by ``app.py``; ``upstreams`` and ``waiting`` are for what is no call (``passage.py``)."""

    books: Books
    identity: Identity
    catalog: Catalog
    classes: Classes
    amounts: Amounts
    consents: Consents
    policy: Policy
    allow: AllowOutcome | AuthorizeOutcome
    handshake: HandshakeOutcome
    confirm: ConfirmOutcome
    in_band: InBand
    upstreams: Mapping[str, Upstream]
    waiting: Waiting
    annotations: Mapping[str, Annotations] = field(default_factory=dict)
    """Server -> what hosts are told of its tools instead of its own hints."""
    receipts: Receipts | None = None
    """Signs what became of a call, after its record is written."""
    kills: KillSwitch | None = None
    """What the operator stopped, whatever the policy says."""
    rates: ToolLimit | None = None
    """How often one caller may call one sensitive tool."""
    parameter_proofs: ParameterProofs | None = None
    """Without it no signature over parameters is good."""
    budgets: Budgets | None = None
    """Without it a call that a budget concerns is refused."""


async def walk(call: ToolCall, house: House, host: Host = NOBODY) -> Answer:
    """Judge one call and carry the judgement out. ``host`` hears and answers what the target says before its result.

    :raises CountersignError: what is broken, or was never a proper question; the audit has it already.
    """
    sensitive = house.classes.is_sensitive(call.server, call.tool)
    book = house.books.call(call, sensitive=sensitive)  # 7
    try:
        async with book:
            answer, decision, consent = await _judged(call, house, book, host, sensitive=sensitive)
            book.answered(answer)
    except CountersignError as error:
        if sensitive and house.receipts is not None:
            house.receipts.attached(error, book.written)
        raise
    if house.receipts is None:
        return answer
    return house.receipts.issued(answer, decision, consent.facts.confirmations, book.written)


async def _judged(
    call: ToolCall,
    house: House,
    book: CallBook,
    host: Host,
    *,
    sensitive: bool,
    before: Asked | None = None,
) -> tuple[Answer, Decision, Consent]:
    """Rooms 2 to 6. A host that was asked inside its call, and accepted, passes them once more as if it had
    repeated the call: the second question to the policy is never skipped. ``before``: what was asked the first time; a
    signature over the same parameters was used up by that."""
    caller = book.caller(await house.identity.identify(call.credentials))  # 2
    entry = book.tool(await house.catalog.current(call.server, call.tool, sensitive=sensitive))  # 3
    check_mirrored(call, entry.definition)
    schema = entry.schema.judge(call.arguments)
    killed = None if house.kills is None else house.kills.stops(call, caller, entry.tool)
    if sensitive and killed is None and house.rates is not None and before is None:
        await house.rates.count(caller, call.server, call.tool)
    asked = Asked(
        call=call,
        caller=caller,
        tool=entry.tool,
        approval=entry.approval,
        schema=schema,
        money=await house.amounts.of(call) if schema.valid and killed is None else None,
        proof=await _proof(call, caller, house) if before is None else before.proof,
    )
    decision, consent, booking = await _unless_killed(asked, house, killed, sensitive=sensitive)  # 4
    shaped = entry.definition.has_output_schema
    async with booking:
        book.decided(decision, consent.transaction_id)
        answer = await _carry_out(asked, decision, consent, house, book, host, shaped=shaped)
        booking.answered(answer)
    if before is None and isinstance(decision, Confirm) and isinstance(answer, Again):
        repeated = await house.in_band.repeated(asked, decision, answer, host)
        if repeated is not None:
            return await _judged(repeated, house, book, host, sensitive=sensitive, before=asked)
    return answer, decision, consent


async def _proof(call: ToolCall, caller: Caller, house: House) -> Proof:
    if PROOF_META not in call.meta:
        return ABSENT
    if house.parameter_proofs is None:
        return Proof(present=True, valid=False)
    return await house.parameter_proofs.check(
        call.meta[PROOF_META],
        caller=caller,
        credentials=call.credentials,
        server=call.server,
        tool=call.tool,
        arguments_hash=call.arguments_hash,
    )


async def _carry_out(
    asked: Asked,
    decision: Decision,
    consent: Consent,
    house: House,
    book: CallBook,
    host: Host,
    *,
    shaped: bool,
) -> Answer:
    match decision:  # 5
        case Allow():
            return await house.allow.carry_out(asked, decision, consent, book, host)  # 6
        case Handshake():
            return await house.handshake.carry_out(asked, decision, consent, has_output_schema=shaped)
        case Confirm():
            return await house.confirm.carry_out(asked, decision, consent, has_output_schema=shaped)
        case Deny():
            return deny(asked, decision)
        case _:
            assert_never(decision)


async def _unless_killed(
    asked: Asked, house: House, killed: Deny | None, *, sensitive: bool
) -> tuple[Decision, Consent, Booking]:
    """The judgement, unless the operator stopped this call: known before, or found out by the last look."""
    if killed is not None:
        # An order that is lifted again must not revive what was handed out before it.
        if asked.call.token is not None:
            await house.waiting.present(asked.call.token)
        elif not can_carry_token(asked):
            await house.waiting.present_repeat(binding_of(asked))
        return killed, Consent(transaction_id=asked.call.call_id), NOT_BOOKED
    decision, consent, booking = await _judge(asked, house)
    if house.kills is None:
        return decision, consent, booking
    try:
        overruled = await house.kills.overrules(asked, decision, sensitive=sensitive)
    except BaseException:
        await booking.undo()
        raise
    if overruled is None:
        return decision, consent, booking
    await booking.undo()
    return overruled, consent, NOT_BOOKED


async def _judge(asked: Asked, house: House) -> tuple[Decision, Consent, Booking]:
    """Ask; where the answer waits for a consent that an earlier identical call left behind, ask again with it."""
    consent = await house.consents.presented(asked)  # burns the token, then compares
    decision = await house.policy.decide(asked, consent.facts, begun=consent.continuation is not None)
    if asked.call.token is None and isinstance(decision, Handshake | Confirm):
        remembered = await house.consents.remembered(asked)
        if remembered is not None:
            consent = remembered
            decision = await house.policy.decide(asked, consent.facts)
    if consent.refused_by is not None and not isinstance(decision, Deny):
        return refused_by(decision, consent.refused_by, consent.refusal), consent, NOT_BOOKED
    if consent.timed_out and not isinstance(decision, Deny):
        return timed_out(decision), consent, NOT_BOOKED
    if consent.revision not in (None, decision.revision) and not isinstance(decision, Deny):
        # A token granted under other rules proves nothing under these (invariant 3).
        said = "The policy changed since the first phase; start again"
        raise TokenRefused(said, code="handshake.policy_changed")
    if not decision.obligations.limits:
        return decision, consent, NOT_BOOKED
    if house.budgets is None:
        return uncounted(decision), consent, NOT_BOOKED
    decision, booking = await house.budgets.booked(asked, decision, consent)
    return decision, consent, booking
