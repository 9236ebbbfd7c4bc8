"""How much, in what currency, to whom: from the arguments, or looked up at the target when they do not say.

A lookup is a read at the target as the call itself would be made there: with the gateway's own credential, or with the
caller's exchanged token. Its answer is the target's word about its own record, which is the only word there is. Lookup
and call are two steps: what was looked up is in the approver's view and in the question, and a view that changed voids
the signatures given for the old one.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
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

MAX_KNOWN = 1_000
KNOWN_S = 600.0
"""How many parties of calls are remembered, and for how many seconds: a person may think for some minutes."""


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
    """Money facts per server. A server without rules has none: its tools move no money we know of.

    One call is judged several times: at its handshake, while a person thinks, and before it leaves. An amount that the
    target told is asked for anew each time, for it may have changed meanwhile. Attack: the order is made dearer after
    its picture was shown; only a live answer differs from the picture, and voids the signature on it. What is
    remembered, for some minutes, is what was learned beside an amount that stands in the arguments: who paid a capture,
    and gets it back, and in what currency, never changes; the arguments are in the key by their hash.
    """

    def __init__(
        self,
        rules: Mapping[str, MoneyRules],
        upstreams: Mapping[str, Upstream],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._upstreams = upstreams
        self._monotonic = monotonic
        self._known: OrderedDict[tuple[str, str, str, bytes], tuple[float, Money]] = OrderedDict()

    async def of(self, call: ToolCall) -> Money | None:
        """The money of one call. What cannot be learned has ``source: unknown`` and no amount; policy denies it."""
        rules = self._rules.get(call.server)
        if rules is None:
            return None
        money = rules.money_of(call.tool, call.arguments)
        if money is None:
            return None
        lookup = rules.lookup_for(call.tool, call.arguments)
        if lookup is None:
            return money
        key = _key(call)
        kept = self._known.get(key)
        if kept is not None and self._monotonic() < kept[0]:
            return kept[1]
        answers: list[dict[str, Any]] = []
        while lookup is not None and len(answers) < MAX_READS:
            answer = await self._read(call, lookup)
            if answer is None:
                break
            answers.append(answer)
            lookup = rules.lookup_for(call.tool, call.arguments, answers)
        if not answers:
            return money
        found = rules.money_from(call.tool, call.arguments, answers)
        if found.source == "arguments" and found.payees:
            self._remember(key, found)
        return found

    def _remember(self, key: tuple[str, str, str, bytes], money: Money) -> None:
        self._known[key] = (self._monotonic() + KNOWN_S, money)
        self._known.move_to_end(key)
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

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


def _key(call: ToolCall) -> tuple[str, str, str, bytes]:
    """With whose token it was read: what one caller may read at the target is no answer to another."""
    bearer = call.credentials.bearer
    return call.server, call.tool, call.arguments_hash, b"" if bearer is None else bearer.sha256()
