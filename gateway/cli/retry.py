"""``countersign transactions retry``: everything that a gateway has around one call, for one call."""

from __future__ import annotations

import time

from gateway.books import Books
from gateway.cli.record import write_admin
from gateway.kill.order import Orders
from gateway.kill.orders import read_orders
from gateway.parts import (
    PAYPAL,
    open_audit,
)
from gateway.policy.amounts import Amounts
from gateway.settings import Settings
from gateway.shelf import open_shelf
from gateway.transactions.book import TransactionBook
from gateway.transactions.duplicates import Duplicates
from gateway.transactions.lease import Lease
from gateway.transactions.retry import Retry
from gateway.transactions.transaction import Transaction
from gateway.upstream.paypal import money as paypal_money
from gateway.upstream.paypal import recovery as paypal_recovery

LEASE_S = 1800.0
"""Longer than any call may take: this process gives one sign of life, and takes it back when it ends."""


async def retried(settings: Settings, transaction_id: str, *, by: str) -> tuple[Transaction | None, str]:
    """How the transaction stands, and what the target said; None: there is none of that id.

    The order is in the audit before anything is sent. :raises RetryRefused: nothing was sent. Errors: see ``Retry``.
    """
    async with open_shelf(settings) as shelf, open_audit(settings) as audit:
        book = TransactionBook(shelf.store, kept_s=settings.transactions.keep_hours * 3600.0)
        found = await book.find(transaction_id)
        if found is None:
            return None, ""
        enabled = settings.paypal.enabled
        lease = Lease(shelf.store, monotonic=time.monotonic, ttl_s=LEASE_S)
        retry = Retry(
            book,
            lease,
            Duplicates(shelf.store, book),
            shelf.upstreams,
            shelf.catalog,
            Books(audit),
            Amounts({PAYPAL: paypal_money} if enabled else {}, shelf.upstreams),
            Orders(await read_orders(shelf.store)),
            rules={PAYPAL: paypal_recovery} if enabled else {},
            now=time.time,
        )
        sent = await retry.judged(found)
        await write_admin(
            audit,
            by=by,
            code="admin.transaction_retry",
            server=found.server,
            tool=found.tool,
            definition_hash=found.definition_hash,
            transaction_id=found.transaction_id,
        )
        try:
            ended, reply = await retry.retried(found, sent, by=by)
        finally:
            await lease.release()
        return ended, f"HTTP {reply.status}" if reply.status is not None else "no usable answer"
