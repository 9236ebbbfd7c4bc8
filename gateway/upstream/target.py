"""What every upstream is to the rest of the house: an MCP server with a name. Values and the Protocol only."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import msgspec

TRANSACTION_META_KEY = "dev.countersign/transaction"
"""``_meta`` key by which the gateway hands an upstream of its own the transaction id: the idempotency key."""

OUTCOME_META_KEY = "dev.countersign/upstream"
"""``_meta`` key in which an upstream of our own says how the call ended. Never believed from foreign servers."""


class Effect(StrEnum):
    """What is known about the target after a call. ``unknown`` is never reported as failed (invariant 4)."""

    EXECUTED = "executed"
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


class Upstream(Protocol):
    """A target. Implementations hold the target's credentials; nothing of the caller's token reaches them."""

    name: str

    async def definitions(self) -> list[dict[str, Any]]:
        """All tool definitions as they are now, exactly as sent. :raises UpstreamUnavailable:"""
        ...

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, transaction_id: str, meta: Mapping[str, Any]
    ) -> Reply:
        """Carry out one call, at most once.

        Never raises for anything that happened after bytes were sent: that is ``Effect.UNKNOWN``.
        :raises UpstreamUnavailable: nothing was sent.
        """
        ...

    async def aclose(self) -> None:
        """Close what is open. Idempotent."""
        ...
