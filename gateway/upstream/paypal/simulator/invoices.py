"""Invoicing v2: create, list, show, send, remind, cancel, QR code."""

from __future__ import annotations

import base64
import struct
import zlib
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from gateway.upstream.paypal.simulator.exchange import (
    Answer,
    Asked,
    body_object,
    invalid,
    not_found,
    required,
    unprocessable,
)
from gateway.upstream.paypal.simulator.ledger import Ledger, Resource, link, money, page_of
from gateway.upstream.paypal.simulator.orders import PAYEE

_INVOICES = "/v2/invoicing/invoices"
_OPEN = frozenset({"SENT", "UNPAID", "PARTIALLY_PAID", "PAYMENT_PENDING"})


def create(ledger: Ledger, asked: Asked) -> Answer:
    """POST /v2/invoicing/invoices: a draft."""
    body = body_object(asked)
    required(body, "detail")
    currency = body["detail"]["currency_code"]
    invoice_id = ledger.grouped_id("INV2")
    total = sum((_line(item) for item in body.get("items", ())), Decimal(0))
    detail = {"invoice_number": f"{ledger.issued:04d}", "invoice_date": ledger.today(), **body["detail"]}
    invoice: Resource = {
        **body,
        "invoicer": {"email_address": PAYEE["email_address"], **body.get("invoicer", {})},
        "id": invoice_id,
        "status": "DRAFT",
        "detail": {**detail, "metadata": {"create_time": ledger.now()}},
        "amount": money(total, currency),
        "due_amount": money(total, currency),
        "links": [
            link(asked.base_url, f"{_INVOICES}/{invoice_id}"),
            link(asked.base_url, f"{_INVOICES}/{invoice_id}/send", "send", "POST"),
        ],
    }
    ledger.invoices[invoice_id] = invoice
    return Answer(status=201, resource=invoice)


def listed(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v2/invoicing/invoices, newest first."""
    shown, totals = page_of(asked.query, list(reversed(ledger.invoices.values())), default=20)
    return Answer(status=200, resource={"items": shown, **totals, "links": [link(asked.base_url, _INVOICES)]})


def show(ledger: Ledger, asked: Asked) -> Answer:
    """GET /v2/invoicing/invoices/{invoice_id}."""
    return Answer(status=200, resource=_invoice(ledger, asked))


def send(ledger: Ledger, asked: Asked) -> Answer:
    """POST .../send: a draft becomes SENT; 202 and SCHEDULED if it is dated in the future."""
    invoice = _invoice(ledger, asked)
    if invoice["status"] != "DRAFT":
        raise unprocessable("CANNOT_SEND_INVOICE")
    payer = link(asked.base_url, f"/invoice/payerView/details/{invoice['id']}", "payer-view")
    if invoice["detail"]["invoice_date"] > ledger.today():
        invoice["status"] = "SCHEDULED"
        return Answer(status=202, resource={"links": [payer]})
    invoice["status"] = "SENT"
    invoice["detail"]["metadata"]["first_sent_time"] = ledger.now()
    return Answer(status=200, resource=payer)


def remind(ledger: Ledger, asked: Asked) -> Answer:
    """POST .../remind."""
    if _invoice(ledger, asked)["status"] not in _OPEN:
        raise unprocessable("CANNOT_REMIND_INVOICE")
    return Answer(status=204)


def cancel(ledger: Ledger, asked: Asked) -> Answer:
    """POST .../cancel."""
    invoice = _invoice(ledger, asked)
    refusals = {
        "DRAFT": "CANNOT_CANCEL_DRAFT_INVOICE",
        "SCHEDULED": "CANNOT_CANCEL_SCHEDULED_INVOICE",
        "PAID": "CANNOT_CANCEL_PAID_INVOICE",
        "CANCELLED": "INVOICE_CANCELED_ALREADY",
    }
    if invoice["status"] in refusals:
        raise unprocessable(refusals[invoice["status"]])
    invoice["status"] = "CANCELLED"
    return Answer(status=204)


def qr_code(ledger: Ledger, asked: Asked) -> Answer:
    """POST .../generate-qr-code: a base64 PNG inside a multipart text, as PayPal sends it."""
    invoice = _invoice(ledger, asked)
    body = body_object(asked)
    for side in ("width", "height"):
        if not 150 <= body.get(side, 500) <= 500:
            raise invalid("INVALID_INTEGER_MAX_VALUE", f"/{side}")
    boundary = f"qr-{invoice['id']}"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"\r\n\r\n'
    image = base64.b64encode(_png(zlib.crc32(invoice["id"].encode()) & 0xFF))
    raw = head.encode() + image + f"\r\n--{boundary}--\r\n".encode()
    return Answer(status=200, raw=(f"multipart/form-data;boundary={boundary}", raw))


def _invoice(ledger: Ledger, asked: Asked) -> Resource:
    invoice = ledger.invoices.get(asked.id("invoice_id"))
    if invoice is None:
        raise not_found()
    return invoice


def _line(item: dict[str, Any]) -> Decimal:
    cent = Decimal(1) if item["unit_amount"]["currency_code"] in ("HUF", "JPY", "TWD") else Decimal("0.01")
    price = (Decimal(item["unit_amount"]["value"]) * Decimal(item["quantity"])).quantize(cent, ROUND_HALF_UP)
    percent = Decimal(item.get("tax", {}).get("percent", "0"))
    return price + (price * percent / 100).quantize(cent, ROUND_HALF_UP)


def _png(grey: int) -> bytes:
    """A true PNG of one pixel: enough to be decoded by whoever gets it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes([0, grey]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
