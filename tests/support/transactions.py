"""Transactions as the journal holds them."""

from __future__ import annotations

from typing import Any

from gateway.canonical import canonical_hash
from gateway.transactions.transaction import State, Transaction

KEPT = {"capture_id": "8MC585209K746392H", "amount": {"currency_code": "USD", "value": "1.00"}}
STARTED = 1_795_000_000.0


def a_transaction(transaction_id: str = "t1", **members: Any) -> Transaction:
    """An open refund of a process that is gone."""
    return Transaction(
        **{
            "transaction_id": transaction_id,
            "state": State.OPEN,
            "call_id": "c1",
            "server": "paypal",
            "tool": "create_refund",
            "arguments_hash": canonical_hash(KEPT),
            "definition_hash": "d" * 64,
            "issuer": "https://idp.example",
            "subject": "agent-one",
            "instance": "gone",
            "started_at": STARTED,
            "data_class": 2,
            "idempotency_key": transaction_id,
            "kept": KEPT,
            **members,
        }
    )
