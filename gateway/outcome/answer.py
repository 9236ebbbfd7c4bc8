"""What a call ends in, as values. The door turns them into bytes of the caller's dialect."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.outcome.reapproval import EtdiRefusal
from gateway.outcome.view import View
from gateway.policy.decision import Obligations, Reason
from gateway.upstream.target import Effect


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer says about how it came to be; safe for the caller to see."""

    call_id: str
    tool: str
    data_class: int | None = None
    tier: str | None = None
    reasons: tuple[Reason, ...] = ()
    transaction_id: str | None = None
    error_result_only: bool = False
    """The tool declares an output schema, so a host may refuse any other content than an error."""
    duplicate_of: str | None = None
    """The transaction of an equal call before this one, which was therefore not sent."""
    faults: tuple[str, ...] = ()
    """Where the arguments break the tool's input schema: places and rules, so that the caller can mend them."""
    etdi: EtdiRefusal | None = None
    """A refusal for the tool's origin or approval, as the ETDI design words it."""
    receipt: str | None = None
    """The signed statement of what became of the call, where the policy asks for one."""


class Executed(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream answered. ``result`` is its encoded JSON-RPC result; ``error`` its JSON-RPC error instead."""

    about: About
    result: msgspec.Raw | None
    error: dict[str, Any] | None = None
    result_type: str | None = None
    warn: tuple[str, ...] = ()
    effect: Effect = Effect.EXECUTED
    """What is known about the target; some adapters say in their result that nobody can know."""


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing was sent yet: the same call has to come again.

    ``token`` is the handshake token for it (None where the dialect cannot carry one and the call is found by
    caller, tool and arguments). With ``view`` a second party has to decide first, at ``approve_url``.
    """

    about: About
    status: str
    message: str
    token: str | None
    expires_in_s: int
    view: View | None = None
    approve_url: str | None = None
    elicit: str | None = None
    """How to ask inside the host, and only as this very request declared: ``url``, ``form`` or None."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """The policy, or a person, said no. Nothing was sent.

    ``scopes``: all that the call needs of its token, where that is what is lacking; ``issuer``: whose token it was.
    """

    about: About
    issuer: str = ""
    scopes: tuple[str, ...] = ()
    obligations: Obligations = Obligations()


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """The call was sent and no answer can tell whether it took effect (invariant 4). Never retried blindly."""

    about: About
    message: str


class MoreInput(msgspec.Struct, frozen=True, kw_only=True):
    """The target asks its host for something before it goes on (``input_required``, or a server's own request).

    ``result`` is its encoded question: ``inputRequests`` and whatever else it said. ``token`` is ours: the host brings
    it back as ``requestState``, and the target's own state stays here.
    """

    about: About
    result: msgspec.Raw
    token: str


Answer = Executed | Again | Refused | Unknown | MoreInput
