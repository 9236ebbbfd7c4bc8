"""What the scripted agent does, step by step, and what must come of it. Pure data."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.upstream.paypal.simulator.seeds import CAPTURE

INVOICE: dict[str, Any] = {
    "detail": {"currency_code": "USD", "note": "Thank you."},
    "primary_recipients": [{"billing_info": {"email_address": "buyer@example.com"}}],
    "items": [
        {"name": "Desk lamp", "quantity": "2", "unit_amount": {"currency_code": "USD", "value": "24.50"}}
    ],
}
REFUND: dict[str, Any] = {
    "capture_id": CAPTURE,
    "amount": {"currency_code": "USD", "value": "25.00"},
    "note_to_payer": "Damaged in transit",
}

ROGUE_TOOL = "move_everything"
"""A tool that some other MCP server behind the gateway offers, and that nobody ever classified."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the agent tries. ``expect`` is the status that must come of it; ``effects`` the PayPal writes."""

    title: str
    act: str
    tool: str
    arguments: dict[str, Any]
    expect: str
    effects: int
    server: str = "paypal"


STEPS: tuple[Step, ...] = (
    Step(
        title="read",
        act="call",
        tool="list_invoices",
        arguments={"page": 1, "page_size": 5},
        expect="executed",
        effects=0,
    ),
    Step(
        title="two phases",
        act="handshake",
        tool="create_invoice",
        arguments=INVOICE,
        expect="executed",
        effects=1,
    ),
    Step(
        title="a second signature",
        act="confirm",
        tool="create_refund",
        arguments=REFUND,
        expect="executed",
        effects=1,
    ),
    Step(
        title="amount changed in between",
        act="tamper",
        tool="create_refund",
        arguments=REFUND,
        expect="refused",
        effects=0,
    ),
    Step(
        title="token used twice",
        act="replay",
        tool="create_invoice",
        arguments=INVOICE,
        expect="refused",
        effects=1,
    ),
    Step(
        title="unclassified tool",
        act="call",
        tool=ROGUE_TOOL,
        arguments={"to": "attacker@example.com", "amount": "9999.00"},
        expect="refused",
        effects=0,
        server="rogue",
    ),
)
