"""The engine in this process, for the first run and for laptops: rego-cpp, compiled once per policy revision.

Evaluations run in a few threads, each with its own interpreter: sharing one mixes questions (measured: wrong
decisions). Threads rather than the event loop, since a decision takes 1 to 15 ms of C++ in which rego-cpp lets go of
the GIL, and since only so a slow one can be given up at its deadline. The policy is one reference, replaced
at once; evaluations under way finish on the policy they began with.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import msgspec

from gateway.errors import PolicyUnavailable
from gateway.policy.engine import Entrypoint, Evaluation, Failure, PolicyRefused, Readiness, unavailable
from gateway.policy.loading import LoadedPolicy, evaluate, load_policy
from gateway.policy.rego_cpp import Interpreter
from gateway.policy.trial import tried
from gateway.policy.vectors import VECTORS

WORKERS = 2
"""Two threads on two cores gave 1.2 times the throughput of one; more gave nothing."""
MAX_WAITING = 256
"""Questions in line. Beyond this the last one could not be answered before its deadline."""


class _Worker(threading.local):
    """What belongs to one evaluating thread."""

    def __init__(self) -> None:
        self.interpreter = Interpreter()


class Embedded:
    """The embedded engine. `deadline_s` bounds each decision, waiting in line included."""

    def __init__(
        self, policy: LoadedPolicy, *, deadline_s: float = 2.0, max_waiting: int = MAX_WAITING
    ) -> None:
        self._policy = policy
        self._deadline_s = deadline_s
        self._worker = _Worker()
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="countersign-policy")
        self._waiting = 0
        self._max_waiting = max_waiting
        self._refusal: str | None = None

    @classmethod
    async def load(cls, folder: Path, *, deadline_s: float = 2.0) -> Self:
        """Load the policy under `folder`. Raises PolicyRefused: without a policy there is no engine."""
        return cls(await asyncio.to_thread(load_policy, folder), deadline_s=deadline_s)

    @property
    def revision(self) -> str:
        """Of the policy that decides now."""
        return self._policy.revision

    async def reload(self, folder: Path) -> None:
        """Replace the policy by what the folder says now. Raises PolicyRefused and keeps the old one, stale.

        What is edited while it is tried is refused, too.
        """
        try:
            revision = await tried(folder)
            self._policy = await asyncio.to_thread(load_policy, folder, only=revision)
        except PolicyRefused as error:
            self._refusal = error.message
            raise
        self._refusal = None

    async def evaluate(self, entrypoint: Entrypoint, document: bytes) -> Evaluation:
        """Evaluate in a thread. Raises PolicyUnavailable; an undefined rule is an Evaluation without result."""
        if self._waiting >= self._max_waiting:
            raise unavailable(Failure.OVERLOADED, "Too many questions wait for the policy engine.")
        policy, loop = self._policy, asyncio.get_running_loop()
        self._waiting += 1
        try:
            future = loop.run_in_executor(self._threads, self._evaluate, policy, entrypoint, document)
            async with asyncio.timeout(self._deadline_s):
                result = await future
        except TimeoutError:
            raise unavailable(Failure.TIMEOUT, "The policy engine did not answer in time.") from None
        finally:
            self._waiting -= 1
        return Evaluation(
            result=None if result is None else msgspec.Raw(result),
            revision=policy.revision,
            engine="embedded",
        )

    async def ready(self) -> Readiness:
        """Ask the first known vector; say so if the folder holds a policy that was refused."""
        error = self._refusal
        try:
            evaluation = await self.evaluate(VECTORS[0].entrypoint, VECTORS[0].document)
            problem = VECTORS[0].problem(evaluation.result)
        except PolicyUnavailable as unanswered:
            problem = unanswered.message
        return Readiness(
            ready=problem is None,
            engine="embedded",
            revision=self._policy.revision,
            stale=self._refusal is not None,
            error=problem or error,
        )

    async def aclose(self) -> None:
        """Let the threads go. An evaluation that hangs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _evaluate(self, policy: LoadedPolicy, entrypoint: Entrypoint, document: bytes) -> bytes | None:
        return evaluate(self._worker.interpreter, policy, entrypoint, document)
