"""Transaction search v1: one tool, one request (the toolkit's can make one request per month searched)."""

from __future__ import annotations

from gateway.upstream.paypal import rules, schema
from gateway.upstream.paypal.operation import Operation, ToolDefinition

TOOLS = (
    ToolDefinition(
        name="list_transactions",
        title="List transactions",
        description="List the transactions of at most 31 days. PayPal can be three hours behind.",
        input_schema=schema.closed(
            {
                "start_date": schema.matching(schema.DATE_TIME, "From this moment, RFC 3339.", most=64),
                "end_date": schema.matching(schema.DATE_TIME, "Until this moment, RFC 3339.", most=64),
                "transaction_id": schema.identifier(schema.REPORTED_TRANSACTION_ID, "Only this transaction."),
                "transaction_status": schema.choice(
                    ("D", "P", "S", "V"), "Denied, pending, successful or reversed."
                ),
                **schema.paging(500, most_pages=10_000),
            },
            required=("start_date", "end_date"),
        ),
        rules=(rules.report_is_short,),
        permissions=("paypal:transactions:read",),
        operation=Operation(
            method="GET",
            path="/v1/reporting/transactions",
            effect="read",
            success=frozenset({200}),
            query=("start_date", "end_date", "transaction_id", "transaction_status", "page_size", "page"),
            constants=(("fields", "transaction_info"),),
        ),
    ),
)
