"""PayPal's issues with PayPal's own descriptions (OpenAPI files, components/schemas)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ORDER_LINK = (
    "Please redirect the payer to the 'rel':'approve' url returned as part of the HATEOAS links within the "
    "Create Order call."
)

DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "MALFORMED_REQUEST_JSON": "The request JSON is not well formed.",
        "MISSING_REQUIRED_PARAMETER": "A required parameter is missing.",
        "INVALID_PARAMETER_SYNTAX": "The value of a field does not conform to the expected format.",
        "INVALID_PARAMETER_VALUE": "The value of a field is invalid.",
        "INVALID_INTEGER_MAX_VALUE": "The integer value of a field is too large.",
        "INVALID_PATCH_PATH": "The specified field cannot be patched.",
        "INVALID_RESOURCE_ID": (
            "Specified resource ID does not exist. Please check the resource ID and try again."
        ),
        "INVALID_DATE_RANGE": "The date range is greater than the maximum range of 31 days.",
        "INVALID_TRANSACTION_ID": "The transaction ID is not valid.",
        "PAYPAL_REQUEST_ID_REQUIRED": (
            "A PayPal-Request-Id is required if you are trying to process payment for an Order. Please specify a "
            "PayPal-Request-Id or Create the Order without a 'payment_source' specified."
        ),
        "AMOUNT_MISMATCH": (
            "Should equal item_total + tax_total + shipping + handling + insurance - shipping_discount - discount."
        ),
        "ITEM_TOTAL_MISMATCH": (
            "Should equal sum of (unit_amount * quantity) across all items for a given purchase_unit."
        ),
        "TAX_TOTAL_MISMATCH": "Should equal sum of (tax * quantity) across all items for a given purchase_unit.",
        "DECIMAL_PRECISION": (
            "If the currency supports decimals, only two decimal place precision is supported."
        ),
        "CANNOT_BE_ZERO_OR_NEGATIVE": (
            "Must be greater than zero. If the currency supports decimals, only two decimal place precision is "
            "supported."
        ),
        "ORDER_NOT_APPROVED": f"Payer has not yet approved the Order for payment. {_ORDER_LINK}",
        "ORDER_ALREADY_CAPTURED": (
            "Order already captured. If 'intent=CAPTURE' only one capture per order is allowed."
        ),
        "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded",
        "REFUND_AMOUNT_EXCEEDED": (
            "The refund amount must be less than or equal to the capture amount that has not yet been refunded."
        ),
        "REFUND_CAPTURE_CURRENCY_MISMATCH": "Refund must be in the same currency as the capture",
        "CANNOT_SEND_INVOICE": "The invoice cannot be sent in its current state.",
        "CANNOT_REMIND_INVOICE": (
            "You cannot remind an invoice which is in DRAFT status. Only UNPAID, SENT and PARTIALLY_PAID invoices "
            "can be reminded."
        ),
        "CANNOT_CANCEL_DRAFT_INVOICE": "Draft invoice cannot be canceled.",
        "CANNOT_CANCEL_PAID_INVOICE": "Cannot cancel a paid or partially paid invoice.",
        "CANNOT_CANCEL_SCHEDULED_INVOICE": "Cannot cancel a scheduled invoice.",
        "INVOICE_CANCELED_ALREADY": "Invoice is already cancelled.",
        "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE": "The dispute is already resolved.",
        "MISSING_REGULAR_BILLING_CYCLE": "Plan should have at least one regular billing cycle.",
        "CURRENCY_MISMATCH": "All currency codes in the request should be of similar value.",
        "PLAN_STATUS_INVALID": "Plan status should be active.",
        "SUBSCRIPTION_STATUS_INVALID": (
            "Invalid subscription status for patch action; subscription status should be either active or suspended."
        ),
    }
)
