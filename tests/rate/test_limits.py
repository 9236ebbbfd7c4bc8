"""The limits of a caller: by process for everything, by store for what is sensitive."""

import asyncio
from pathlib import Path

import pytest

from gateway.errors import RateLimited, StoreUnavailable
from gateway.identity.caller import Caller
from gateway.rate.limits import WINDOW_S, CallerLimit, ToolLimit
from gateway.state.sqlite import SqliteStore
from tests.support.clock import ManualClock

ONE = Caller(issuer="https://idp.example", subject="agent-one")
TWO = Caller(issuer="https://idp.example", subject="agent-two")


def test_a_caller_is_told_when_to_come_back() -> None:
    """In whole seconds, one at least; another caller is not told anything."""
    limit = CallerLimit(30, 2, monotonic=ManualClock(0))
    limit.count(ONE)
    limit.count(ONE)
    with pytest.raises(RateLimited) as refused:
        limit.count(ONE)
    assert (refused.value.code, refused.value.http_status) == ("rate.exceeded", 429)
    assert refused.value.data["retryAfter"] == refused.value.retry_after_s == 2
    limit.count(TWO)


async def test_gateways_on_one_store_count_together(tmp_path: Path) -> None:
    """Each tool and each caller for itself; a new minute is a new window."""
    clock = ManualClock(1_795_224_010.0)
    stores = [SqliteStore(tmp_path / "state.sqlite3", now=clock) for _ in range(2)]
    limits = [ToolLimit(store, 10, now=clock) for store in stores]
    counted = await asyncio.gather(
        *(limits[n % 2].count(ONE, "paypal", "create_refund") for n in range(30)), return_exceptions=True
    )
    assert counted.count(None) == 10
    refused = next(one for one in counted if isinstance(one, RateLimited))
    assert refused.code == "rate.tool_exceeded"
    assert refused.retry_after_s == WINDOW_S - int(clock.now) % WINDOW_S
    await limits[0].count(TWO, "paypal", "create_refund")
    await limits[0].count(ONE, "paypal", "pay_order")
    await limits[0].count(ONE, "depot", "create_refund")
    clock.advance(refused.retry_after_s)
    await limits[1].count(ONE, "paypal", "create_refund")
    for store in stores:
        await store.aclose()
    with pytest.raises(StoreUnavailable):
        await limits[0].count(TWO, "paypal", "create_refund")
