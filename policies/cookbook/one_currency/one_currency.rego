package gateway.site

# METADATA
# scope: rule
# title: One currency
# description: >-
#   Money moves, and prices are made, in one currency alone, whatever limits/data.yaml lists.
codes contains "site.other_currency" if {
	input.money != null
	not _in_our_currency
}

codes contains "site.other_currency" if {
	some cycle in input.arguments.billing_cycles
	cycle.pricing_scheme.fixed_price.currency_code != _our_currency
}

# What you change.
_our_currency := "USD"

_in_our_currency if input.money.currency == _our_currency
