"""Decimal arithmetic: PayPal's rounding, currencies without cents, no float."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream.paypal.amounts import AmountError, amount_of, invoice_total, order_totals, rendered
from tests.upstream.paypal.conversation import Conversation, outcome


@pytest.mark.parametrize(
    "value", [1, 1.0, "1e3", "-1", "+1", ".5", "1.", "\u0661", "1 ", "NaN", None, "1,00"]
)
def test_takes_plain_decimal_strings_only(value: Any) -> None:
    """Numbers, exponents, signs and foreign digits are no amounts."""
    with pytest.raises(AmountError):
        amount_of(value, "USD", "/x")


@pytest.mark.parametrize(
    ("value", "currency"), [("1.001", "USD"), ("1.0", "JPY"), ("1.00", "HUF"), ("0.5", "TWD")]
)
def test_refuses_more_decimals_than_the_currency_has(value: str, currency: str) -> None:
    """Nothing is rounded away silently."""
    with pytest.raises(AmountError):
        amount_of(value, currency, "/x")


@pytest.mark.parametrize(("amount", "currency", "text"), [("5", "USD", "5.00"), ("1200", "JPY", "1200")])
def test_has_one_spelling_per_amount(amount: str, currency: str, text: str) -> None:
    """Fixed decimals, no exponent."""
    assert rendered(Decimal(amount), currency) == text


def test_rounds_the_tax_of_one_unit_first() -> None:
    """The order that PayPal's own toolkit gets wrong: 3 x 9.99 at 8.25 %."""
    totals = order_totals(
        {"currencyCode": "USD", "items": [{"itemCost": "9.99", "taxPercent": "8.25", "quantity": 3}]}
    )
    assert (totals.tax_total, totals.total) == (Decimal("2.46"), Decimal("32.43"))


def test_rounds_yen_to_whole_yen() -> None:
    """A currency without decimals is rounded to its own unit."""
    totals = order_totals(
        {"currencyCode": "JPY", "items": [{"itemCost": "99", "taxPercent": "8", "quantity": 2}]}
    )
    assert totals.tax_total == Decimal(16)
    assert rendered(totals.total, "JPY") == "214"


def test_bounds_the_gross_amount_before_the_discount() -> None:
    """A discount does not hide what was asked for."""
    with pytest.raises(AmountError, match="adds up"):
        order_totals(
            {
                "currencyCode": "USD",
                "items": [{"itemCost": "999999999.99", "quantity": 2}],
                "discount": "999999999.99",
            }
        )


def test_refuses_an_invoice_in_two_currencies() -> None:
    """PayPal would accept some of these; nobody could say what they cost."""
    item = {"quantity": "1", "unit_amount": {"currency_code": "EUR", "value": "1.00"}}
    with pytest.raises(AmountError, match="differs"):
        invoice_total({"detail": {"currency_code": "USD"}, "items": [item]})


CENTS = st.integers(1, 50_000).map(lambda n: f"{n // 100}.{n % 100:02d}")
ITEM = st.fixed_dictionaries(
    {"name": st.just("x"), "itemCost": CENTS},
    optional={
        "quantity": st.integers(1, 40),
        "taxPercent": st.integers(0, 9999).map(lambda n: f"{n // 100}.{n % 100:02d}"),
    },
)


@settings(max_examples=100, deadline=None)
@given(items=st.lists(ITEM, min_size=1, max_size=6), shipping=CENTS)
async def test_builds_orders_that_always_add_up_at_paypal(items: list[dict[str, Any]], shipping: str) -> None:
    """Whatever the prices, PayPal's own sums agree with ours."""
    paypal = Conversation()
    result = await paypal.call(
        "create_order", {"currencyCode": "USD", "items": items, "shippingCost": shipping}
    )
    assert outcome(result) == "executed", result
    await paypal.aclose()


@settings(max_examples=100, deadline=None)
@given(prices=st.lists(CENTS, min_size=1, max_size=5), percent=st.integers(0, 30))
async def test_expects_the_total_that_paypal_computes_for_an_invoice(prices: list[str], percent: int) -> None:
    """The amount a policy judges is the amount the recipient will be asked for."""
    paypal = Conversation()
    arguments = {
        "detail": {"currency_code": "USD"},
        "items": [
            {
                "name": "x",
                "quantity": "1.5",
                "unit_amount": {"currency_code": "USD", "value": price},
                "tax": {"name": "VAT", "percent": str(percent)},
            }
            for price in prices
        ],
    }
    draft = await paypal.call("create_invoice", arguments)
    assert draft["structuredContent"]["amount"]["value"] == rendered(*invoice_total(arguments))
    await paypal.aclose()
