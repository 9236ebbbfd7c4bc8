"""Arguments of a call that left: whole, bounded, and never printed by accident."""

from __future__ import annotations

import msgspec

from gateway.canonical import canonical_hash
from gateway.transactions.sent import MAX_BYTES, Sent, sent_of, whole
from tests.support.transactions import a_transaction

REFUND = {"capture_id": "8MC585209K746392H", "note_to_payer": "to Ann, 1 Main St"}


def test_they_are_whole_or_not_kept() -> None:
    """A part of them would be another request under the same key."""
    kept = sent_of(REFUND)
    assert kept is not None
    assert kept.arguments == REFUND
    assert sent_of({"note": "x" * MAX_BYTES}) is None
    assert whole(REFUND, canonical_hash(REFUND))
    assert not whole({**REFUND, "note_to_payer": "to Bob"}, canonical_hash(REFUND))
    assert not whole({"a": "\ud800"}, canonical_hash(REFUND))


def test_they_do_not_print_themselves() -> None:
    """Attack by accident: a transaction in a log line, with somebody's address in it."""
    transaction = a_transaction(sent=Sent(arguments=REFUND))
    for text in (repr(transaction), str(transaction), f"{transaction.sent}"):
        assert "Main St" not in text
        assert "***" in text


def test_they_come_back_as_they_were() -> None:
    """Through the store, numbers and nested objects included."""
    arguments = {"a": [1, 2.5, None, True, {"é": "\u202e"}], "b": {"c": "1e400"}}
    row = msgspec.json.encode(a_transaction(sent=sent_of(arguments)))
    again = msgspec.json.decode(row, type=type(a_transaction()))
    assert again.sent is not None
    assert whole(again.sent.arguments, canonical_hash(arguments))
