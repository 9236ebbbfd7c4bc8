"""An engine whose answers count only when they come from a revision that may decide.

Attacks: an old bundle, signed and whole, handed to the sidecar again because it let through what the new one forbids;
and a bundle that compiles and says yes to everything. So each new revision is asked the known vectors once before its
first answer counts, and one that is older than the last accepted one is not heard.

What it costs a call: one comparison of two strings. The store is asked when a revision is seen for the first time, and
once a second by a task of its own, so that what other gateways accepted, or an operator, is known here, too.

NOT seen: an edit under a revision that stays the same (OPA on a plain folder). Signed bundles have no such edits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

import msgspec

from gateway.bundle.acceptance import Accepted, Standing, read_accepted, standing, take_up
from gateway.bundle.revision import Sequenced, sequenced
from gateway.errors import PolicyUnavailable, StoreUnavailable
from gateway.policy.engine import Engine, Entrypoint, Evaluation, Failure, Readiness, unavailable
from gateway.policy.vectors import VECTORS
from gateway.state.store import Store

REFRESH_S = 1.0
"""Seconds between two looks of the task."""
PROVE_AGAIN_S = 1.0
"""A folder that was mended keeps its revision: what failed is asked again, but not by every call."""
MAX_PROVED = 64
Rollback = Literal["refuse", "strict", "allow"]
_LOG = logging.getLogger("countersign.policy")


class _Changed(Exception):
    """The engine took up another revision at this moment."""


class GuardedEngine:
    """``rollback``: ``refuse`` older revisions, to which those without a sequence belong once one with a sequence was
    accepted; ``strict``: those without are refused from the first on; ``allow``: nobody looks.

    ``rollout_s``: how long the revision that was accepted until now may go on deciding.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        *,
        now: Callable[[], float],
        rollback: Rollback = "refuse",
        rollout_s: float = 120.0,
    ) -> None:
        self._engine = engine
        self._store = store
        self._now = now
        self._rollback = rollback
        self._rollout_s = rollout_s
        self._current: str | None = None
        """May decide, without a further look."""
        self._accepted: Accepted | None = None
        self._proved: set[str] = set()
        self._failed: dict[str, tuple[float, str]] = {}
        self._said: str | None = None
        self._one_at_a_time = asyncio.Lock()

    async def evaluate(self, entrypoint: Entrypoint, document: bytes) -> Evaluation:
        """As the engine's own.

        :raises PolicyUnavailable: ``policy.rolled_back``, ``policy.unsequenced``, ``policy.unproven`` or
            ``policy.revision_unknown`` besides: its answer does not count.
        """
        evaluation = await self._engine.evaluate(entrypoint, document)
        if evaluation.revision == self._current:
            return evaluation
        try:
            await self._judge(evaluation.revision)
        except _Changed:
            evaluation = await self._engine.evaluate(entrypoint, document)
            try:
                await self._judge(evaluation.revision)
            except _Changed:
                raise unavailable(
                    Failure.REVISION_UNKNOWN, "The policy changes at this moment; try again."
                ) from None
        return evaluation

    async def ready(self) -> Readiness:
        """Whether it can decide, and may."""
        readiness = await self._engine.ready()
        if not readiness.ready or readiness.revision == self._current:
            return readiness
        try:
            await self._judge(readiness.revision)
        except _Changed:
            return msgspec.structs.replace(readiness, ready=False, error="The policy changes at this moment.")
        except PolicyUnavailable as problem:
            return msgspec.structs.replace(readiness, ready=False, error=problem.message)
        return readiness

    async def aclose(self) -> None:
        """Close the engine."""
        await self._engine.aclose()

    async def refresh(self) -> None:
        """Look at what is accepted now. :raises StoreUnavailable: the copy stays as it was."""
        accepted = await read_accepted(self._store)
        if accepted != self._accepted:
            self._accepted, self._current = accepted, None

    async def run(self) -> None:
        """Renew the copy for ever."""
        well = True
        while True:
            try:
                await self.refresh()
                well = True
            except StoreUnavailable as problem:
                if well:
                    _LOG.error("the accepted policy revision cannot be renewed: %s", problem.message)
                well = False
            await asyncio.sleep(REFRESH_S)

    async def _judge(self, revision: str) -> None:
        """Return when this revision may decide. :raises PolicyUnavailable: :raises _Changed:"""
        async with self._one_at_a_time:
            if revision == self._current:
                return
            try:
                await self._prove(revision)
                stands = await self._stands(revision)
            except PolicyUnavailable as problem:
                problem.data["revision"] = revision  # for the record
                self._refused(revision, problem)
                raise
            if stands is not Standing.LEAVING:
                self._current = revision
                self._said = None

    async def _prove(self, revision: str) -> None:
        if revision in self._proved:
            return
        at, problem = self._failed.get(revision, (0.0, ""))
        if not problem or not at <= self._now() < at + PROVE_AGAIN_S:
            problem = await self._asked(revision)
        if problem:
            raise unavailable(Failure.UNPROVEN, f"The policy {revision} does not say no: {problem}.")

    async def _asked(self, revision: str) -> str:
        """Ask the known vectors; what is wrong with the answers, and nothing if they are right."""
        for vector in VECTORS:
            evaluation = await self._engine.evaluate(vector.entrypoint, vector.document)
            if evaluation.revision != revision:
                raise _Changed
            if problem := vector.problem(evaluation.result):
                self._failed = {revision: (self._now(), problem)}
                return problem
        if len(self._proved) >= MAX_PROVED:
            self._proved.clear()
        self._proved.add(revision)
        self._failed.pop(revision, None)
        return ""

    async def _stands(self, revision: str) -> Standing:
        if self._rollback == "allow":
            return Standing.ACCEPTED
        found = _sequenced_in(revision)
        if found is None:
            # After the first sequence: or an old bundle of another builder would be a way around all of this.
            if self._rollback == "strict" or self._accepted is not None:
                raise unavailable(Failure.UNSEQUENCED, f"The policy {revision} has no sequence.")
            return Standing.ACCEPTED
        stands = standing(found, self._accepted, now=self._now(), rollout_s=self._rollout_s)
        if stands is Standing.NEWER:
            stands = await self._take_up(found)
        if stands is Standing.OLDER:
            assert self._accepted is not None  # older than that one
            raise unavailable(
                Failure.ROLLED_BACK,
                f"The policy {revision} is not newer than {self._accepted.revision}, which was accepted.",
            )
        return stands

    async def _take_up(self, found: Sequenced) -> Standing:
        try:
            stands, accepted = await take_up(self._store, found, now=self._now(), rollout_s=self._rollout_s)
        except StoreUnavailable:
            # It may be older than what another gateway accepted: nobody can say at the moment.
            raise unavailable(
                Failure.REVISION_UNKNOWN, f"Whether the policy {found.text} is the newest cannot be said."
            ) from None
        self._accepted = accepted
        if stands is Standing.NEWER:
            _LOG.warning("policy revision %s decides from now on", found.text)
        return stands

    def _refused(self, revision: str, problem: PolicyUnavailable) -> None:
        if self._said != revision:
            _LOG.error("answers of the policy are not heard (%s): %s", problem.code, problem.message)
        self._said = revision


def _sequenced_in(revision: str) -> Sequenced | None:
    """Of several bundles (``name=revision;...``) the one that has a sequence; two of them are one too many to order."""
    found = [sequenced(one.partition("=")[2] or one) for one in revision.split(";")]
    known = [one for one in found if one is not None]
    return known[0] if len(known) == 1 else None
