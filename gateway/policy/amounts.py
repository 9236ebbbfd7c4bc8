"""How much, in what currency, to whom: from the arguments, or looked up at the target when they do not say.

A lookup is a read at the target as the call itself would be made there: with the gateway's own credential, or with the
caller's exchanged token. Its answer is the target's word about its own record, which is the only word there is. Lookup
and call are two steps: what was looked up is in the approver's view and in the question, and a view that changed voids
the signatures given for the old one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from gateway.door.call import ToolCall
from gateway.door.host import Unasked
from gateway.errors import UpstreamUnavailable
from gateway.policy.money import Money
from gateway.upstream.target import Effect, Upstream

LOOKUP_SUFFIX = "-lookup"
"""Makes the lookup's idempotency key another one than the call's: a target must never take one for the other. PayPal
allows 38 characters."""

MAX_READS = 3
"""Reads for one call: a dispute leads to a capture, and that to an order."""


class MoneyRules(Protocol):
    """What one server's tools say about money. Pure."""

    def money_of(self, tool: str, arguments: Mapping[str, Any]) -> Money | None:
        """From the arguments alone; None: the tool moves no money."""
        ...

    def lookup_for(
        self, tool: str, arguments: Mapping[str, Any], answers: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[str, dict[str, Any]] | None:
        """The next read that tells the rest, after those answers: tool name and arguments; None: there is none."""
        ...

    def money_from(
        self, tool: str, arguments: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]
    ) -> Money:
        """The money, from the arguments and those reads' structured answers, of which the last may be missing."""
        ...


class _Read(msgspec.Struct):
    structuredContent: dict[str, Any] | None = None  # noqa: N815 - the name on the MCP wire


class Amounts:
    """Money facts per server. A server without rules has none: its tools move no money we know of."""

    def __init__(self, rules: Mapping[str, MoneyRules], upstreams: Mapping[str, Upstream]) -> None:
        self._rules = rules
        self._upstreams = upstreams

    async def of(self, call: ToolCall, *, before: Money | None = None) -> Money | None:
        """The money of one call. What cannot be learned has ``source: unknown`` and no amount; policy denies it.

        ``before``: what was found out when the same arguments were judged a moment ago, in the same request. It is
        taken again only where the arguments themselves say how much: what was looked up beside them then (who paid a
        capture, and is paid back) does not change. An amount that the target told is asked for anew, every time, for a
        person may have thought for a minute in between. Attack: the order is made dearer after the picture was shown;
        only a live answer differs from the picture, and voids the signature on it.
        """
        rules = self._rules.get(call.server)
        if rules is None:
            return None
        if before is not None and before.source == "arguments":
            return before
        money = rules.money_of(call.tool, call.arguments)
        if money is None:
            return None
        answers: list[dict[str, Any]] = []
        while len(answers) < MAX_READS:
            lookup = rules.lookup_for(call.tool, call.arguments, answers)
            if lookup is None:
                break
            answer = await self._read(call, lookup)
            if answer is None:
                break
            answers.append(answer)
        return rules.money_from(call.tool, call.arguments, answers) if answers else money

    async def _read(self, call: ToolCall, lookup: tuple[str, dict[str, Any]]) -> dict[str, Any] | None:
        """One read's structured answer, as whoever the call itself would be made as: under token exchange that is the
        caller. Attack: a caller learns by the amount what only the gateway's own account may read. None: no answer."""
        tool, arguments = lookup
        try:
            reply = await self._upstreams[call.server].call(
                tool,
                arguments,
                transaction_id=call.call_id[:30] + LOOKUP_SUFFIX,
                meta={},
                host=Unasked(call.credentials.bearer),
            )
        except UpstreamUnavailable:
            return None
        if reply.effect is not Effect.EXECUTED or reply.result is None or reply.is_error:
            return None
        try:
            return msgspec.json.decode(reply.result, type=_Read).structuredContent
        except (ValueError, RecursionError):
            return None
