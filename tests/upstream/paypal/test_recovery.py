"""What can be found out at PayPal: against the simulator, and against answers that say less than they should."""

from __future__ import annotations

import pytest

from gateway.upstream.paypal import recovery
from gateway.upstream.paypal.definitions import TOOLS

SINCE = 1_795_000_000.0
TEXTS = {
    "capture_id": "C1",
    "amount": {"currency_code": "USD", "value": "1.00"},
    "note_to_payer": "Dear Ada",
    "subject": "Hello",
    "invoice_id": "INV2-1",
}


def test_only_ids_and_amounts_are_kept() -> None:
    """Whatever the tool: no note, no name, no address, no items."""
    for name in TOOLS:
        kept = recovery.kept_of(name, {**TEXTS, "id": "O1", "items": [1], "reason": "because"})
        assert kept.keys() <= {"id", "amount", "transaction_id", "tracking_number"} | {
            one for one in TEXTS if one.endswith("_id")
        }, name
    assert recovery.kept_of("create_refund", TEXTS) == {
        "capture_id": "C1",
        "amount": TEXTS["amount"],
    }
    assert recovery.kept_of("nothing_of_ours", TEXTS) == {}


def test_what_paypal_keeps_a_request_id_for() -> None:
    """Exactly the operations that declare it; a promise for any other would be ours alone."""
    declared = {name for name, tool in TOOLS.items() if tool.operation.idempotent}
    assert set(recovery.REPLAY_S) == declared
    assert {name for name in TOOLS if recovery.idempotent(name)} == declared
    assert recovery.replay_s("create_invoice") is None
    assert not recovery.idempotent("nothing_of_ours")


def test_reads_change_nothing() -> None:
    """Also those that are a POST, and of class 3."""
    assert recovery.changes_nothing("generate_invoice_qr_code")
    assert recovery.changes_nothing("get_order")
    assert not recovery.changes_nothing("pay_order")
    assert not recovery.changes_nothing("nothing_of_ours")


@pytest.mark.parametrize("tool", ["send_invoice", "cancel_sent_invoice", "cancel_subscription", "pay_order"])
def test_lookups_are_reads(tool: str) -> None:
    """And take what is kept."""
    kept = recovery.kept_of(tool, {"id": "I1", "invoice_id": "I1", "subscription_id": "I1"})
    lookup = recovery.lookup_for(tool, kept)
    assert lookup is not None
    read, arguments = lookup
    assert TOOLS[read].operation.effect == "read"
    assert list(arguments.values()) == ["I1"]
    assert recovery.lookup_for(tool, {}) is None


@pytest.mark.parametrize(
    ("tool", "status", "shown"),
    [
        ("send_invoice", "SENT", True),
        ("send_invoice", "DRAFT", False),
        ("cancel_sent_invoice", "CANCELLED", True),
        ("cancel_sent_invoice", "SENT", False),
        ("cancel_subscription", "CANCELLED", True),
        ("cancel_subscription", "ACTIVE", False),
        ("create_refund", "COMPLETED", False),
    ],
)
def test_a_state_that_was_asked_for(tool: str, status: str, *, shown: bool) -> None:
    """The resource is as the call wanted it."""
    assert recovery.shows_effect(tool, {"status": status}, since=SINCE) is shown


@pytest.mark.parametrize("answer", [{}, {"status": 7}, {"status": "COMPLETED"}, {"purchase_units": None}])
def test_an_answer_without_what_it_should_hold_shows_nothing(answer: dict[str, object]) -> None:
    """Never an exception, never a guess."""
    for tool in (*TOOLS, "nothing_of_ours"):
        assert recovery.shows_effect(tool, answer, since=SINCE) is False
    assert recovery.lookup_for("create_refund", TEXTS) is None


def test_the_id_of_what_was_made() -> None:
    """A text of bounded length, or none."""
    assert recovery.resource_of({"id": "R1"}) == "R1"
    for odd in ({}, {"id": 1}, {"id": "x" * 256}):
        assert recovery.resource_of(odd) is None
