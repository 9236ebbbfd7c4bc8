"""What is at the target now, beside what the call makes of it: looked up once, when the call begins to wait.

A read with the gateway's own credentials, under one deadline: nobody's call is held up by a slow target, and a picture
without it says so. It informs and decides nothing: what is sent are the judged arguments (invariant 8), and what the
target says stays with whoever decides. The answer is hostile text like any other: every row is made visible and cut.

NOT seen: what moves at the target between the look and the execution. The page says when it was looked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from gateway.errors import CountersignError
from gateway.outcome.view import Before, change
from gateway.policy.question import Asked
from gateway.upstream.target import Effect, Reply, Upstream

DEADLINE_S: Final = 2.0
MAX_CHANGES: Final = 40
"""Rows of one picture. More than that nobody compares."""
SUFFIX: Final = "-before"
"""Makes the look's idempotency key another one than the call's, as ``policy/amounts.py`` does."""
NO_ANSWER: Final = "The target did not answer in time."
NOT_READABLE: Final = "The target's answer could not be read."
NOT_THERE: Final = "The target says that it does not exist."
_NOT_FOUND = 404
_LOG = logging.getLogger("countersign.outcome")

Row = tuple[str, Any, Any]
"""Name, as it is, as it becomes. None for the second: not said, or nothing yet; for the third: stays as it is."""


class StandingRules(Protocol):
    """What one server's tools change. Pure; never raises for anything that arguments or answers hold."""

    def lookup_for(self, tool: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """The read that shows what the call changes: tool name and arguments. None: it changes nothing that is."""
        ...

    def rows(
        self, tool: str, arguments: Mapping[str, Any], structured: Mapping[str, Any]
    ) -> Sequence[Row] | None:
        """What that read's structured answer says; ``{}`` stands for: it does not exist. None: nothing usable."""
        ...


class _Read(msgspec.Struct):
    structuredContent: dict[str, Any] | None = None  # noqa: N815 - the name on the MCP wire


_READ = msgspec.json.Decoder(_Read)


class Standing:
    """:class:`gateway.outcome.confirm.Stands` over the upstreams. ``now`` is unix seconds."""

    def __init__(
        self,
        rules: Mapping[str, StandingRules],
        upstreams: Mapping[str, Upstream],
        *,
        now: Callable[[], float],
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._rules = rules
        self._upstreams = upstreams
        self._now = now
        self._deadline_s = deadline_s

    async def of(self, asked: Asked) -> Before | None:
        """See ``Stands.of``."""
        call = asked.call
        rules = self._rules.get(call.server)
        wanted = None if rules is None else rules.lookup_for(call.tool, call.arguments)
        if rules is None or wanted is None:
            return None
        tool, arguments = wanted
        try:
            async with asyncio.timeout(self._deadline_s):
                reply = await self._upstreams[call.server].call(
                    tool, arguments, transaction_id=call.call_id[:30] + SUFFIX, meta={}
                )
        except (TimeoutError, CountersignError):
            return self._unreadable(NO_ANSWER)
        except Exception:  # noqa: BLE001 - a look that breaks must not keep a call from being judged
            _LOG.exception("what %s changes could not be looked at", call.tool)
            return self._unreadable(NOT_READABLE)
        structured = _structured(reply)
        rows = None if structured is None else rules.rows(call.tool, call.arguments, structured)
        if rows is None:
            return self._unreadable(NOT_THERE if reply.status == _NOT_FOUND else NOT_READABLE)
        told = [row for row in rows if (row[1], row[2]) != (None, None)]
        told.sort(key=lambda row: row[2] in (None, row[1]))  # what moves comes first
        return Before(at=int(self._now()), changes=tuple(change(*row) for row in told[:MAX_CHANGES]))

    def _unreadable(self, why: str) -> Before:
        return Before(at=int(self._now()), unreadable=why)


def _structured(reply: Reply) -> dict[str, Any] | None:
    """``{}``: it does not exist. None: no answer that tells."""
    if reply.status == _NOT_FOUND:
        return {}
    if reply.effect is not Effect.EXECUTED or reply.result is None or reply.is_error:
        return None
    try:
        return _READ.decode(reply.result).structuredContent or None
    except (ValueError, RecursionError):
        return None
