"""Calls that tests make again and again, with arguments that fit; and the flows that end in their execution."""

from __future__ import annotations

import copy
from typing import Any

from gateway.upstream.paypal.simulator.seeds import APPROVED_ORDER, CAPTURE
from tests.support.answers import Answer, approve_url_of, status_of, token_of
from tests.support.console import Person
from tests.support.house import House

READ: dict[str, Any] = {"page": 1, "page_size": 5}
"""``list_invoices``, class 4."""
INVOICE: dict[str, Any] = {
    "detail": {"currency_code": "USD", "note": "Thank you.", "invoice_number": "N-1"},
    "invoicer": {"business_name": "Lamps", "email_address": "shop@example.com"},
    "primary_recipients": [
        {
            "billing_info": {
                "name": {"given_name": "John", "surname": "Doe"},
                "email_address": "buyer@example.com",
            }
        }
    ],
    "items": [
        {
            "name": "Desk lamp",
            "description": "Brass",
            "quantity": "2",
            "unit_amount": {"currency_code": "USD", "value": "24.50"},
            "tax": {"name": "VAT", "percent": "10"},
        }
    ],
}
"""``create_invoice``, class 3."""
ORDER: dict[str, Any] = {
    "currencyCode": "USD",
    "items": [
        {"name": "Desk lamp", "quantity": 2, "description": "Brass", "itemCost": "24.50", "taxPercent": "10"}
    ],
    "discount": "1.00",
    "shippingCost": "4.00",
    "returnUrl": "https://shop.example.com/done",
    "cancelUrl": "https://shop.example.com/back",
}
"""``create_order``, class 3."""
PAY: dict[str, Any] = {"id": APPROVED_ORDER}
"""``pay_order``, class 2; the amount (40.00 USD) has to be looked up."""


def refund(value: str = "1.00", **members: Any) -> dict[str, Any]:
    """``create_refund``, class 2, of the seeded capture."""
    return {"capture_id": CAPTURE, "amount": {"currency_code": "USD", "value": value}, **members}


def invoice(note: str) -> dict[str, Any]:
    """``create_invoice`` that no other call equals."""
    made = copy.deepcopy(INVOICE)
    made["detail"]["note"] = note
    return made


async def first_phase(house: House, tool: str, arguments: dict[str, Any], **how: Any) -> str:
    """The token that a call of the classes 1 to 3 is answered with."""
    answer = await house.call(tool, arguments, **how)
    assert status_of(answer) == "handshake_required", answer
    return token_of(answer)


async def until_confirmation(house: House, tool: str, arguments: dict[str, Any], **how: Any) -> Answer:
    """The answer that waits for a second signature: ``token_of`` and ``approve_url_of`` it go on from here."""
    token = await first_phase(house, tool, arguments, **how)
    answer = await house.call(tool, arguments, state=token, **how)
    assert status_of(answer) == "confirmation_required", answer
    return answer


async def confirmed(house: House, person: Person, tool: str, arguments: dict[str, Any], **how: Any) -> str:
    """The token of a call that a person has approved: whoever presents it with the same call executes it."""
    waiting = await until_confirmation(house, tool, arguments, **how)
    done = await person.approve(approve_url_of(waiting))
    assert done.status_code == 200, done.text
    return token_of(waiting)
