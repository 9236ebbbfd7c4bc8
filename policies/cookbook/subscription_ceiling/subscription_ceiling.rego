package gateway.site

import data.gateway.limits

# METADATA
# scope: rule
# title: What a subscription may cost
# description: >-
#   A plan moves nothing when it is made, so that no limit on amounts sees it; each customer pays it for years. A price in a
#   currency that is not listed, or that is no plain decimal, is above.
codes contains "site.subscription_price" if {
	some cycle in input.arguments.billing_cycles
	price := object.get(cycle, ["pricing_scheme", "fixed_price"], null)
	price != null
	not _fair_price(price)
}

codes contains "site.subscription_price" if {
	fee := object.get(input.arguments, ["payment_preferences", "setup_fee"], null)
	fee != null
	not _fair_price(fee)
}

codes contains "site.subscription_price" if {
	input.tool.name == "update_subscription"
	value := object.get(input.arguments, ["fixed_price", "value"], null)
	value != null
	price := {"value": value, "currency_code": object.get(input.arguments, "currency_code", null)}
	not _fair_price(price)
}

# A fair price times a hundred units is none: what is charged in one cycle, as far as the gateway knows it.
codes contains "site.subscription_price" if {
	input.tool.name in {"create_subscription", "update_subscription"}
	is_object(input.money)
	charged := {
		"value": object.get(input.money, "amount", null),
		"currency_code": object.get(input.money, "currency", null),
	}
	not _fair_price(charged)
}

# What you change: the highest price of one billing cycle, by currency.
_highest_price := {"USD": "500.00", "EUR": "500.00", "GBP": "400.00"}

_fair_price(price) if {
	most := limits.decimal(object.get(_highest_price, price.currency_code, null))
	limits.decimal(price.value) <= most
}
