"""How much, in what currency, to whom: from the arguments, or looked up at the target when they do not say.

A lookup is a read at the target with the gateway's own credentials; its answer is the target's word about its own
record, which is the only word there is. Lookup and call are two steps: what was looked up is in the approver's view
and in the question, and a view that changed voids the signatures given for the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from gateway.door.call import ToolCall
from gateway.errors import UpstreamUnavailable
from gateway.policy.money import Money
from gateway.upstream.target import Effect, Upstream

LOOKUP_SUFFIX = "-lookup"
"""Makes the lookup's idempotency key another one than the call's: a target must never take one for the other. PayPal
allows 38 characters."""


class MoneyRules(Protocol):
    """What one server's tools say about money. Pure."""

    def money_of(self, tool: str, arguments: Mapping[str, Any]) -> Money | None:
        """From the arguments alone; None: the tool moves no money."""
        ...

    def lookup_for(self, tool: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """The read that tells the amount: tool name and arguments."""
        ...

    def money_from(self, tool: str, arguments: Mapping[str, Any], structured: Mapping[str, Any]) -> Money:
        """The money in that read's structured answer."""
        ...


class _Read(msgspec.Struct):
    structuredContent: dict[str, Any] | None = None  # noqa: N815 - the name on the MCP wire


class Amounts:
    """Money facts per server. A server without rules has none: its tools move no money we know of."""

    def __init__(self, rules: Mapping[str, MoneyRules], upstreams: Mapping[str, Upstream]) -> None:
        self._rules = rules
        self._upstreams = upstreams

    async def of(self, call: ToolCall) -> Money | None:
        """The money of one call. What cannot be learned has ``source: unknown`` and no amount; policy denies it."""
        rules = self._rules.get(call.server)
        if rules is None:
            return None
        money = rules.money_of(call.tool, call.arguments)
        if money is None or money.amount is not None:
            return money
        lookup = rules.lookup_for(call.tool, call.arguments)
        if lookup is None:
            return money
        tool, arguments = lookup
        try:
            reply = await self._upstreams[call.server].call(
                tool, arguments, transaction_id=call.call_id[:30] + LOOKUP_SUFFIX, meta={}
            )
        except UpstreamUnavailable:
            return money
        if reply.effect is not Effect.EXECUTED or reply.result is None or reply.is_error:
            return money
        try:
            read = msgspec.json.decode(reply.result, type=_Read)
        except (ValueError, RecursionError):
            return money
        return rules.money_from(call.tool, call.arguments, read.structuredContent or {})
