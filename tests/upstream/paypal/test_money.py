"""What a call costs: from arguments, by lookup, or honestly unknown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.money import Money
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.money import lookup_for, money_from, money_of
from tests.upstream.paypal.conversation import ARGUMENTS, Conversation

UNKNOWN = Money()
NO_MONEY = {name for name, tool in TOOLS.items() if tool.operation.effect == "read"} | {
    *("send_invoice_reminder", "cancel_sent_invoice", "create_shipment_tracking", "create_product"),
    "cancel_subscription",
}


@pytest.mark.parametrize(
    ("tool", "amount"),
    [
        ("create_order", "40.33"),
        ("create_invoice", "32.44"),  # 3 x 9.99 = 29.97, tax of the line 2.47
        ("create_refund", "12.50"),
        ("create_subscription_plan", "119.90"),  # (10 + 99) and 10 % on top
        ("update_subscription", "18.50"),  # 11.50 + 5.00 + 2.00
    ],
)
def test_reads_the_amount_from_the_arguments(tool: str, amount: str) -> None:
    """Recomputed from decimal strings, never taken from a stated total."""
    assert money_of(tool, ARGUMENTS[tool]) == Money(amount=amount, currency="USD", source="arguments")


@pytest.mark.parametrize("tool", sorted(NO_MONEY))
def test_says_none_where_no_money_moves(tool: str) -> None:
    """Reads, reminders, cancellations and labels cost nothing."""
    assert money_of(tool, ARGUMENTS[tool]) is None
    assert lookup_for(tool, ARGUMENTS[tool]) is None


def test_decides_for_every_tool() -> None:
    """Each tool that is not in the list above has an answer about money."""
    assert {name for name in TOOLS if money_of(name, ARGUMENTS[name]) is None} == NO_MONEY


def test_does_not_count_a_change_without_an_amount() -> None:
    """A subscription's new address costs nothing."""
    assert money_of("update_subscription", {"subscription_id": "I-1", "custom_id": "x"}) is None


def test_knows_no_amount_of_an_open_refund() -> None:
    """ "All that is left" is an amount nobody here can read."""
    arguments = {"capture_id": "3C679366HH908993F"}
    assert money_of("create_refund", arguments) == UNKNOWN
    assert lookup_for("create_refund", arguments) is None


@pytest.mark.parametrize(
    ("tool", "read", "expected"),
    [
        (
            "pay_order",
            "get_order",
            Money(amount="40.00", currency="USD", payee="6QLBVWNT7LP4E", source="lookup"),
        ),
        ("send_invoice", "get_invoice", Money(amount="59.80", currency="USD", source="lookup")),
        (
            "accept_dispute_claim",
            "get_dispute",
            Money(amount="25.00", currency="USD", payee="buyer@example.com", source="lookup"),
        ),
        # setup fee 5.00, two at 9.99, shipping 3.00
        (
            "create_subscription",
            "show_subscription_plan_details",
            Money(amount="27.98", currency="USD", source="lookup"),
        ),
    ],
)
async def test_looks_up_what_the_arguments_do_not_say(
    paypal: Conversation, tool: str, read: str, expected: Money
) -> None:
    """The named read tool, called with the named arguments, tells the amount."""
    assert money_of(tool, ARGUMENTS[tool]) == UNKNOWN
    wanted = lookup_for(tool, ARGUMENTS[tool])
    assert wanted is not None
    assert wanted[0] == read
    result = await paypal.call(*wanted)
    assert money_from(tool, ARGUMENTS[tool], result["structuredContent"]) == expected


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"purchase_units": []},
        {"purchase_units": [{"amount": {"currency_code": "USD", "value": "1e9"}}]},
        {"purchase_units": [{"amount": {"currency_code": "USD", "value": 5}}]},
        {"purchase_units": [{"amount": {"currency_code": "USD", "value": "-5.00"}}]},
        {"purchase_units": [{"amount": {"currency_code": "usd", "value": "5.00"}}]},
        {"purchase_units": [{"amount": {"currency_code": c, "value": "5"}} for c in ("USD", "EUR")]},
        {"purchase_units": "x"},
        {"error": {"name": "RESOURCE_NOT_FOUND"}},
    ],
)
def test_does_not_guess_from_a_broken_answer(answer: dict[str, Any]) -> None:
    """Whatever the lookup brings that is not one clear amount is unknown."""
    assert money_from("pay_order", {"id": "X"}, answer) == UNKNOWN


def test_counts_all_units_of_an_order() -> None:
    """An order of several units costs their sum."""
    units = [{"amount": {"currency_code": "JPY", "value": value}} for value in ("100", "23")]
    assert money_from("pay_order", {}, {"purchase_units": units}) == Money(
        amount="123", currency="JPY", source="lookup"
    )


def test_takes_the_dearest_tier_of_a_plan() -> None:
    """A plan with tiers costs its dearest, times the quantity."""
    money = {"currency_code": "EUR", "value": "2.00"}
    dear = {"currency_code": "EUR", "value": "3.00"}
    plan = {"billing_cycles": [{"pricing_scheme": {"tiers": [{"amount": money}, {"amount": dear}]}}]}
    found = money_from("create_subscription", {"plan_id": "P-1", "quantity": "4"}, plan)
    assert found == Money(amount="12.00", currency="EUR", source="lookup")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(("USD", "1.00")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("items", "amount", "value", "currency_code", "detail", "quantity", "unit_amount", "itemCost")
            )
            | st.sampled_from(
                ("currencyCode", "purchase_units", "billing_cycles", "pricing_scheme", "fixed_price")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(tool=st.sampled_from(sorted(TOOLS)), arguments=st.dictionaries(st.text(max_size=5), JSON), answer=JSON)
def test_never_raises(tool: str, arguments: dict[str, Any], answer: Any) -> None:
    """Arguments are judged before they are validated: malformed ones are unknown, not an exception."""
    told = money_of(tool, arguments)
    looked_up = money_from(tool, arguments, answer if isinstance(answer, dict) else {"amount": answer})
    for money in (told, looked_up):
        assert money is None or (money.amount is None) == (money.source == "unknown")
    lookup_for(tool, arguments)
