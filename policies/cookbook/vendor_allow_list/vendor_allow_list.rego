package gateway.site

# METADATA
# title: Only known vendors are paid
# description: >-
#   Payments go to payees of this list. A payee that nobody knows, and several at once, are not on it: `payee` is null then.
codes contains "site.vendor_unknown" if {
	input.tool.name in _paying_tools
	not _paid_vendor
}

# What you change. Payees as the target names them: PayPal account ids, or e-mail addresses in small letters.
_paying_tools := {"pay_order", "send_money", "process_payment", "process_large_payment"}

_vendors := {"VENDOR7EXAMPLE", "billing@vendor.example.com"}

_paid_vendor if {
	is_string(input.money.payee)
	input.money.payee in _vendors
}
