"""The orders in the store: given and lifted by compare-and-set. Errors: ``StoreUnavailable``."""

from __future__ import annotations

from gateway.errors import StoreUnavailable
from gateway.kill.order import KillOrder, decode, encode
from gateway.state.store import Space, Store

KEY = "orders"
ATTEMPTS = 20


async def read_orders(store: Store) -> tuple[KillOrder, ...]:
    """Those in force, oldest first. :raises StoreUnavailable: also when what is there cannot be read."""
    return _decoded(await store.get(Space.KILL, KEY))


async def give(store: Store, order: KillOrder) -> None:
    """Stop something, for all processes on this store. :raises ValueError: too many orders."""
    for _ in range(ATTEMPTS):
        found = await store.get(Space.KILL, KEY)
        if await _replaced(store, found, (*_decoded(found), order)):
            return
    raise _contended()


async def lift(store: Store, order_id: str) -> KillOrder | None:
    """Take an order back; None where there is none of that id."""
    for _ in range(ATTEMPTS):
        found = await store.get(Space.KILL, KEY)
        orders = _decoded(found)
        lifted = next((one for one in orders if one.id == order_id), None)
        if lifted is None:
            return None
        if await _replaced(store, found, tuple(one for one in orders if one is not lifted)):
            return lifted
    raise _contended()


async def _replaced(store: Store, found: bytes | None, orders: tuple[KillOrder, ...]) -> bool:
    value = encode(orders)
    if found is None:
        return await store.add(Space.KILL, KEY, value, ttl_s=None)
    return await store.swap(Space.KILL, KEY, expected=found, value=value, ttl_s=None)


def _decoded(document: bytes | None) -> tuple[KillOrder, ...]:
    try:
        return decode(document)
    except ValueError:  # msgspec's own errors, and broken UTF-8
        raise StoreUnavailable(
            "The kill orders in the store cannot be read.", code="kill.unreadable"
        ) from None


def _contended() -> StoreUnavailable:
    return StoreUnavailable(
        "The kill orders change too often at the moment; try again.", code="kill.contended"
    )
