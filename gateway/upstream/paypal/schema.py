"""The vocabulary of our input schemas (JSON Schema 2020-12). Pure.

Every object is closed and everything has a bound: what a schema does not name cannot reach PayPal (the
toolkit passes unknown keys through: paypal.md hazard 9). Patterns are anchored at both ends and ASCII, so
``../``, ``?``, ``#``, ``%2e`` and full-width digits match none of the identifiers (hazards 1 and 2).
"""

from __future__ import annotations

from typing import Any

JsonSchema = dict[str, Any]

CURRENCIES = (
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS",
    "JPY", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD",
)  # fmt: skip
"""PayPal's currency codes (developer.paypal.com, "Currency codes")."""

INVOICE_ID = "[A-Za-z0-9_-]{4,64}"
ORDER_ID = "[A-Z0-9]{10,36}"
PAYMENT_ID = "[A-Z0-9]{10,32}"
"""Captures and refunds."""
DISPUTE_ID = "[A-Za-z0-9-]{4,64}"
PRODUCT_ID = "[A-Za-z0-9_-]{6,50}"
PLAN_ID = "[A-Za-z0-9_-]{3,50}"
SUBSCRIPTION_ID = "[A-Za-z0-9_-]{3,50}"
TRANSACTION_ID = "[A-Za-z0-9]{10,50}"
REPORTED_TRANSACTION_ID = "[A-Z0-9]{17,19}"
"""``transaction_id`` of the reporting API: 17 to 19 characters (reporting_transactions_v1)."""
TRACKING_NUMBER = "[A-Za-z0-9-]{1,64}"

AMOUNT = r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,2})?"
"""At most 999,999,999.99; no sign, no exponent, no leading zeros: one amount has few spellings."""
PERCENTAGE = r"(?:100(?:\.0{1,4})?|[0-9]{1,2}(?:\.[0-9]{1,4})?)"
QUANTITY = r"(?:0|[1-9][0-9]{0,6})(?:\.[0-9]{1,5})?"
DATE = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
DATE_TIME = DATE + r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
EMAIL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,185}[A-Za-z0-9])"
WEB_ADDRESS = r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})(?::[0-9]{1,5})?(?:[/?#][!-~]*)?"
"""https only and no user information before the host: what is shown is where it leads."""

_NO_CONTROLS = r"^[^\u0000-\u001f\u007f]*$"
_LINES_ONLY = r"^[^\u0000-\u0008\u000b-\u001f\u007f]*$"


def closed(properties: dict[str, JsonSchema], *, required: tuple[str, ...] = (), **more: Any) -> JsonSchema:
    """An object that holds these members and no others."""
    schema: JsonSchema = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    if required:
        schema["required"] = list(required)
    return schema


def listed(items: JsonSchema, *, most: int, least: int = 1, description: str = "") -> JsonSchema:
    """A list with a least and a greatest length."""
    return _described({"type": "array", "items": items, "minItems": least, "maxItems": most}, description)


def matching(pattern: str, description: str, *, most: int) -> JsonSchema:
    """A string that is the pattern and nothing more, of at most ``most`` characters."""
    return {"type": "string", "pattern": f"^(?:{pattern})$", "maxLength": most, "description": description}


def identifier(pattern: str, description: str) -> JsonSchema:
    """An id. The pattern is also what :mod:`.request` demands before it puts the value into a path."""
    return matching(pattern, description, most=64)


def line(most: int, description: str) -> JsonSchema:
    """One line of text without control characters."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": most,
        "pattern": _NO_CONTROLS,
        "description": description,
    }


def lines(most: int, description: str) -> JsonSchema:
    """Text that may have line breaks and tabs, and no other control characters."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": most,
        "pattern": _LINES_ONLY,
        "description": description,
    }


def whole(least: int, most: int, description: str) -> JsonSchema:
    """An integer within bounds."""
    return {"type": "integer", "minimum": least, "maximum": most, "description": description}


def choice(values: tuple[str, ...], description: str) -> JsonSchema:
    """One of these strings."""
    return {"type": "string", "enum": list(values), "description": description}


def flag(description: str) -> JsonSchema:
    """True or false."""
    return {"type": "boolean", "description": description}


def currency(description: str = "ISO 4217 currency code.") -> JsonSchema:
    """A currency that PayPal supports."""
    return choice(CURRENCIES, description)


def amount(description: str) -> JsonSchema:
    """An amount as a decimal string. A JSON number is refused: floats lose cents."""
    return matching(AMOUNT, description + ' A decimal string such as "12.50".', most=12)


def percentage(description: str) -> JsonSchema:
    """0 to 100 as a decimal string."""
    return matching(PERCENTAGE, description + ' A decimal string such as "8.25".', most=8)


def money(description: str) -> JsonSchema:
    """PayPal's money object."""
    return closed(
        {"currency_code": currency(), "value": amount("How much.")},
        required=("currency_code", "value"),
        description=description,
    )


def email(description: str) -> JsonSchema:
    """An e-mail address of plain ASCII."""
    return matching(EMAIL, description, most=254)


def web_address(description: str) -> JsonSchema:
    """An https URL."""
    return matching(WEB_ADDRESS, description, most=2000)


def address(description: str) -> JsonSchema:
    """PayPal's portable postal address."""
    return closed(
        {
            "address_line_1": line(300, "Street and number."),
            "address_line_2": line(300, "Suite or apartment."),
            "admin_area_2": line(120, "City."),
            "admin_area_1": line(300, "State or province."),
            "postal_code": line(60, "Postal code."),
            "country_code": matching("[A-Z]{2}", "ISO 3166-1 country code.", most=2),
        },
        required=("country_code",),
        description=description,
    )


def paging(most_per_page: int, *, most_pages: int) -> dict[str, JsonSchema]:
    """The two members by which PayPal's lists are paged."""
    return {
        "page": whole(1, most_pages, "Which page, from 1."),
        "page_size": whole(1, most_per_page, "Entries per page."),
    }


def _described(schema: JsonSchema, description: str) -> JsonSchema:
    return {**schema, "description": description} if description else schema
