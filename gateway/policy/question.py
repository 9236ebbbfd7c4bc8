"""The one question, as a document (contract: ``policies/schemas/question.json``). Pure.

The Rego input is the encoding of :class:`Question`, made once. Times are unix seconds as integers, money is
decimal strings: no Rego rule has to parse a timestamp or trust a float.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from gateway.catalog.tool import Approval, SchemaVerdict, Tool
from gateway.door.call import Client, ToolCall
from gateway.identity.caller import Caller, Proof
from gateway.policy.money import Money
from gateway.policy.payees import payees_of


class CallFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, in which dialect. ``id`` is the gateway's, not the caller's.

    ``proof``: the caller's signature over these parameters (``identity/parameters.py``), not that of its token.
    """

    id: str
    time: int
    server: str
    method: str
    protocol: str
    era: str
    client: Client
    proof: Proof = Proof()


class HandshakeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this call presents a valid handshake, and how old that is."""

    satisfied: bool = False
    age_s: int | None = None


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """One second signature. ``view_hash`` is the hash of what that party was shown (invariant 8)."""

    by: Literal["agent", "human", "host"]
    who: str
    assurance: str
    at: int
    view_hash: str


class ConsentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that has been countersigned for exactly this call so far."""

    handshake: HandshakeFacts = HandshakeFacts()
    confirmations: tuple[Confirmation, ...] = ()


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What one budget stands at, this call's own ``amount`` taken out. In minor units of ``currency`` (ISO 4217).

    ``reserved``: calls that wait for a handshake or a confirmation; ``spent``: calls that were sent, except those that
    certainly had no effect. Of several accounts of one budget (several payees) it is the fullest.
    """

    currency: str
    window_seconds: int
    limit: int
    spent: int
    reserved: int
    amount: int


class Within(msgspec.Struct, frozen=True):
    """How many within the time before this call, about (``gateway/usage/windows.py``)."""

    ten_minutes: int = 0
    hour: int = 0
    day: int = 0


class Often(msgspec.Struct, frozen=True, kw_only=True):
    """How often this caller had this tool called before. ``calls``: sent to the target; ``failures``: those of them
    that it refused, or of which nobody knows how they ended."""

    calls: Within = Within()
    failures: Within = Within()


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """``calls``, ``failures``: see ``Often``. ``payees``: who receives, in one spelling (``policy/payees.py``).
    ``budgets``: by name, those that the policy named in ``obligations.limits``; None while it has not been asked yet.
    A call without money has neither payees nor budgets."""

    calls: Within
    failures: Within
    payees: tuple[str, ...] = ()
    budgets: dict[str, Counted] | None = None


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Where this gateway runs. ``state`` is ``degraded`` when a part it needs is known to be unhealthy.

    ``ramp``: which of a hundred equal parts of all callers this one is in (``policy/ramp.py``); ``shadow``: how the
    candidate beside the policy does, where there is one. Both are said in questions about tools alone.
    """

    paypal: Literal["sandbox", "production", "none"]
    now: int
    state: Literal["ok", "degraded"] = "ok"
    ramp: int | msgspec.UnsetType = msgspec.UNSET
    shadow: Literal["ok", "held"] | msgspec.UnsetType = msgspec.UNSET


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """May this caller have this tool called with these arguments, now?"""

    call: CallFacts
    caller: Caller
    tool: Tool
    approval: Approval | None
    arguments: dict[str, Any]
    arguments_hash: str
    schema: SchemaVerdict
    money: Money | None
    usage: Usage
    consent: ConsentFacts
    env: Environment


class PassageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is no tool call. ``target`` is the resource or prompt it names, where it names one."""

    id: str
    time: int
    server: str
    method: str
    target: str | None
    protocol: str
    era: str
    client: Client


class PassageQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """May this caller's request reach that server? (contract: ``policies/schemas/passage_question.json``)"""

    call: PassageFacts
    caller: Caller
    env: Environment


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the earlier rooms established about one call. What is still open is consent."""

    call: ToolCall
    caller: Caller
    tool: Tool
    approval: Approval | None
    schema: SchemaVerdict
    money: Money | None
    proof: Proof = Proof()


def question_of(
    asked: Asked,
    consent: ConsentFacts,
    env: Environment,
    counted: dict[str, Counted] | None = None,
    often: Often = Often(),  # noqa: B008 - frozen
) -> Question:
    """The document for the policy."""
    money = asked.money
    return Question(
        call=call_facts(asked.call, asked.proof),
        caller=asked.caller,
        tool=asked.tool,
        approval=asked.approval,
        arguments=asked.call.arguments,
        arguments_hash=asked.call.arguments_hash,
        schema=asked.schema,
        money=money,
        usage=Usage(
            calls=often.calls,
            failures=often.failures,
            payees=() if money is None else payees_of(money),
            budgets=None if money is None else counted,
        ),
        consent=consent,
        env=env,
    )


def call_facts(call: ToolCall, proof: Proof = Proof()) -> CallFacts:  # noqa: B008 - frozen
    """The part of the question that the door knows."""
    return CallFacts(
        id=call.call_id,
        time=int(call.received_at),
        server=call.server,
        method=call.method,
        protocol=call.protocol,
        era=call.era,
        client=call.client,
        proof=proof,
    )
