"""Receipts for tests: a key, a receipt signed with it, and the keys that trust it."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit.chain import Position
from gateway.audit.record import AuditCaller, AuditRecord, AuditUpstream, Outcome, Phase, Status
from gateway.receipts.keys import PublishedKeys, ReceiptKeys
from gateway.receipts.receipt import Receipt, receipt_of

RECEIPT_KEY = "dev.countersign/receipt"
ISSUER = "https://gateway.example"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
KEYS = ReceiptKeys(KEY)
PUBLISHED = PublishedKeys(issuer=ISSUER, keys=KEYS.public)


def a_receipt(**members: Any) -> Receipt:
    """What became of a refund."""
    record = AuditRecord(
        call_id="call-2",
        transaction_id="call-1",
        phase=Phase.CALL,
        time="2026-11-21T01:17:00.000Z",
        caller=AuditCaller(issuer="https://idp.example", subject="agent-one"),
        server="paypal",
        tool="create_refund",
        data_class=2,
        tier="restricted",
        outcome=Outcome.ALLOW,
        reasons=("consent.given",),
        definition_hash="d" * 64,
        arguments_hash="a" * 64,
        status=Status.EXECUTED,
        upstream=AuditUpstream(status=201, debug_id="f00", request_id="r1"),
        duration_us=1,
        service_version="0",
        environment="sandbox",
    )
    receipt = receipt_of(record, Position("c" * 32, 7, "e" * 64), issuer=ISSUER, now=1_795_224_000)
    return msgspec.structs.replace(receipt, **members)


def signed(receipt: Receipt | None = None) -> str:
    """It, signed."""
    return KEYS.signer.sign(receipt or a_receipt())


def segment(document: bytes) -> str:
    """One part of a compact JWS."""
    return base64.urlsafe_b64encode(document).rstrip(b"=").decode()


def claims_of(jws: str) -> dict[str, Any]:
    """What it says, unverified."""
    part = jws.split(".")[1]
    claims: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def altered(jws: str, **members: Any) -> str:
    """The same receipt, saying something else, with the old signature."""
    head, _, signature = jws.split(".")
    return ".".join((head, segment(msgspec.json.encode({**claims_of(jws), **members})), signature))
