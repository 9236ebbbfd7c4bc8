"""Customer disputes v1: list, show, accept a claim."""

from __future__ import annotations

from gateway.upstream.paypal.simulator.exchange import Answer, Asked, body_object, not_found, unprocessable
from gateway.upstream.paypal.simulator.ledger import Ledger, Resource, link

_DISPUTES = "/v1/customer/disputes"
_SUMMARY = (
    "dispute_id",
    "create_time",
    "update_time",
    "reason",
    "status",
    "dispute_state",
    "dispute_amount",
    "dispute_life_cycle_stage",
    "links",
)


def listed(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v1/customer/disputes: summaries."""
    found = [one for one in ledger.disputes.values() if _matches(one, asked)]
    size = int(asked.query.get("page_size", 10))
    items = [{name: one[name] for name in _SUMMARY} for one in found[:size]]
    resource: Resource = {"links": [link(asked.base_url, _DISPUTES)]}
    return Answer(status=200, resource={"items": items, **resource} if items else resource)


def show(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v1/customer/disputes/{id}."""
    return Answer(status=200, resource=_dispute(ledger, asked))


def accept_claim(ledger: Ledger, asked: Asked) -> Answer:
    """POST .../accept-claim: the dispute is resolved for the buyer and the amount goes back."""
    dispute = _dispute(ledger, asked)
    body_object(asked)
    if dispute["status"] == "RESOLVED":
        raise unprocessable("ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
    dispute["status"] = "RESOLVED"
    dispute["dispute_state"] = "RESOLVED"
    dispute["update_time"] = ledger.now()
    dispute["dispute_outcome"] = {
        "outcome_code": "RESOLVED_BUYER_FAVOUR",
        "amount_refunded": dispute["dispute_amount"],
    }
    ledger.record(ledger.new_id(), "T1201", dispute["dispute_amount"])
    return Answer(
        status=200, resource={"links": [link(asked.base_url, f"{_DISPUTES}/{dispute['dispute_id']}")]}
    )


def _dispute(ledger: Ledger, asked: Asked) -> Resource:
    dispute = ledger.disputes.get(asked.id("dispute_id"))
    if dispute is None:
        raise not_found()
    return dispute


def _matches(dispute: Resource, asked: Asked) -> bool:
    state = asked.query.get("dispute_state")
    transaction = asked.query.get("disputed_transaction_id")
    ids = {one["seller_transaction_id"] for one in dispute["disputed_transactions"]}
    return (state is None or dispute["dispute_state"] == state) and (
        transaction is None or transaction in ids
    )
