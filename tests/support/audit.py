"""Records, chains and clocks for the audit's tests."""

from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit.chain import Chain
from gateway.audit.checkpoint import Signer
from gateway.audit.journal import Journal
from gateway.audit.record import AuditRecord, Phase, Status

CHAIN_ID = "c" * 32


class Clock:
    """Seconds that move only when told."""

    def __init__(self, seconds: float = 1_795_224_000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


def a_record(call_id: str = "call-0", **facts: Any) -> AuditRecord:
    """A record that says little, with some facts of one's own."""
    base: dict[str, Any] = {
        "phase": Phase.CALL,
        "time": "2026-11-21T01:17:00.000Z",
        "status": Status.EXECUTED,
        "duration_us": 1234,
        "service_version": "0.1.0",
        "environment": "sandbox",
    }
    return AuditRecord(call_id=call_id, **(base | facts))


def a_signer(seed: int = 1, *, every: int = 100) -> Signer:
    """Checkpoints by a key that is the same in every run."""
    return Signer(a_key(seed), every=every)


def a_key(seed: int = 1) -> Ed25519PrivateKey:
    """A private key that is the same in every run."""
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def a_file(records: Sequence[AuditRecord], signer: Signer | None = None, *, close: bool = True) -> bytes:
    """What a sink would write."""
    journal = Journal(Chain(CHAIN_ID), signer=signer, clock=Clock())
    parts = []
    for record in records:
        parts.append(journal.plan(record))
        journal.written()
    if close:
        parts.append(journal.plan_close())
        journal.written()
    return b"".join(parts)


def lines_of(content: bytes) -> list[bytes]:
    """The lines, each with its newline."""
    return content.splitlines(keepends=True)
