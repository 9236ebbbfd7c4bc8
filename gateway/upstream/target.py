"""What every upstream is to the rest of the house: an MCP server with a name. Values and the Protocol only."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from gateway.door.call import Era
from gateway.door.host import NOBODY, Host

TRANSACTION_META_KEY = "dev.countersign/transaction"
"""``_meta`` key by which the gateway hands an upstream of its own the transaction id: the idempotency key."""

OUTCOME_META_KEY = "dev.countersign/upstream"
"""``_meta`` key in which an upstream of our own says how the call ended. Never believed from foreign servers."""


class Effect(StrEnum):
    """What is known about the target after a call. ``unknown`` is never reported as failed (invariant 4).

    ``waiting``: the target asks for more before it goes on (``input_required``, 2026-07-28/basic/patterns/mrtr).
    """

    EXECUTED = "executed"
    WAITING = "waiting"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """How an upstream answered one ``tools/call``.

    ``result`` is the encoded JSON-RPC ``result`` object and None where the upstream answered with an ``error``
    (then ``error`` holds it). ``debug_id`` and ``request_id`` are the target's own ids, for the audit.
    """

    effect: Effect
    result: msgspec.Raw | None = None
    error: dict[str, Any] | None = None
    is_error: bool = False
    result_type: str | None = None
    status: int | None = None
    debug_id: str | None = None
    request_id: str | None = None


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """What a host brings back to a target that asked for more: the target's own state, untouched, and the answers."""

    request_state: str | None
    input_responses: msgspec.Raw | None


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says about itself when it is opened. Its own words: shown, never believed."""

    era: Era
    protocol: str
    capabilities: dict[str, Any]
    instructions: str | None = None


class Upstream(Protocol):
    """A target. Implementations hold the target's credentials; nothing of the caller's token reaches them.

    ``host`` is whoever asked, for what the target says or asks before it answers. A host that declared nothing is
    asked nothing; cancelling any of these methods cancels the request at the target, in the target's own era.
    """

    name: str
    cancels: bool
    """Whether a call under way can be stopped. Where it cannot (a REST API), it is carried to its end although its
    host has gone, so that the record says how it ended."""

    async def about(self) -> About:
        """What the server says about itself. :raises UpstreamUnavailable:"""
        ...

    async def definitions(self) -> list[dict[str, Any]]:
        """All tool definitions as they are now, exactly as sent. :raises UpstreamUnavailable:"""
        ...

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        transaction_id: str,
        meta: Mapping[str, Any],
        host: Host = NOBODY,
        resumed: Resumed | None = None,
    ) -> Reply:
        """Carry out one call, at most once.

        Never raises for anything that happened after bytes were sent: that is ``Effect.UNKNOWN``. Where the target
        asks a host that can be asked only by ``input_required``, the reply is ``Effect.WAITING`` with that result;
        where the host can be asked in between (``host.ask``), it is asked, and the call goes on.
        :raises UpstreamUnavailable: nothing was sent.
        """
        ...

    async def request(
        self, method: str, params: Mapping[str, Any], *, host: Host = NOBODY, resumed: Resumed | None = None
    ) -> Reply:
        """Any other request that the policy let pass (``resources/read``, ``prompts/get`` ...): its answer as it came.

        ``params`` are the host's, ``_meta`` included. :raises UpstreamUnavailable: no answer.
        """
        ...

    async def tell(self, method: str, params: Mapping[str, Any], *, host: Host) -> None:
        """One notification of the host (``notifications/roots/list_changed``). Best effort; never raises."""
        ...

    async def listen(self, params: Mapping[str, Any], *, host: Host) -> None:
        """Hand over, by ``host.notify`` and ``host.ask``, what the server says on its own account; returns when the
        server ends it, and runs until cancelled otherwise.

        ``params`` are those of ``subscriptions/listen`` and empty for a GET stream of the older era.
        :raises UpstreamUnavailable: the server offers no such stream, or it cannot be reached.
        """
        ...

    async def forget(self, key: str) -> None:
        """The conversation of that key is over: end what was opened for it. Never raises."""
        ...

    async def aclose(self) -> None:
        """Close what is open. Idempotent."""
        ...
