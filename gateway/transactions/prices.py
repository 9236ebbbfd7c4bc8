"""Whether a call that would be sent again still moves the money that was countersigned.

Attack: an order is made dearer while its first capture is in doubt, and the repeat takes what nobody signed for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from gateway.door.call import Client, Era, ToolCall
from gateway.identity.credentials import NO_CREDENTIALS
from gateway.policy.money import Money
from gateway.transactions.transaction import Transaction


class Prices(Protocol):
    """What a call costs whom, as the target says now (``policy.amounts.Amounts``)."""

    async def of(self, call: ToolCall) -> Money | None:
        """None: it moves no money."""
        ...


async def as_countersigned(prices: Prices, one: Transaction, arguments: Mapping[str, Any]) -> bool:
    """Whether amount, currency and everybody who pays and receives are certainly those of the first time."""
    call = ToolCall(
        call_id=one.call_id,
        received_at=one.started_at,
        server=one.server,
        tool=one.tool,
        arguments=dict(arguments),
        arguments_hash=one.arguments_hash,
        era=Era.LEGACY,
        protocol="",
        client=Client(),
        credentials=NO_CREDENTIALS,
    )
    return await prices.of(call) == one.money
