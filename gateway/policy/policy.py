"""Asks the engine and makes its answer a decision. Every failure to hear an answer is deny (invariant 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from gateway.errors import PolicyUnavailable
from gateway.identity.caller import Caller
from gateway.policy.decision import Allow, Decision, Deny, Obligations, denied, overruled, read_answer
from gateway.policy.engine import Engine, Entrypoint, Evaluation
from gateway.policy.question import (
    Asked,
    ConsentFacts,
    Counted,
    Environment,
    Often,
    PassageFacts,
    PassageQuestion,
    Question,
    question_of,
)
from gateway.policy.ramp import ramp_of

MAX_QUESTION_BYTES = 512 * 1024
"""A question is an input document of Rego: beyond this, judging one call would stall the others."""

_ENCODER = msgspec.json.Encoder()


class Health(Protocol):
    """Whether the parts a sensitive call needs are known to be well."""

    def state(self) -> Literal["ok", "degraded"]:
        """``degraded`` when the audit sink or another needed part is known to be unhealthy."""
        ...


class Recorder(Protocol):
    """Who keeps questions about calls and their answers (``gateway.decisions``)."""

    def record(self, document: bytes, evaluation: Evaluation) -> None:
        """Keep one. Returns at once, never raises."""
        ...


class Shadowing(Protocol):
    """A candidate that is judged beside the policy (``gateway.shadow``)."""

    @property
    def held(self) -> bool:
        """Whether it must not be taken further."""
        ...


class UsageFacts(Protocol):
    """Knows how often who called what (``gateway.usage``)."""

    def often(self, asked: Asked, *, begun: bool) -> Often:
        """Before this call; ``begun``: it was counted already, in its first round. Returns at once, never raises."""
        ...


class Policy:
    """The policy room."""

    def __init__(
        self,
        engine: Engine,
        *,
        paypal: Literal["sandbox", "production", "none"],
        health: Health,
        now: Callable[[], float],
        usage: UsageFacts,
        recorder: Recorder | None = None,
        shadow: Shadowing | None = None,
    ) -> None:
        self._engine = engine
        self._usage = usage
        self._recorder = recorder
        self._shadow = shadow
        self._paypal = paypal
        self._health = health
        self._now = now

    def environment(self, caller: Caller | None = None) -> Environment:
        """Where and when a question is asked; about tools, for whom, and how the candidate does."""
        if caller is None:
            return Environment(paypal=self._paypal, now=int(self._now()), state=self._health.state())
        shadow: Literal["ok", "held"] | UnsetType = UNSET
        if self._shadow is not None:
            shadow = "held" if self._shadow.held else "ok"
        return Environment(
            paypal=self._paypal,
            now=int(self._now()),
            state=self._health.state(),
            ramp=ramp_of(caller.issuer, caller.subject),
            shadow=shadow,
        )

    async def decide(
        self,
        asked: Asked,
        consent: ConsentFacts,
        counted: dict[str, Counted] | None = None,
        *,
        begun: bool = False,
    ) -> Decision:
        """May this call run? Never raises: no usable answer is :class:`~gateway.policy.decision.Deny`.

        ``counted``: what the budgets stand at that an answer without them named (``gateway/budget``). ``begun``: this
        is a later round of a call that its target has begun.
        """
        often = self._usage.often(asked, begun=begun)
        question = question_of(asked, consent, self.environment(asked.caller), counted, often)
        return await self._judged(Entrypoint.DECISION, question)

    async def passes(self, call: PassageFacts, caller: Caller) -> Decision:
        """May this request, which is no tool call, reach its server? Never raises, as :meth:`decide`.

        It is carried out or not: a policy that asks for a handshake here, or for a part of the answer to be masked, has
        not been understood.
        """
        question = PassageQuestion(call=call, caller=caller, env=self.environment())
        decision = await self._judged(Entrypoint.PASSAGE, question)
        if isinstance(decision, Deny) or (
            isinstance(decision, Allow) and decision.obligations == Obligations()
        ):
            return decision
        return overruled(
            decision, "policy.malformed_answer", "The policy gave no yes and no no.", "Ask the operator."
        )

    async def _judged(self, entrypoint: Entrypoint, question: Question | PassageQuestion) -> Decision:
        try:
            document = _ENCODER.encode(question)
        except (ValueError, RecursionError):
            # The door parses strictly; but annotations are the upstream's, and it may have no door.
            return denied("policy.question", "The call cannot be written as a question.", "Ask the operator.")
        if len(document) > MAX_QUESTION_BYTES:
            return denied(
                "policy.question_too_large", "The call is too large to be judged.", "Send less at once."
            )
        try:
            evaluation = await self._engine.evaluate(entrypoint, document)
        except PolicyUnavailable as problem:
            return denied(
                problem.code,
                "The policy engine gave no answer, so the answer is no.",
                "Try again later.",
                revision=str(problem.data.get("revision", "")),  # whose answer was not heard (gateway/bundle)
            )
        if self._recorder is not None and entrypoint is Entrypoint.DECISION:
            self._recorder.record(document, evaluation)
        return read_answer(
            evaluation.result,
            revision=evaluation.revision,
            decision_id=evaluation.decision_id,
            engine=evaluation.engine,
        )

    async def ask(self, entrypoint: Entrypoint, document: dict[str, Any]) -> Any:
        """Another entrypoint (listing, admin), as a plain document. :raises PolicyUnavailable: no usable answer."""
        evaluation = await self._engine.evaluate(entrypoint, _ENCODER.encode(document))
        if evaluation.result is None:
            raise PolicyUnavailable("The policy gave no answer.", code="policy.undefined")
        return msgspec.json.decode(evaluation.result)
