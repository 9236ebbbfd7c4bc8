"""Many questions to one policy folder at once: by OPA, some thousands a process, or by the embedded engine.

No server, no network: `opa eval` reads the questions from its standard input. What has no answer is ``UNDEFINED``,
which the gateway would deny.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import msgspec

from gateway.errors import PolicyUnavailable
from gateway.policy.engine import Entrypoint, PolicyRefused
from gateway.policy.loading import LoadedPolicy, evaluate, load_policy
from gateway.policy.rego_cpp import Interpreter

CHUNK = 1_000
"""Questions of one process of OPA: with fewer its start counts, with more each question costs more."""
TIMEOUT_S = 300.0
_QUERY = """package countersign_judging
answers[i] := {
	"outcome": answer.outcome,
	"reasons": [{"code": reason.code, "outcome": reason.outcome} | some reason in answer.reasons],
	"obligations": {"confirm": object.get(answer, ["obligations", "confirm"], {})},
} if {
	some i, question in input
	answer := data.gateway.decision.answer with input as question
}
"""


class Judged(msgspec.Struct, frozen=True):
    """What one policy says to one question: the outcome, each code with the outcome that it asks for, and how many have
    to confirm."""

    outcome: str
    asks: tuple[tuple[str, str], ...] = ()
    quorum: int = 0

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes alone."""
        return tuple(code for code, _ in self.asks)


UNDEFINED = Judged(outcome="deny", asks=(("policy.undefined", "deny"),))


class Judge(Protocol):
    """One policy."""

    def judged(self, questions: Iterable[dict[str, Any]]) -> Iterator[Judged]:
        """An answer for each, in their order. :raises PolicyRefused: the policy cannot be used."""
        ...


class OpaJudge:
    """By ``opa eval``, as many processes as there are cores."""

    def __init__(self, folder: Path, opa: str, scratch: Path) -> None:
        self._folder = folder
        self._opa = opa
        self._query = scratch / "countersign_judging.rego"
        self._query.write_text(_QUERY, encoding="utf-8")
        self._cores = os.cpu_count() or 1

    def judged(self, questions: Iterable[dict[str, Any]]) -> Iterator[Judged]:
        """See :class:`Judge`."""
        waiting: list[Future[list[Judged]]] = []
        with ThreadPoolExecutor(self._cores) as threads:
            for chunk in _chunks(questions):
                waiting.append(threads.submit(self._chunk, chunk))
                if len(waiting) > self._cores:
                    yield from waiting.pop(0).result()
            for future in waiting:
                yield from future.result()

    def _chunk(self, questions: Sequence[dict[str, Any]]) -> list[Judged]:
        command = [self._opa, "eval", "--format", "raw", "--stdin-input", "--ignore", "*_test.rego"]
        command += ["--data", f"gateway:{self._folder}", "--data", str(self._query)]
        done = subprocess.run(  # noqa: S603 - a list, and the program is the operator's
            [*command, "data.countersign_judging.answers"],
            input=msgspec.json.encode(questions),
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
            # Many short-lived values and no one else to share the memory with.
            env={"GOGC": "400", "HOME": "/nonexistent"},
        )
        if done.returncode != 0:
            raise PolicyRefused(_first_lines(done.stderr or done.stdout))
        answers = msgspec.json.decode(done.stdout or b"{}")
        return [answer_of(answers.get(str(number))) for number in range(len(questions))]


class EmbeddedJudge:
    """By rego-cpp in this process: about five times slower."""

    def __init__(self, folder: Path) -> None:
        """:raises PolicyRefused: the policy cannot be used."""
        self._policy: LoadedPolicy = load_policy(folder)
        self._interpreter = Interpreter()

    def judged(self, questions: Iterable[dict[str, Any]]) -> Iterator[Judged]:
        """See :class:`Judge`."""
        for question in questions:
            try:
                result = evaluate(
                    self._interpreter, self._policy, Entrypoint.DECISION, msgspec.json.encode(question)
                )
            except PolicyUnavailable as problem:
                yield Judged(outcome="deny", asks=((problem.code, "deny"),))
                continue
            yield UNDEFINED if result is None else answer_of(json.loads(result))


def judge_of(folder: Path, opa: str | None, scratch: Path) -> Judge:
    """The faster one that this machine has. ``scratch`` is an empty folder."""
    return EmbeddedJudge(folder) if opa is None else OpaJudge(folder, opa, scratch)


def answer_of(answer: Any) -> Judged:
    """A whole answer of the policy, as far as it is compared."""
    if not isinstance(answer, dict) or not isinstance(answer.get("outcome"), str):
        return UNDEFINED
    reasons = answer.get("reasons")
    asks = {
        (str(one.get("code")), str(one.get("outcome")))
        for one in (reasons if isinstance(reasons, list) else ())
        if isinstance(one, dict)
    }
    obligations = answer.get("obligations")
    confirm = obligations.get("confirm") if isinstance(obligations, dict) else None
    quorum = confirm.get("quorum") if isinstance(confirm, dict) else None
    return Judged(
        outcome=answer["outcome"],
        asks=tuple(sorted(asks)),
        quorum=quorum if isinstance(quorum, int) else 0,
    )


def _chunks(questions: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(questions)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _first_lines(text: bytes) -> str:
    lines = [line for line in text.decode(errors="replace").splitlines() if line.strip()]
    return "OPA could not judge: " + ("; ".join(lines[:3]) if lines else "it said nothing")
