"""What the simulated PayPal remembers, and the ids and times it gives out. Deterministic for a given
clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

_ALPHABET = "0123456789ABCDEFGHJKLMNPRSTUVWXY"
Resource = dict[str, Any]


@dataclass(slots=True)
class Ledger:
    """All resources by id. ``clock`` gives unix seconds."""

    clock: Callable[[], float]
    orders: dict[str, Resource] = field(default_factory=dict)
    captures: dict[str, Resource] = field(default_factory=dict)
    refunds: dict[str, Resource] = field(default_factory=dict)
    refunded: dict[str, Decimal] = field(default_factory=dict)
    invoices: dict[str, Resource] = field(default_factory=dict)
    products: dict[str, Resource] = field(default_factory=dict)
    plans: dict[str, Resource] = field(default_factory=dict)
    subscriptions: dict[str, Resource] = field(default_factory=dict)
    disputes: dict[str, Resource] = field(default_factory=dict)
    trackers: dict[tuple[str, str], Resource] = field(default_factory=dict)
    transactions: list[Resource] = field(default_factory=list)
    issued: int = 0

    def new_id(self, length: int = 17) -> str:
        """The next id, in the shape of PayPal's transaction ids: a digit first, and never twice the same."""
        self.issued += 1
        number, letters = self.issued * 7_368_787 + 104_729, ""
        for _ in range(length - 1):
            number, digit = divmod(number, len(_ALPHABET))
            letters = _ALPHABET[digit] + letters
            if number == 0:
                number = self.issued * 15_485_863
        return str(self.issued % 9 + 1) + letters

    def grouped_id(self, prefix: str) -> str:
        """An id such as INV2-1ABC-2DEF-3GHJ-4KLM."""
        letters = self.new_id(16)
        return "-".join([prefix, *(letters[i : i + 4] for i in range(0, 16, 4))])

    def now(self) -> str:
        """The time as PayPal writes it."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def today(self) -> str:
        """The date as PayPal writes it."""
        return self.now()[:10]

    def record(self, transaction_id: str, code: str, amount: dict[str, str], status: str = "S") -> None:
        """Add a line to the transaction report. T0006 is a checkout payment, T1107 a refund, T1201 a
        dispute."""
        info = {
            "paypal_account_id": "MERCHANT23456",
            "transaction_id": transaction_id,
            "transaction_event_code": code,
            "transaction_initiation_date": self.now(),
            "transaction_updated_date": self.now(),
            "transaction_amount": amount,
            "transaction_status": status,
        }
        self.transactions.append({"transaction_info": info})


def money(amount: Decimal, currency: str) -> dict[str, str]:
    """PayPal's money object."""
    exponent = Decimal(1) if currency in ("HUF", "JPY", "TWD") else Decimal("0.01")
    return {"currency_code": currency, "value": format(amount.quantize(exponent), "f")}


def link(base_url: str, path: str, rel: str = "self", method: str = "GET") -> dict[str, str]:
    """PayPal's link object."""
    return {"href": base_url + path, "rel": rel, "method": method}


def page_of(
    asked_query: Any, entries: list[Resource], *, default: int
) -> tuple[list[Resource], dict[str, int]]:
    """The page that was asked for and, with total_required, the totals."""
    size = int(asked_query.get("page_size", default))
    page = int(asked_query.get("page", 1))
    shown = entries[(page - 1) * size : page * size]
    if asked_query.get("total_required") != "true":
        return shown, {}
    return shown, {"total_items": len(entries), "total_pages": -(-len(entries) // size)}
