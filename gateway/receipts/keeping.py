"""Receipts that can be asked for again, for a bounded time, by whoever they are for. Written behind the call's back.

The caller has its receipt in the answer already; a store that is slow or gone must not hold up the news that money
has moved. So writing is a task of its own; a receipt that cannot be kept is logged, and not missed by anybody who kept
theirs. Attack: somebody who has calls refused on purpose, to fill the store. Refusals are kept for an hour only, and no
more than :data:`MAX_WRITING` wait to be written.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from gateway.audit.record import Status
from gateway.errors import StoreUnavailable
from gateway.receipts.receipt import Receipt
from gateway.state.store import MAX_KEY_BYTES, Space, Store

REFUSALS_KEPT_S = 3600.0
MAX_WRITING = 1000
_LOG = logging.getLogger("countersign.receipts")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the store holds: whose it is, and the signed text."""

    issuer: str
    subject: str
    receipt: str


class Keeping:
    """Keeps receipts under their own id and under their transaction's. ``keep_s``: seconds for what was sent."""

    def __init__(self, store: Store, *, keep_s: float) -> None:
        self._store = store
        self._keep_s = keep_s
        self._writing: set[asyncio.Task[None]] = set()

    def keep(self, receipt: Receipt, signed: str) -> None:
        """Write it soon."""
        if receipt.caller is None or len(self._writing) >= MAX_WRITING:
            _LOG.warning("the receipt of call %s is not kept", receipt.jti)
            return
        task = asyncio.create_task(
            self._write(receipt, signed, receipt.caller.issuer, receipt.caller.subject)
        )
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def find(self, name: str) -> Kept | None:
        """The receipt of that id, or the last one of that transaction. :raises StoreUnavailable:"""
        if self._writing:
            # Who was just answered may ask at once; the write is under way in this very process.
            await asyncio.wait(tuple(self._writing))
        if not name or len(name) > MAX_KEY_BYTES // 4:
            return None
        value = await self._store.get(Space.RECEIPT, name)
        if value is None:
            return None
        try:
            return msgspec.json.decode(value, type=Kept)
        except ValueError:  # msgspec's own errors, and broken UTF-8
            return None

    async def aclose(self) -> None:
        """Wait for what is being written."""
        while self._writing:
            await asyncio.gather(*self._writing)

    async def _write(self, receipt: Receipt, signed: str, issuer: str, subject: str) -> None:
        value = msgspec.json.encode(Kept(issuer=issuer, subject=subject, receipt=signed))
        refused = receipt.outcome is Status.REFUSED
        life = min(self._keep_s, REFUSALS_KEPT_S) if refused else self._keep_s
        try:
            await self._store.put(Space.RECEIPT, receipt.jti, value, ttl_s=life, durable=False)
            if receipt.txn is None or receipt.txn == receipt.jti:
                return
            if refused:
                # A second presenter is refused: that must not hide what the first one carried out.
                await self._store.add(Space.RECEIPT, receipt.txn, value, ttl_s=life)
            else:
                await self._store.put(Space.RECEIPT, receipt.txn, value, ttl_s=life, durable=False)
        except StoreUnavailable as problem:
            _LOG.warning("the receipt of call %s is not kept: %s", receipt.jti, problem.message)
