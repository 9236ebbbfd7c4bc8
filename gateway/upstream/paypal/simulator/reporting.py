"""Transaction search v1."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.upstream.paypal.simulator.exchange import Answer, Asked, invalid
from gateway.upstream.paypal.simulator.ledger import Ledger, Resource, link

_LONGEST = timedelta(days=31)


def search(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v1/reporting/transactions."""
    try:
        start = datetime.fromisoformat(asked.query["start_date"])
        end = datetime.fromisoformat(asked.query["end_date"])
    except (KeyError, ValueError):
        raise invalid("INVALID_PARAMETER_VALUE", "start_date") from None
    if not timedelta(0) <= end - start <= _LONGEST:
        raise invalid("INVALID_DATE_RANGE")
    found = [one for one in ledger.transactions if _matches(one["transaction_info"], asked, start, end)]
    size, page = int(asked.query.get("page_size", 100)), int(asked.query.get("page", 1))
    shown = found[(page - 1) * size : page * size]
    resource: Resource = {
        "account_number": "MERCHANT23456",
        "start_date": asked.query["start_date"],
        "end_date": asked.query["end_date"],
        "last_refreshed_datetime": ledger.now(),
        "page": page,
        "total_items": len(found),
        "total_pages": -(-len(found) // size),
        "links": [link(asked.base_url, "/v1/reporting/transactions")],
    }
    return Answer(status=200, resource={"transaction_details": shown, **resource} if shown else resource)


def _matches(info: Resource, asked: Asked, start: datetime, end: datetime) -> bool:
    wanted, status = asked.query.get("transaction_id"), asked.query.get("transaction_status")
    at = datetime.fromisoformat(info["transaction_initiation_date"])
    named = wanted in (None, info["transaction_id"]) and status in (None, info["transaction_status"])
    return named and start <= at <= end
