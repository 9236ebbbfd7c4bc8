"""Calls that wait for a confirmation when an order is given: taken out, so that a later lift does not revive them.

Signatures that were collected before something was stopped say nothing about the time after. While the order is in
force no new call of its kind gets as far as to wait (``switch.py``). An order against a revision sweeps nothing: a call
that waits is judged anew by whatever policy there is then.
"""

from __future__ import annotations

import msgspec

from gateway.identity.caller import Caller
from gateway.kill.order import KillOrder, Orders
from gateway.outcome.pending import Pending
from gateway.state.ledger import Extent
from gateway.state.store import MAX_ENTRIES, Space, Store


async def void_waiting(store: Store, order: KillOrder) -> int:
    """Take out what waits and is stopped by this order, however much waits; how many. :raises StoreUnavailable:"""
    orders, voided, after = Orders((order,)), 0, ""
    while rows := await store.entries(Space.PENDING, limit=MAX_ENTRIES, after=after):
        for key, value in rows:
            voided += await _voided(store, orders, key, value)
        after = rows[-1][0]
    return voided


async def _voided(store: Store, orders: Orders, key: str, value: bytes) -> bool:
    try:
        pending = msgspec.json.decode(value, type=Pending)
    except ValueError:  # being carried out at this moment, or nothing that waits
        return False
    caller = Caller(issuer=pending.caller_issuer, subject=pending.caller_subject)
    bound = pending.binding
    if orders.against_call(caller, bound.server, bound.tool, bound.definition_hash) is None:
        return False
    taken = await store.take(Space.PENDING, key) is not None
    # It was stopped: that nobody confirmed it in time is not its end, and no budget holds anything for it.
    await store.take(Space.DEADLINE, key)
    await store.release(pending.transaction_id, extent=Extent.HELD)
    return taken
