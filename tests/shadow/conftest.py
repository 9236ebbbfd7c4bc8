"""Questions, answers and candidates that a test holds in its hand."""

from __future__ import annotations

import threading
from typing import Any

import msgspec

from gateway.decisions.entry import Kept
from gateway.errors import PolicyUnavailable
from gateway.policy.engine import Entrypoint, Evaluation, Failure, Readiness, unavailable
from gateway.shadow.tally import Tally

KEEP = Kept(keep=True, masked={"pay": ["/note"]})


def asked(tool: str = "pay", **arguments: Any) -> bytes:
    """A question as it is put."""
    call = {"id": "call-1", "server": "bank"}
    return msgspec.json.encode({"call": call, "tool": {"name": tool}, "arguments": arguments})


def said(
    outcome: str, code: str = "test.verdict", *, revision: str = "live-1", **obligations: Any
) -> Evaluation:
    """An answer as an engine gives it."""
    reason = {"code": code, "outcome": outcome, "message": "", "remedy": ""}
    answer = {"outcome": outcome, "reasons": [reason], "data_class": 3, "obligations": obligations}
    return Evaluation(result=msgspec.Raw(msgspec.json.encode(answer)), revision=revision, engine="embedded")


def tally(*, hold_above: float = 0.5, hold_after: int = 1_000, **more: Any) -> Tally:
    """Masks notes; the time stands still."""
    return Tally(KEEP, hold_above=hold_above, hold_after=hold_after, sample=1, now=lambda: 1e9, **more)


class Scripted:
    """A candidate: answers as told, or fails, or waits until the test lets go."""

    def __init__(self, answer: Evaluation | PolicyUnavailable | Exception, *, waits: bool = False) -> None:
        self.answer = answer
        self.let_go = threading.Event()
        if not waits:
            self.let_go.set()
        self.began = threading.Event()
        self.asked: list[tuple[Entrypoint, bytes]] = []
        self.closed = False

    async def evaluate(self, entrypoint: Entrypoint, document: bytes) -> Evaluation:
        """See :class:`gateway.policy.engine.Engine`."""
        self.asked.append((entrypoint, document))
        self.began.set()
        self.let_go.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def ready(self) -> Readiness:
        """Nobody asks."""
        return Readiness(ready=True, engine="embedded")

    async def aclose(self) -> None:
        """Remember it."""
        self.closed = True


TIMEOUT = unavailable(Failure.TIMEOUT, "It did not answer in time.")
