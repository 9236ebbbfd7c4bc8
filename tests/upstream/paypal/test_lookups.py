"""Which reads tell what a call costs whom, one after the other."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.lookups import GET_CAPTURE, LOOKUPS, next_read

ID = "3C679366HH908993F"
OF_ORDER = {"supplementary_data": {"related_ids": {"order_id": "O-1"}}}
ONE_PAYMENT = {"disputed_transactions": [{"seller_transaction_id": ID}]}


def test_they_are_reads_and_no_tools() -> None:
    """What is sent before the policy has spoken changes nothing, and is nobody's to call."""
    assert {one.operation.effect for one in LOOKUPS.values()} == {"read"}
    assert {one.operation.method for one in LOOKUPS.values()} == {"GET"}
    assert LOOKUPS.keys().isdisjoint(TOOLS)


@pytest.mark.parametrize(
    ("tool", "arguments", "answers", "read"),
    [
        ("create_refund", {"capture_id": ID}, [], (GET_CAPTURE, {"capture_id": ID})),
        ("create_refund", {"capture_id": ID}, [OF_ORDER], ("get_order", {"id": "O-1"})),
        ("create_refund", {"capture_id": ID}, [{}], None),
        ("create_refund", {"capture_id": ID}, [{"supplementary_data": None}], None),
        ("create_refund", {"capture_id": ID}, [OF_ORDER, {}], None),
        ("create_refund", {}, [], None),
        ("accept_dispute_claim", {"dispute_id": "D"}, [], ("get_dispute", {"dispute_id": "D"})),
        ("accept_dispute_claim", {"dispute_id": "D"}, [ONE_PAYMENT], (GET_CAPTURE, {"capture_id": ID})),
        ("accept_dispute_claim", {"dispute_id": "D"}, [ONE_PAYMENT, OF_ORDER], ("get_order", {"id": "O-1"})),
        ("accept_dispute_claim", {"dispute_id": "D"}, [{"disputed_transactions": [{}, {}]}], None),
        ("accept_dispute_claim", {"dispute_id": "D"}, [{}], None),
        ("update_subscription", {"subscription_id": "I", "custom_id": "x"}, [], None),
        ("update_subscription", {"subscription_id": "I", "shipping_amount": "1"}, [{"plan_id": "P"}], None),
        (
            "update_subscription",
            {"subscription_id": "I", "taxes_percentage": "9"},
            [{"plan_id": "P"}],
            ("show_subscription_plan_details", {"plan_id": "P"}),
        ),
        ("update_subscription", {"subscription_id": "I", "taxes_percentage": "9"}, [{}], None),
        ("create_order", {}, [], None),
        ("get_order", {"id": "O-1"}, [], None),
    ],
)
def test_the_next_read(
    tool: str,
    arguments: dict[str, Any],
    answers: list[dict[str, Any]],
    read: tuple[str, dict[str, Any]] | None,
) -> None:
    """By the arguments first, by the answers then; where those do not lead on, it ends."""
    assert next_read(tool, arguments, answers) == read
