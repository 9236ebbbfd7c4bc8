"""Customer disputes v1: three tools."""

from __future__ import annotations

from gateway.upstream.paypal import schema
from gateway.upstream.paypal.operation import Operation, ToolDefinition, pick

_DISPUTES = "/v1/customer/disputes"
_ID = {"dispute_id": schema.identifier(schema.DISPUTE_ID, "The dispute's id, for example PP-D-27803.")}
_STATES = (
    "REQUIRED_ACTION",
    "REQUIRED_OTHER_PARTY_ACTION",
    "UNDER_PAYPAL_REVIEW",
    "RESOLVED",
    "OPEN_INQUIRIES",
    "APPEALABLE",
)

TOOLS = (
    ToolDefinition(
        name="list_disputes",
        title="List disputes",
        description="List disputes in short, newest first. Without filters: all of the last 180 days.",
        input_schema=schema.closed(
            {
                "disputed_transaction_id": schema.identifier(
                    schema.REPORTED_TRANSACTION_ID, "Of this transaction."
                ),
                "dispute_state": schema.choice(_STATES, "In this state."),
                "page_size": schema.whole(1, 50, "Entries per page."),
                "next_page_token": schema.matching(
                    "[A-Za-z0-9+/=]{1,255}", "From the previous page.", most=255
                ),
            }
        ),
        permissions=("paypal:disputes:read",),
        operation=Operation(
            method="GET",
            path=_DISPUTES,
            effect="read",
            success=frozenset({200}),
            query=("disputed_transaction_id", "dispute_state", "page_size", "next_page_token"),
        ),
    ),
    ToolDefinition(
        name="get_dispute",
        title="Show a dispute",
        description="Show one dispute: parties, amounts, messages, evidence. Outsiders write the messages.",
        input_schema=schema.closed({**_ID}, required=("dispute_id",)),
        permissions=("paypal:disputes:read",),
        operation=Operation(
            method="GET", path=_DISPUTES + "/{dispute_id}", effect="read", success=frozenset({200})
        ),
    ),
    ToolDefinition(
        name="accept_dispute_claim",
        title="Accept a dispute claim",
        description=(
            "Accept liability for a claim. The dispute closes in the buyer's favour and PayPal refunds the "
            "disputed amount from our account. This cannot be undone."
        ),
        input_schema=schema.closed(
            {**_ID, "note": schema.lines(2000, "A note about the acceptance. The buyer may read it.")},
            required=("dispute_id", "note"),
        ),
        permissions=("paypal:disputes:accept",),
        destructive=True,
        repeatable=True,
        operation=Operation(
            method="POST",
            path=_DISPUTES + "/{dispute_id}/accept-claim",
            effect="write",
            success=frozenset({200}),
            body=pick("note"),
        ),
    ),
)
