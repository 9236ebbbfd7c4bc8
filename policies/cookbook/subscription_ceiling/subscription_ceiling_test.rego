package gateway.site_test

import data.gateway.site

too_dear(tool, arguments) if {
	"site.subscription_price" in site.codes with input as {"tool": {"name": tool}, "arguments": arguments}
}

a_cycle(value, currency) := {"pricing_scheme": {"fixed_price": {"value": value, "currency_code": currency}}}

test_plans_above_the_ceiling if {
	every cycle in [a_cycle("500.01", "USD"), a_cycle("1.00", "CHF"), a_cycle("1e9", "USD")] {
		too_dear("create_subscription_plan", {"billing_cycles": [a_cycle("1.00", "USD"), cycle]})
	}
	too_dear("create_subscription_plan", {"payment_preferences": {"setup_fee": {"value": "900.00", "currency_code": "EUR"}}})
}

test_plans_below_it if {
	not too_dear("create_subscription_plan", {"billing_cycles": [a_cycle("500.00", "USD"), {"sequence": 1}]})
	not too_dear("create_subscription_plan", {"payment_preferences": {"setup_fee": {"value": "1.00", "currency_code": "EUR"}}})
}

test_a_price_that_is_changed if {
	too_dear("update_subscription", {"currency_code": "USD", "fixed_price": {"sequence": 1, "value": "501"}})
	too_dear("update_subscription", {"fixed_price": {"sequence": 1, "value": "1"}})
	not too_dear("update_subscription", {"currency_code": "USD", "fixed_price": {"sequence": 1, "value": "499"}})
	not too_dear("update_subscription", {"custom_id": "a"})
}

charged(amount) := {
	"tool": {"name": "create_subscription"}, "arguments": {"plan_id": "P-1", "quantity": "100"},
	"money": {"amount": amount, "currency": "USD"},
}

test_units_count if {
	"site.subscription_price" in site.codes with input as charged("500.01")
	"site.subscription_price" in site.codes with input as charged(null)
	not "site.subscription_price" in site.codes with input as charged("500.00")
}
