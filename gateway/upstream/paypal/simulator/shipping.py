"""Shipment tracking v1: add trackers (errors come inside a 200), show one."""

from __future__ import annotations

from typing import Any

from gateway.upstream.paypal.simulator.exchange import Answer, Asked, body_object, not_found, required
from gateway.upstream.paypal.simulator.issues import DESCRIPTIONS
from gateway.upstream.paypal.simulator.ledger import Ledger, Resource, link

_TRACKERS = "/v1/shipping/trackers"


def create_batch(ledger: Ledger, asked: Asked) -> Answer:
    """POST /v1/shipping/trackers-batch. A tracker of an unknown payment is an error inside the 200."""
    body = body_object(asked)
    required(body, "trackers")
    accepted: list[Resource] = []
    errors: list[Resource] = []
    for tracker in body["trackers"]:
        if tracker["transaction_id"] in ledger.captures:
            accepted.append(_added(ledger, asked.base_url, tracker))
        else:
            errors.append(_unknown_payment(ledger))
    resource: dict[str, Any] = {"links": [link(asked.base_url, _TRACKERS, "self", "POST")]}
    if accepted:
        resource["tracker_identifiers"] = accepted
    if errors:
        resource["errors"] = errors
    return Answer(status=200, resource=resource)


def show(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v1/shipping/trackers?transaction_id=."""
    wanted, number = asked.query.get("transaction_id"), asked.query.get("tracking_number")
    for (transaction, tracking), tracker in ledger.trackers.items():
        if transaction == wanted and number in (None, tracking):
            return Answer(status=200, resource=tracker)
    raise not_found()


def _added(ledger: Ledger, base_url: str, tracker: Resource) -> Resource:
    key = (tracker["transaction_id"], tracker.get("tracking_number", ""))
    links = [link(base_url, f"{_TRACKERS}/{key[0]}-{key[1]}")]
    ledger.trackers[key] = {**tracker, "last_updated_time": ledger.now(), "links": links}
    return {"transaction_id": key[0], "tracking_number": key[1], "links": links}


def _unknown_payment(ledger: Ledger) -> Resource:
    detail = {
        "field": "/trackers/0/transaction_id",
        "location": "body",
        "issue": "INVALID_TRANSACTION_ID",
        "description": DESCRIPTIONS["INVALID_TRANSACTION_ID"],
    }
    return {
        "name": "RESOURCE_NOT_FOUND",
        "message": "The specified resource does not exist.",
        "debug_id": ledger.new_id(13).lower(),
        "details": [detail],
    }
