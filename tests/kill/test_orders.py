"""Orders: what they stop, and that none is lost."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import StoreUnavailable
from gateway.identity.caller import Caller
from gateway.kill.order import MAX_ORDERS, KillOrder, Orders, decode, encode
from gateway.kill.orders import KEY, give, lift, read_orders
from gateway.kill.sweep import void_waiting
from gateway.state.sqlite import SqliteStore
from gateway.state.store import MAX_ENTRIES, Space
from tests.support.waiting import a_pending

CALLER = Caller(issuer="https://idp.example", subject="agent-one")
HASH = "d" * 64


def an_order(kind: Any = "caller", value: str = "agent-one", **members: Any) -> KillOrder:
    """One order."""
    return KillOrder(
        **{"id": "o1", "kind": kind, "value": value, "reason": "Odd.", "by": "ops", "at": 1, **members}
    )


@pytest.mark.parametrize(
    ("order", "stopped"),
    [
        (an_order(), True),
        (an_order(within="https://idp.example"), True),
        (an_order(within="https://other.example"), False),
        (an_order(value="agent-two"), False),
        (an_order("tool", "create_refund"), True),
        (an_order("tool", "create_refund", within="paypal"), True),
        (an_order("tool", "create_refund", within="depot"), False),
        (an_order("definition", HASH), True),
        (an_order("definition", "e" * 64), False),
        (an_order("revision", "agent-one"), False),
        (an_order("tool", "agent-one"), False),
    ],
)
def test_what_an_order_stops(order: KillOrder, *, stopped: bool) -> None:
    """Exactly what it names, wherever it does not say where."""
    found = Orders((order,)).against_call(CALLER, "paypal", "create_refund", HASH)
    assert (found is order) is stopped


def test_a_revision_is_stopped_by_its_name() -> None:
    """And no other."""
    orders = Orders((an_order("revision", "r1"),))
    assert orders.against_revision("r1") is not None
    assert orders.against_revision("r2") is None
    assert Orders(()).against_revision("") is None


@given(st.binary())
def test_any_document_is_orders_or_an_error(document: bytes) -> None:
    """Never another error, and never silently none."""
    try:
        orders = decode(document)
    except ValueError:
        return
    assert decode(encode(orders)) == orders


async def test_no_order_is_lost(tmp_path: Path) -> None:
    """Operators who write at the same moment; one of them takes his own back."""
    store = SqliteStore(tmp_path / "state.sqlite3")
    assert await read_orders(store) == ()
    await asyncio.gather(*(give(store, an_order(id=f"o{n}")) for n in range(8)))
    assert {one.id for one in await read_orders(store)} == {f"o{n}" for n in range(8)}
    lifted = await lift(store, "o3")
    assert lifted is not None
    assert lifted.id == "o3"
    assert await lift(store, "o3") is None
    assert len(await read_orders(store)) == 7
    await store.aclose()


async def test_orders_that_cannot_be_read_are_not_none(tmp_path: Path) -> None:
    """Neither read nor written over."""
    store = SqliteStore(tmp_path / "state.sqlite3")
    await store.put(Space.KILL, KEY, b"[{", ttl_s=None)
    for attempt in (read_orders(store), give(store, an_order()), lift(store, "o1")):
        with pytest.raises(StoreUnavailable) as problem:
            await attempt
        assert problem.value.code == "kill.unreadable"
    await store.aclose()


def test_too_many_orders_are_refused() -> None:
    """That would be a policy."""
    with pytest.raises(ValueError, match="orders"):
        encode(tuple(an_order() for _ in range(MAX_ORDERS + 1)))


async def test_what_waits_behind_ten_thousand_others_is_void_too(tmp_path: Path) -> None:
    """Attack: so much waits that the one signed call is not among the first that are looked at."""
    store = SqliteStore(tmp_path / "state.db")
    for number in range(MAX_ENTRIES):
        await store.put(Space.PENDING, f"{number:064d}", b"claimed", ttl_s=600, durable=number == 0)
    pending = a_pending()
    await store.put(Space.PENDING, "f" * 64, msgspec.json.encode(pending), ttl_s=600)
    assert await void_waiting(store, an_order(value=pending.caller_subject)) == 1
    assert await store.get(Space.PENDING, "f" * 64) is None
    await store.aclose()
