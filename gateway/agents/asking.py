"""Asks every agent about a call that waits, in the background; the call itself waits for nothing here.

A no of one agent is final. What is no answer leaves the call as it is; when all were asked, only agents may confirm,
and it is not enough, the call is refused and says so. Only the process that let the call wait asks; what becomes of the
call when that process ends in the middle: ``orphans.py``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final

from gateway.agents.case import Case, case_of
from gateway.agents.countersigning import Countersigning
from gateway.agents.said import Agent, Failure, NoAnswer
from gateway.errors import CountersignError
from gateway.outcome.pending import Pending
from gateway.policy.money import Money

MAX_CASES: Final = 1024
"""Calls that are being asked about; above that nobody is asked. One caller can let a hundred wait."""
AT_ONCE: Final = 32
"""Calls whose agents are asked at the same time."""
_LOG = logging.getLogger("countersign.agents")


class Asking:
    """The agents of the settings; :class:`gateway.outcome.confirm.Opened` for those calls that agents may confirm."""

    def __init__(self, agents: Sequence[Agent], signing: Countersigning) -> None:
        self.answers: Counter[str] = Counter()
        """How often each kind of answer was given (``approve``, ``refuse``, ``timed_out`` ...), for metrics."""
        self._agents = tuple(agents)
        self._signing = signing
        self._places = asyncio.Semaphore(AT_ONCE)
        self._cases: set[asyncio.Task[None]] = set()
        self._writing: set[asyncio.Task[None]] = set()

    def opened(self, pending: Pending, arguments: Mapping[str, Any], money: Money | None) -> None:
        """Start to ask. Returns at once."""
        if "agent" not in pending.obligation.by:
            return
        if len(self._cases) >= MAX_CASES:
            self.answers["not_asked"] += 1
            _LOG.error("too many calls wait for agents; nobody is asked about %s", pending.transaction_id)
            return
        task = asyncio.ensure_future(self._ask_all(pending, arguments, money))
        self._cases.add(task)
        task.add_done_callback(self._cases.discard)

    async def aclose(self) -> None:
        """Ask nobody any more; what an agent had said is still written."""
        for task in self._cases:
            task.cancel()
        await asyncio.gather(*self._cases, return_exceptions=True)
        await asyncio.gather(*self._writing, return_exceptions=True)
        for agent in self._agents:
            await agent.aclose()

    async def _ask_all(self, pending: Pending, arguments: Mapping[str, Any], money: Money | None) -> None:
        case = case_of(pending, arguments, money)
        async with self._places:
            await asyncio.gather(*(self._ask(agent, case, pending) for agent in self._agents))
        if set(pending.obligation.by) == {"agent"}:
            await self._write(pending, self._signing.unconfirmed(pending))

    async def _ask(self, agent: Agent, case: Case, pending: Pending) -> None:
        try:
            said = await agent.ask(case)
        except NoAnswer as problem:
            failure = problem.failure
        except Exception:  # noqa: BLE001 - what breaks in one agent must not keep the others from being heard
            _LOG.exception("the agent %s broke", agent.name)
            failure = Failure.BROKEN
        else:
            self.answers[said.decision] += 1
            await self._write(pending, self._signing.said(agent.name, said, pending))
            return
        self.answers[failure] += 1
        _LOG.warning("agent %s, call %s: no answer (%s)", agent.name, pending.transaction_id, failure.value)
        await self._write(pending, self._signing.silent(agent.name, failure, pending))

    async def _write(self, pending: Pending, writing: Coroutine[Any, Any, object]) -> None:
        """Not undone half-way by a shutdown: the audit and the store would tell different stories."""
        task = asyncio.ensure_future(self._written(pending, writing))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        await asyncio.shield(task)

    async def _written(self, pending: Pending, writing: Coroutine[Any, Any, object]) -> None:
        try:
            await writing
        except CountersignError as problem:
            _LOG.error("call %s: what an agent said is lost: %s", pending.transaction_id, problem.message)
        except Exception:  # noqa: BLE001 - nobody awaits this but the shutdown
            _LOG.exception("call %s: what an agent said is lost", pending.transaction_id)
