"""Decimal strings <-> minor units of their currency, as ISO 4217 has them (list one). Pure.

Sums are made of whole numbers: no double ever rounds a cent into a budget or out of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,4}))?")


def _table(**by_decimals: str) -> Mapping[str, int]:
    return {code: int(digits[1:]) for digits, codes in by_decimals.items() for code in codes.split()}


MINOR_UNITS = _table(
    _0="BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    _2=(
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF"
        " CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG"
        " HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR"
        " MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD"
        " SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG"
        " YER ZAR ZMW ZWG"
    ),
    _3="BHD IQD JOD KWD LYD OMR TND",
    _4="CLF UYW",
)
"""Decimals of every currency of the list that has any rule for them; codes for metals, funds and tests have none."""


def minor_of(amount: str, currency: str) -> int:
    """``"12.50"`` USD -> 1250. Fewer decimals than the currency has are whole numbers of what is left out.

    :raises ValueError: no plain decimal string, more decimals than the currency has (even zeros), or no such currency.
    """
    decimals = MINOR_UNITS.get(currency)
    if decimals is None:
        raise ValueError(f"{currency[:8]!r} is no currency of ISO 4217 that amounts can be counted in")
    found = _AMOUNT.fullmatch(amount)
    if found is None:
        raise ValueError("an amount is a plain decimal number of at most twelve digits before its point")
    whole, fraction = found[1], found[2] or ""
    if len(fraction) > decimals:
        raise ValueError(f"{currency} has {decimals} decimals")
    return int(whole + fraction.ljust(decimals, "0"))


def amount_text(minor: int, currency: str) -> str:
    """1250 USD -> ``"12.50"``; of a currency nobody knows, the number as it is."""
    decimals = MINOR_UNITS.get(currency, 0)
    if decimals == 0:
        return str(minor)
    digits = str(abs(minor)).rjust(decimals + 1, "0")
    return f"{'-' if minor < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"
