"""Invoicing v2: seven tools. ``create_invoice`` makes a draft and sends nothing (the toolkit's sends)."""

from __future__ import annotations

from gateway.upstream.paypal import rules, schema
from gateway.upstream.paypal.operation import Operation, ToolDefinition, pick

_INVOICES = "/v2/invoicing/invoices"
_INVOICE = _INVOICES + "/{invoice_id}"
_READ = ("paypal:invoices:read",)
_WRITE = ("paypal:invoices:write",)
_SEND = ("paypal:invoices:send",)

_ID = {
    "invoice_id": schema.identifier(
        schema.INVOICE_ID, "The invoice's id, for example INV2-Z56S-5LLA-Q52L-CPZ5."
    )
}
_NAME = schema.closed(
    {
        "given_name": schema.line(140, "Given name."),
        "surname": schema.line(140, "Surname."),
        "full_name": schema.line(300, "Full name."),
    },
    description="A person's name.",
)
_NOTICE = {
    "note": schema.lines(4000, "A note to the recipient. People outside will read it."),
    "send_to_recipient": schema.flag("Whether PayPal e-mails the recipient. PayPal's own default is true."),
    "additional_recipients": schema.listed(
        schema.email("Gets a copy."), most=20, description="Further e-mail addresses that get a copy."
    ),
}
_SUBJECT = {"subject": schema.line(4000, "The subject of the e-mail.")}
_ITEM = schema.closed(
    {
        "name": schema.line(200, "What is sold."),
        "description": schema.line(1000, "More about it."),
        "quantity": schema.matching(schema.QUANTITY, 'How many, as a decimal string such as "2".', most=14),
        "unit_amount": schema.money("The price of one."),
        "tax": schema.closed(
            {"name": schema.line(100, "The tax's name."), "percent": schema.percentage("The rate.")},
            required=("name", "percent"),
            description="Tax on this item.",
        ),
        "unit_of_measure": schema.choice(("QUANTITY", "HOURS", "AMOUNT"), "What the quantity counts."),
    },
    required=("name", "quantity", "unit_amount"),
)
_RECIPIENT = schema.closed(
    {
        "billing_info": schema.closed(
            {"name": _NAME, "email_address": schema.email("Where the invoice goes once it is sent.")},
            description="Who is billed.",
        )
    }
)

TOOLS = (
    ToolDefinition(
        name="create_invoice",
        title="Create a draft invoice",
        description="Create a draft invoice, unsent: see send_invoice. PayPal computes the totals.",
        input_schema=schema.closed(
            {
                "detail": schema.closed(
                    {
                        "currency_code": schema.currency("The currency of the whole invoice."),
                        "invoice_date": schema.matching(schema.DATE, "The date on the invoice.", most=10),
                        "invoice_number": schema.line(127, "Your own invoice number."),
                        "reference": schema.line(120, "A reference, such as an order number."),
                        "note": schema.lines(4000, "A note on the invoice. People outside will read it."),
                    },
                    required=("currency_code",),
                    description="The invoice itself.",
                ),
                "invoicer": schema.closed(
                    {
                        "business_name": schema.line(300, "The business that bills."),
                        "name": _NAME,
                        "email_address": schema.email("The billing business's address."),
                    },
                    description="Who bills.",
                ),
                "primary_recipients": schema.listed(_RECIPIENT, most=20, description="Who is billed."),
                "items": schema.listed(_ITEM, most=100, description="What is billed."),
            },
            required=("detail", "items"),
        ),
        rules=(rules.invoice_adds_up, rules.day_exists("detail", "invoice_date")),
        permissions=_WRITE,
        operation=Operation(
            method="POST",
            path=_INVOICES,
            effect="write",
            success=frozenset({201}),
            body=pick("detail", "invoicer", "primary_recipients", "items"),
            prefer=True,
        ),
    ),
    ToolDefinition(
        name="list_invoices",
        title="List invoices",
        description="List invoices, newest first, page by page. Contains names and addresses of recipients.",
        input_schema=schema.closed(
            {**schema.paging(100, most_pages=1000), "total_required": schema.flag("Also count all invoices.")}
        ),
        permissions=_READ,
        operation=Operation(
            method="GET",
            path=_INVOICES,
            effect="read",
            success=frozenset({200}),
            query=("page", "page_size", "total_required"),
        ),
    ),
    ToolDefinition(
        name="get_invoice",
        title="Show an invoice",
        description="Show one invoice with its recipients, items, totals and payments.",
        input_schema=schema.closed({**_ID}, required=("invoice_id",)),
        permissions=_READ,
        operation=Operation(method="GET", path=_INVOICE, effect="read", success=frozenset({200})),
    ),
    ToolDefinition(
        name="send_invoice",
        title="Send an invoice",
        description="Send a draft invoice to its recipients by e-mail. They can pay it from then on.",
        input_schema=schema.closed({**_ID, **_SUBJECT, **_NOTICE}, required=("invoice_id",)),
        permissions=_SEND,
        operation=Operation(
            method="POST",
            path=_INVOICE + "/send",
            effect="write",
            success=frozenset({200, 202}),
            body=pick("subject", "note", "send_to_recipient", "additional_recipients"),
        ),
    ),
    ToolDefinition(
        name="send_invoice_reminder",
        title="Remind about an invoice",
        description="E-mail a payment reminder for an invoice that was sent. Each call sends another e-mail.",
        input_schema=schema.closed(
            {
                **_ID,
                **_SUBJECT,
                "note": _NOTICE["note"],
                "additional_recipients": _NOTICE["additional_recipients"],
            },
            required=("invoice_id",),
        ),
        permissions=_SEND,
        operation=Operation(
            method="POST",
            path=_INVOICE + "/remind",
            effect="write",
            success=frozenset({204}),
            body=pick("subject", "note", "additional_recipients"),
        ),
    ),
    ToolDefinition(
        name="cancel_sent_invoice",
        title="Cancel a sent invoice",
        description="Cancel an invoice that was sent and not yet paid. This cannot be undone.",
        input_schema=schema.closed({**_ID, **_SUBJECT, **_NOTICE}, required=("invoice_id",)),
        permissions=_WRITE,
        destructive=True,
        repeatable=True,
        operation=Operation(
            method="POST",
            path=_INVOICE + "/cancel",
            effect="write",
            success=frozenset({204}),
            body=pick("subject", "note", "send_to_recipient", "additional_recipients"),
        ),
    ),
    ToolDefinition(
        name="generate_invoice_qr_code",
        title="Make an invoice's QR code",
        description="Return a QR code (PNG, base64) that leads to the payment page of an invoice.",
        input_schema=schema.closed(
            {
                **_ID,
                "width": schema.whole(150, 500, "Width in pixels."),
                "height": schema.whole(150, 500, "Height in pixels."),
            },
            required=("invoice_id",),
        ),
        permissions=_READ,
        operation=Operation(
            method="POST",
            path=_INVOICE + "/generate-qr-code",
            effect="read",
            success=frozenset({200}),
            body=pick("width", "height"),
            answer="image",
        ),
    ),
)
