"""What a policy engine is: one encoded question in, one encoded answer out. Both engines give the same answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Protocol

import msgspec

from gateway.errors import CountersignError, PolicyUnavailable


class Entrypoint(StrEnum):
    """The four rules that are asked; nothing else of a policy is ever evaluated."""

    DECISION = "gateway/decision/answer"
    LISTING = "gateway/listing/answer"
    ADMIN = "gateway/admin/answer"
    PASSAGE = "gateway/passage/answer"


class Failure(StrEnum):
    """Why there is no answer. The closed list; also a metric label."""

    TIMEOUT = "timeout"
    REFUSED = "refused"  # nobody there: certain that the engine was not asked
    NO_REPLY = "no_reply"  # asked, and the connection ended
    BREAKER_OPEN = "breaker_open"  # not asked, because the last ones failed
    OVERLOADED = "overloaded"
    HTTP_STATUS = "http_status"
    MALFORMED = "malformed"  # the answer is no single JSON object
    UNDEFINED = "undefined"
    BUILT_IN_ERROR = "built_in_error"  # a built-in failed, or two rules gave two answers
    ROLLED_BACK = "rolled_back"  # an older policy than the accepted one answered
    UNSEQUENCED = "unsequenced"  # one of which nobody can say whether it is older
    UNPROVEN = "unproven"  # one that does not say no where every policy must
    REVISION_UNKNOWN = "revision_unknown"
    QUESTION = "question"  # the question itself cannot be put to this engine faithfully


def unavailable(failure: Failure, message: str) -> PolicyUnavailable:
    """The error every engine raises; its code is `policy.<failure>`. The message never holds the question."""
    return PolicyUnavailable(message, code=f"policy.{failure}")


class PolicyRefused(CountersignError):
    """A policy folder that must not go live. The message names the file and what is wrong with it."""

    code = "policy.refused"


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `result` is its JSON as the engine gave it, and None if the rule was undefined."""

    result: msgspec.Raw | None
    decision_id: str | None = None
    revision: str
    engine: Literal["opa", "embedded"]


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an engine can decide now. `stale`: it decides, but by an older policy than the one on disk."""

    ready: bool
    engine: Literal["opa", "embedded"]
    revision: str = ""
    stale: bool = False
    error: str | None = None


class Engine(Protocol):
    """A policy engine."""

    async def evaluate(self, entrypoint: Entrypoint, document: bytes) -> Evaluation:
        """Evaluate one rule on one question, given as JSON that was encoded once.

        Raises PolicyUnavailable, which every caller turns into deny. Whether the answer means anything is NOT
        checked here (see `decision.py`).
        """
        ...

    async def ready(self) -> Readiness:
        """Ask the engine something whose answer is known. Never raises."""
        ...

    async def aclose(self) -> None:
        """Let go of connections and threads."""
        ...
