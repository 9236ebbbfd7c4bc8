"""Amounts are whole numbers of minor units, or nothing at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.budget.currency import MINOR_UNITS, amount_text, minor_of
from gateway.upstream.paypal.schema import CURRENCIES


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.50", "USD", 1250),
        ("12.5", "USD", 1250),
        ("12", "USD", 1200),
        ("0.01", "EUR", 1),
        ("0.29", "EUR", 29),
        ("1200", "JPY", 1200),
        ("1.234", "KWD", 1234),
        ("1", "BHD", 1000),
        ("0.0001", "CLF", 1),
        ("999999999.99", "USD", 99_999_999_999),
    ],
)
def test_minor_units(amount: str, currency: str, minor: int) -> None:
    """With the decimals of ISO 4217, exactly."""
    assert minor_of(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("12.50", "JPY"),
        ("12.0", "JPY"),
        ("1.234", "USD"),
        ("1.23456", "KWD"),
        ("1", "XXX"),
        ("1", "XAU"),
        ("1", "usd"),
        ("1", ""),
        ("-1", "USD"),
        ("+1", "USD"),
        ("1e3", "USD"),
        ("1_000", "USD"),
        (" 1", "USD"),
        ("1\n", "USD"),
        ("01", "USD"),
        ("1.", "USD"),
        (".5", "USD"),
        ("\u0661", "USD"),
        ("9" * 13, "USD"),
        ("NaN", "USD"),
        ("", "USD"),
    ],
)
def test_what_cannot_be_counted_is_refused(amount: str, currency: str) -> None:
    """Not rounded, not guessed; a currency without minor units has none."""
    with pytest.raises(ValueError, match=r"currency|number|decimals"):
        minor_of(amount, currency)


@given(st.sampled_from(sorted(MINOR_UNITS)), st.integers(0, 10**11))
def test_there_and_back(currency: str, minor: int) -> None:
    """The text of a number is that number again, as Decimal reads it, too."""
    text = amount_text(minor, currency)
    assert minor_of(text, currency) == minor
    assert Decimal(text).scaleb(MINOR_UNITS[currency]) == minor


def test_texts() -> None:
    """Below one, below nothing, and in a currency nobody knows."""
    assert [amount_text(5, "USD"), amount_text(-5, "USD"), amount_text(0, "KWD")] == [
        "0.05",
        "-0.05",
        "0.000",
    ]
    assert [amount_text(-1250, "USD"), amount_text(7, "JPY"), amount_text(7, "???")] == ["-12.50", "7", "7"]


def test_every_currency_that_paypal_takes_is_known() -> None:
    """What the adapter accepts can be counted."""
    assert set(CURRENCIES) <= set(MINOR_UNITS)
